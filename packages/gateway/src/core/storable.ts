/**
 * Text of a stranger as both databases take it: PostgreSQL has no NUL in text, and half a surrogate
 * pair is no UTF-8. JSON columns escape both.
 */
export const storable = (text: string): string =>
  /[\0\ud800-\udfff]/.test(text) ? Buffer.from(text.replaceAll('\0', '\ufffd')).toString() : text;
