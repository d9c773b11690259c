import { AppError } from '../core/app-error.ts';
import { FetchError } from '../net/fetch-error.ts';
import type { Guard } from '../net/guarded-fetch.ts';
import { decideKind, type KindWish, PAGE_TYPE } from './media-kind.ts';
import { limitOf, type MediaLimits, rejected, tooLarge } from './media-limits.ts';
import type { Spool, SpooledFile } from './spool.ts';

/** What the caller says of the file behind an address. */
export type FetchWish = KindWish & { fileName?: string; mimeType?: string };

/** For the whole file. Slow sources are cut off sooner (see net/limited-body.ts). */
const FETCH_MS = 300_000;
const FIRST_BYTE_MS = 20_000;
const NAME_MAX = 255;

/**
 * Fetches a file into the spool: public addresses only, three redirects at most, each judged like
 * the first. Its size is limited by what it is, while it comes in. `media_fetch_failed` (says why,
 * never what the server sent), `media_rejected`.
 */
export async function fetchToSpool(
  url: string,
  options: {
    guard: Pick<Guard, 'fetch'>;
    spool: Spool;
    name: string;
    accountId: string;
    limits: MediaLimits;
    wish: FetchWish;
  },
): Promise<SpooledFile> {
  const { guard, spool, name, accountId, limits, wish } = options;
  try {
    const response = await guard.fetch(url, {
      purpose: 'media',
      maxBytes: Math.max(...Object.values(limits)),
      totalTimeoutMs: FETCH_MS,
      firstByteTimeoutMs: FIRST_BYTE_MS,
    });
    if (response.status !== 200) {
      response.discard();
      throw failed(`its server answered HTTP ${response.status}`);
    }
    try {
      return await spool.write(response.body, {
        name,
        accountId,
        declaredType: response.headers['content-type'],
        fileName: fileNameOf(response.headers['content-disposition'], response.url),
        limit: (mimeType) => {
          if (mimeType === PAGE_TYPE && !isPageWanted(wish)) throw failedWithPage();
          const { kind } = decideKind(mimeType, wish);
          const maxBytes = limitOf(kind, limits);
          return { maxBytes, refusal: tooLarge(kind, maxBytes) };
        },
      });
    } catch (error) {
      response.discard();
      throw error;
    }
  } catch (error) {
    if (error instanceof FetchError) {
      if (error.kind === 'too_large') throw tooLarge('document', limits.document);
      throw failed(error.message, error);
    }
    throw error;
  }
}

/** The kind document, a name or a type says that the page itself is meant. */
const isPageWanted = ({ kind, fileName, mimeType }: FetchWish): boolean =>
  kind === 'document' || fileName !== undefined || mimeType !== undefined;

const failedWithPage = (): AppError =>
  rejected(
    'The address answers with a web page (HTML), not with a file: perhaps it asks for a login, or shows the file inside. Give the address of the file itself. To send the page, give kind "document" or a filename.',
  );

const failed = (why: string, cause?: unknown): AppError =>
  new AppError('media_fetch_failed', {}, { message: `The file could not be fetched from its URL: ${why}.`, cause });

/**
 * The name that its server gives the file, else the last part of its address; undefined when there
 * is none.
 */
export function fileNameOf(disposition: string | undefined, url: string): string | undefined {
  const extended = /filename\*\s*=\s*UTF-8''([^;]+)/i.exec(disposition ?? '')?.[1];
  const plain = /filename\s*=\s*(?:"([^"]*)"|([^;\s]+))/i.exec(disposition ?? '');
  const last = new URL(url).pathname.split('/').at(-1);
  return cleanName(decoded(extended) ?? plain?.[1] ?? plain?.[2] ?? decoded(last));
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    // Not percent-encoded as it should be: it is taken as it stands.
    return text;
  }
}

/** Cut to the length of names, never inside a character; halves of characters are replaced. */
const wellCut = (name: string): string =>
  name
    .slice(0, NAME_MAX)
    .replace(/\p{Surrogate}$/u, '')
    .replace(/\p{Surrogate}/gu, '\ufffd');

/**
 * A name to show: no folders, no control characters, not too long. Undefined when nothing is left.
 */
export function cleanName(name: string | undefined): string | undefined {
  const base = (name ?? '').split(/[\\/]/).at(-1) ?? '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go.
  const clean = base.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '').trim();
  return clean === '' ? undefined : wellCut(clean);
}
