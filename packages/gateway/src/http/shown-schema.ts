import { z } from 'zod';
import { text } from './route.ts';

/** What phones show of texts, reactions and contact cards, and what they do not. */

/** Spaces, line breaks, controls and invisible marks. */
const INVISIBLE = /[\s\p{C}]/gu;

/** Text that shows something: not blanks and invisible marks alone. */
export const shownText = (max: number, what: string) =>
  text(1, max, what).refine(
    (value) => value === '' || value.replace(INVISIBLE, '') !== '',
    `${what} must show something: it has only spaces, line breaks or invisible marks.`,
  );

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** A picture, a pair of letters that is a flag, or a sign in a keycap. */
const IS_PICTURE = /\p{Extended_Pictographic}|^\p{RI}{2}$|^[0-9#*]\u{FE0F}?\u{20E3}$/u;
/** What an emoji may be made of, joiners, skin tones and tags of flags included. */
const EMOJI_PARTS = /^[\p{Emoji}\p{Emoji_Component}]+$/u;

/** True for exactly one emoji: phones show nothing else as a reaction. */
export function isEmoji(value: string): boolean {
  if (!EMOJI_PARTS.test(value) || !IS_PICTURE.test(value)) return false;
  return [...graphemes.segment(value)].length === 1;
}

/** The emoji of a reaction; empty takes it back. */
export const emojiSchema = text(0, 64, 'emoji')
  .refine(
    (value) => value === '' || isEmoji(value),
    'A reaction is exactly one emoji (👍); an empty text takes it back.',
  )
  .meta({ description: 'One emoji. Empty takes the reaction back.', examples: ['👍'] });

/** True for one whole vCard with a name, which is what phones open. */
export function isVcard(value: string): boolean {
  // Long lines may be folded (RFC 6350, 3.2).
  const lines = value
    .replace(/\r?\n[ \t]/g, '')
    .trim()
    .split(/\r\n|\r|\n/);
  const of = (name: string) =>
    lines.filter((line) => new RegExp(`^(?:[\\w-]+\\.)?${name}(?:;[^:]*)?:`, 'i').test(line));
  const isNamed = [...of('FN'), ...of('N')].some((line) => /:.*[^\s;]/.test(line));
  const [begin] = lines;
  const isOne = of('BEGIN').length === 1 && of('END').length === 1;
  const isFramed = /^BEGIN:VCARD\s*$/i.test(begin ?? '') && /^END:VCARD\s*$/i.test(lines.at(-1) ?? '');
  return isOne && isFramed && isNamed && of('VERSION').some((line) => /:\s*(?:2\.1|3\.0|4\.0)\s*$/.test(line));
}

/** A vCard that a caller made. */
export const vcardSchema = z
  .string('vcard must be a string.')
  .max(16_384, 'vcard takes at most 16384 characters.')
  .refine((value) => !value.includes('\u0000'), 'vcard must not contain NUL characters.')
  .refine(
    isVcard,
    'vcard must be one vCard: BEGIN:VCARD, VERSION:3.0 (or 2.1, 4.0), a name (FN or N) and END:VCARD, each in a line of its own.',
  );
