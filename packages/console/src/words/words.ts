import { kept } from '../kept.ts';
import { en, type Words } from './en.ts';
import { es } from './es.ts';
import { pt } from './pt.ts';

export type { Words };

export const LOCALES = {
  en: { title: 'English', words: en },
  es: { title: 'Español', words: es },
  pt: { title: 'Português', words: pt },
} as const satisfies Record<string, { title: string; words: Words }>;

export type Locale = keyof typeof LOCALES;
const NAMES = Object.keys(LOCALES) as Locale[];

const preferred = (): Locale =>
  navigator.languages.flatMap((tag) => NAMES.find((name) => tag.toLowerCase().startsWith(name)) ?? [])[0] ?? 'en';

export const locale = kept<Locale>('locale', NAMES, preferred);

/** The texts in the language of this browser, or the one chosen. */
export function useWords(): Words {
  const name = locale.use();
  if (document.documentElement.lang !== name) document.documentElement.lang = name;
  return LOCALES[name].words;
}
