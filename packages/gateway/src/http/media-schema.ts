import { z } from 'zod';
import { type FileSource, type FileWish, SpooledFile } from '../commands/sends/send-file.ts';
import type { StatusContent } from '../commands/sends/send-status.ts';
import { invalid } from '../core/app-error.ts';
import { text } from './route.ts';
import { shownText } from './shown-schema.ts';

/** Fields of files to be sent, the same in every dialect, and what they ask for. */

export const FILE_KINDS = ['image', 'video', 'audio', 'voice', 'document'] as const;

const SPACE = /[\s\p{Cc}\u200b-\u200f\u2060\ufeff]/u;
export const urlSchema = z
  .string('The address must be a string.')
  .max(4_096, 'An address takes at most 4096 characters.')
  .refine(
    (value) => !SPACE.test(value),
    'The address holds a space, a line break or an invisible sign. Write a space as %20.',
  )
  .refine(
    (value) => SPACE.test(value) || (URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)),
    'Give an http or https address.',
  );

/** A file inside the request. In the document it is what callers write: base64. */
const inRequest = z
  .custom<SpooledFile>((value) => value instanceof SpooledFile, 'data must be a file as base64.')
  .meta({ type: 'string', format: 'byte', description: 'The file itself, as base64; instead of an address.' });

/** Where the file comes from, beside an address. */
export const fileFields = {
  data: inRequest.optional(),
  file: inRequest.optional().meta({ description: 'The file itself, in multipart/form-data only.' }),
};

export const wishFields = {
  caption: text(1, 65_536, 'caption').optional(),
  filename: text(1, 255, 'filename').optional(),
  mime_type: text(3, 127, 'mime_type')
    .regex(/^[\w.+-]+\/[\w.+-]+(;.*)?$/, 'Use a media type such as text/csv.')
    .optional()
    .meta({ description: 'For files that their bytes do not tell, such as texts.' }),
  kind: z.enum(FILE_KINDS, `Use one of ${FILE_KINDS.join(', ')}.`).optional(),
  voice: z.boolean('voice is true or false.').optional().meta({ description: 'An audio file as a voice message.' }),
  gif: z.boolean('gif is true or false.').optional().meta({ description: 'A video that plays like a GIF.' }),
  view_once: z.boolean('view_once is true or false.').optional(),
};
type Wishes = z.output<z.ZodObject<typeof wishFields>>;

/** The one place that a request names its file in. */
export function sourceOf(
  given: { url?: string; data?: SpooledFile; file?: SpooledFile },
  urlField = 'url',
): FileSource {
  const { url, data, file } = given;
  const named = [url, data, file].filter((one) => one !== undefined);
  if (named.length > 1) throw invalid(urlField, `Give the file once: ${urlField}, data, or a form with file.`);
  if (url !== undefined) return { url };
  const held = data ?? file;
  if (held) return { file: held };
  throw invalid(urlField, `Give the file: ${urlField}, data as base64, or a form with file.`);
}

export const wishOf = (of: Wishes): FileWish => ({
  caption: of.caption,
  fileName: of.filename,
  mimeType: of.mime_type,
  kind: of.kind,
  voice: of.voice,
  gif: of.gif,
  viewOnce: of.view_once,
});

/** What a status is made of, beside its file. */
export const statusFields = {
  body: shownText(700, 'body').optional().meta({ description: 'The text of a status that is a text.' }),
  caption: wishFields.caption,
  kind: z.enum(['image', 'video'], 'Use image or video.').optional(),
  gif: wishFields.gif,
};
type StatusFields = z.output<z.ZodObject<typeof statusFields>>;

/** A text, or the picture or video. */
export function statusContentOf(given: StatusFields & Parameters<typeof sourceOf>[0], urlField = 'url'): StatusContent {
  const { body, caption, kind, gif, url, data, file } = given;
  const hasFile = url !== undefined || data !== undefined || file !== undefined;
  if (body === undefined) return { source: sourceOf(given, urlField), wish: { caption, kind, gif } };
  if (hasFile) throw invalid('body', 'A status is a text (body) or a file; the text under a file is its caption.');
  return { text: body };
}
