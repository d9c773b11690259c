import { AppError } from '../../core/app-error.ts';
import { cleanName, fileNameOf } from '../../media/intake.ts';
import { HEAD_BYTES, sniff, typeOf } from '../../media/media-kind.ts';
import { FetchError } from '../../net/fetch-error.ts';
import type { Guard } from '../../net/guarded-fetch.ts';

const FETCH_MS = 30_000;

/** A small file, whole. */
export interface FetchedBytes {
  bytes: Uint8Array;
  mimeType: string;
  fileName: string | undefined;
}

/**
 * Fetches a small file from an address that a caller gave. `media_fetch_failed`, also when it has
 * more than `maxBytes`.
 */
export type FileFetcher = (url: string, maxBytes: number) => Promise<FetchedBytes>;

export function createFileFetcher(guard: Pick<Guard, 'fetch'>): FileFetcher {
  return async (url, maxBytes) => {
    try {
      const response = await guard.fetch(url, { purpose: 'media', maxBytes, totalTimeoutMs: FETCH_MS });
      if (response.status !== 200) {
        response.discard();
        throw failed(`its server answered HTTP ${response.status}`);
      }
      const pieces: Uint8Array[] = [];
      for await (const piece of response.body) pieces.push(piece);
      const bytes = Buffer.concat(pieces);
      const mimeType = typeOf(response.headers['content-type'], await sniff(bytes.subarray(0, HEAD_BYTES)));
      return {
        bytes,
        mimeType,
        fileName: cleanName(fileNameOf(response.headers['content-disposition'], response.url)),
      };
    } catch (error) {
      if (!(error instanceof FetchError)) throw error;
      throw failed(error.kind === 'too_large' ? `it has more than ${maxBytes} bytes` : error.message, error);
    }
  };
}

const failed = (why: string, cause?: unknown): AppError =>
  new AppError('media_fetch_failed', {}, { message: `The file could not be fetched from its URL: ${why}.`, cause });
