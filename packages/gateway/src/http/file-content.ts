import { open } from 'node:fs/promises';
import { AppError } from '../core/app-error.ts';

/**
 * Files up to this size travel inside an answer that is one JSON text; larger ones are downloaded
 * by REST.
 */
export const MAX_INLINE_BYTES = 8 * 1_048_576;

/**
 * A file as bytes; `payload_too_large` when it is larger than `MAX_INLINE_BYTES`. Its size is
 * looked at first: it may be far too big to hold.
 */
export async function readInline(path: string): Promise<Buffer> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    if (size <= MAX_INLINE_BYTES) return await handle.readFile();
    const message = `The file has ${size} bytes; up to ${MAX_INLINE_BYTES} travel in an answer. Download it by REST: GET /api/bridge/v1/messages/{message_id}/media?line_id=…`;
    throw new AppError('payload_too_large', { limit_bytes: MAX_INLINE_BYTES }, { message });
  } finally {
    await handle.close();
  }
}
