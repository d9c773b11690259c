const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;
const DAY = /^(\d{4})-(\d{2})-(\d{2})$/;

/** Days of a month; month 13 has none. */
const daysIn = (year: number, month: number): number =>
  month >= 1 && month <= 12 ? new Date(Date.UTC(year, month, 0)).getUTCDate() : 0;

/**
 * Unix milliseconds of a moment as RFC 3339 writes it, with its zone. `syntax`: it is written
 * otherwise. `nowhere`: no calendar or clock has it (30 February, 25 o'clock), which `Date` would
 * silently take for another time.
 */
export function parseMoment(text: string): number | 'syntax' | 'nowhere' {
  const match = RFC3339.exec(text);
  if (!match) return 'syntax';
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const [zoneHour, zoneMinute] = [Number(match[9] ?? 0), Number(match[10] ?? 0)];
  const isThere =
    day >= 1 &&
    day <= daysIn(year, month) &&
    hour < 24 &&
    minute < 60 &&
    second < 60 &&
    zoneHour < 24 &&
    zoneMinute < 60;
  if (!isThere) return 'nowhere';
  return Date.parse(text.replace(' ', 'T').toUpperCase());
}

/** The same for a day (2026-01-15), at its beginning in UTC. */
export function parseDay(text: string): number | 'syntax' | 'nowhere' {
  const match = DAY.exec(text);
  if (!match) return 'syntax';
  const [year = 0, month = 0, day = 0] = match.slice(1).map(Number);
  return day >= 1 && day <= daysIn(year, month) ? Date.UTC(year, month - 1, day) : 'nowhere';
}
