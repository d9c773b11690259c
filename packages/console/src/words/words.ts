import { useSyncExternalStore } from 'react';
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

/** As chosen; what is shown follows once its words are there. */
const chosen = kept<Locale>('locale', NAMES, preferred);
const loaded = new Map<Locale, Words>();
let shown: Locale = chosen.get();
const listeners = new Set<() => void>();
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

/** The language of the page, for numbers and dates. */
export const locale = {
  get: (): Locale => shown,
  use: (): Locale => useSyncExternalStore(subscribe, () => shown),
};

/**
 * Fetches the words of the language that was chosen, and shows them. To be called before anything
 * is shown. Rejects when they cannot be fetched.
 */
export async function loadWords(): Promise<void> {
  const name = chosen.get();
  if (!loaded.has(name)) loaded.set(name, await LANGUAGES[name].load());
  if (chosen.get() !== name) return;
  shown = name;
  document.documentElement.lang = name;
  for (const listener of listeners) listener();
}

/** The choice stays from now on; the page follows. Rejects when the words cannot be fetched. */
export async function chooseLocale(name: Locale): Promise<void> {
  chosen.set(name);
  await loadWords();
}

/** The texts in the language of this browser, or the one chosen. */
export function useWords(): Words {
  const words = loaded.get(locale.use());
  if (!words) throw new Error('the words are used before they are loaded');
  return words;
}
