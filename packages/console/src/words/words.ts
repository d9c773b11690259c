import { fetched } from '../fetched.ts';
import { kept } from '../kept.ts';
import type { Words } from './en.ts';

export type { Words };

/** Each language comes when it is chosen. */
const LANGUAGES = {
  en: { title: 'English', load: fetched(async () => (await import('./en.ts')).en) },
  es: { title: 'Español', load: fetched(async () => (await import('./es.ts')).es) },
  pt: { title: 'Português', load: fetched(async () => (await import('./pt.ts')).pt) },
} as const satisfies Record<string, { title: string; load: () => Promise<Words> }>;

export type Locale = keyof typeof LANGUAGES;
const NAMES = Object.keys(LANGUAGES) as Locale[];

/** The languages there are, by name, in their own words. */
export const LOCALES: readonly { name: Locale; title: string }[] = NAMES.map((name) => ({
  name,
  title: LANGUAGES[name].title,
}));

const preferred = (): Locale =>
  navigator.languages.flatMap((tag) => NAMES.find((name) => tag.toLowerCase().startsWith(name)) ?? [])[0] ?? 'en';

const chosen = kept<Locale>('locale', NAMES, preferred);
const loaded = new Map<Locale, Words>();

/** The language of the page, for numbers and dates. */
export const locale = { get: chosen.get, use: chosen.use };

async function load(name: Locale): Promise<void> {
  if (!loaded.has(name)) loaded.set(name, await LANGUAGES[name].load());
  document.documentElement.lang = name;
}

/** To be called before anything is shown. Rejects when the words cannot be fetched. */
export const loadWords = (): Promise<void> => load(chosen.get());

/** The page changes once the words are there. Rejects when they cannot be fetched. */
export async function chooseLocale(name: Locale): Promise<void> {
  await load(name);
  chosen.set(name);
}

/** The texts in the language of this browser, or the one chosen. */
export function useWords(): Words {
  const words = loaded.get(chosen.use());
  if (!words) throw new Error('the words are used before they are loaded');
  return words;
}
