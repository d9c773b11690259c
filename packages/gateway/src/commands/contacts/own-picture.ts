import { AppError } from '../../core/app-error.ts';
import { squareJpeg } from '../../media/square-jpeg.ts';
import { FetchError } from '../../net/fetch-error.ts';
import { requireConnected } from '../chats/read-messages.ts';
import { lineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import type { LineName } from '../lines/find-line.ts';
import { ask } from './contacts.ts';

const PICTURE_MAX_BYTES = 16 * 1024 * 1024;
const FETCH_MS = 20_000;

/**
 * Fetches a picture, makes a square JPEG of it and sets it as the line's own. `media_fetch_failed`,
 * `media_rejected`; WhatsApp's word as for every question.
 */
export const setOwnPicture = lineCommand(
  { scope: 'lines:write', speaks: true },
  async (context: Context, line, { url }: { line: LineName; url: string }): Promise<{ id: string }> => {
    requireConnected(context, line);
    const jpeg = await squareJpeg(await downloadPicture(context, url));
    return ask(context, line, 'account.setPicture', { jpeg });
  },
);

/** Fetches a picture into memory, `PICTURE_MAX_BYTES` at most. `media_fetch_failed`. */
export async function downloadPicture({ guard }: Context, url: string): Promise<Uint8Array> {
  try {
    const response = await guard.fetch(url, {
      purpose: 'media',
      maxBytes: PICTURE_MAX_BYTES,
      totalTimeoutMs: FETCH_MS,
    });
    if (response.status !== 200) {
      response.discard();
      throw failed(`its server answered HTTP ${response.status}`);
    }
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    return Buffer.concat(chunks);
  } catch (error) {
    if (error instanceof FetchError) throw failed(error.message, error);
    throw error;
  }
}

const failed = (why: string, cause?: unknown): AppError =>
  new AppError('media_fetch_failed', {}, { message: `The picture could not be fetched: ${why}.`, cause });
