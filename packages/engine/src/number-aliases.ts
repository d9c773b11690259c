/**
 * Mobile numbers of three countries that people write in two ways, while WhatsApp has their account
 * under one: Brazil put a 9 before the subscriber, Mexico and Argentina have a 1 and a 9 after the
 * country that are dialled from abroad only. WhatsApp answers for either, with the JID it has
 * (whatsmeow user.go IsOnWhatsApp: the query and the answer's JID may differ).
 */
const TWO_WAYS: readonly { long: RegExp; short: RegExp; lengthen(parts: string[]): string; country: string }[] = [
  {
    country: '55',
    long: /^55(\d\d)9([6-9]\d{7})$/,
    short: /^55(\d\d)([6-9]\d{7})$/,
    lengthen: ([a, b]) => `${a}9${b}`,
  },
  { country: '52', long: /^521([2-9]\d{9})$/, short: /^52([2-9]\d{9})$/, lengthen: ([a]) => `1${a}` },
  { country: '54', long: /^549([1-8]\d{9})$/, short: /^54([1-8]\d{9})$/, lengthen: ([a]) => `9${a}` },
];

/** The digits of the same number as others may write it; undefined for most numbers. */
export function otherWayToWrite(phone: string): string | undefined {
  for (const { country, long, short, lengthen } of TWO_WAYS) {
    const longParts = long.exec(phone)?.slice(1);
    if (longParts) return `${country}${longParts.join('')}`;
    const shortParts = short.exec(phone)?.slice(1);
    if (shortParts) return `${country}${lengthen(shortParts)}`;
  }
  return undefined;
}
