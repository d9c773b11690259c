import { locale } from '../words/words.ts';

const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
] as const;

/** `5 minutes ago`, in the page's language. */
export function ago(instant: string, now = Date.now()): string {
  const seconds = Math.round((Date.parse(instant) - now) / 1_000);
  const format = new Intl.RelativeTimeFormat(locale.get(), { numeric: 'auto' });
  for (const [unit, size] of UNITS) {
    if (Math.abs(seconds) >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return format.format(Math.min(0, seconds), 'second');
}

export const dateTime = (instant: string): string =>
  new Intl.DateTimeFormat(locale.get(), { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(instant));

export const date = (instant: string): string =>
  new Intl.DateTimeFormat(locale.get(), { dateStyle: 'medium' }).format(new Date(instant));

export const clockTime = (unixSeconds: number): string =>
  new Intl.DateTimeFormat(locale.get(), { hour: '2-digit', minute: '2-digit' }).format(new Date(unixSeconds * 1_000));

/** `Today`, `Yesterday`, or the date, of a moment in Unix seconds. */
export function dayOf(unixSeconds: number, words: { today: string; yesterday: string }): string {
  const day = new Date(unixSeconds * 1_000);
  const midnight = new Date();
  midnight.setHours(0, 0, 0, 0);
  if (day >= midnight) return words.today;
  midnight.setDate(midnight.getDate() - 1);
  if (day >= midnight) return words.yesterday;
  return new Intl.DateTimeFormat(locale.get(), { dateStyle: 'full' }).format(day);
}

export const number = (value: number): string => new Intl.NumberFormat(locale.get()).format(value);
