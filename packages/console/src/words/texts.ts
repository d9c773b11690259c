import { type Locale, locale } from './words.ts';

/**
 * Texts of one part of the console in every language. They come with the part that shows them, not
 * with the first load.
 */
export type Texts<T> = Record<Locale, T>;

export const texts = <T>(all: Texts<T>): Texts<T> => all;

/** The texts in the language of this browser, or the one chosen. */
export const useTexts = <T>(all: Texts<T>): T => all[locale.use()];
