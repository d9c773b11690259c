/** Digits as this API writes phone numbers: `+34600000000`. Null stays null. */
export function internationalPhone(digits: string | null): string | null {
  return digits === null || digits === '' ? null : `+${digits}`;
}
