import type { OpenFile } from '../blobs/account-files.ts';
import { AppError } from '../core/app-error.ts';

/**
 * Files up to this size travel inside an answer that is one JSON text; larger ones are downloaded
 * by REST.
 */
export const MAX_INLINE_BYTES = 8 * 1_048_576;

/**
 * A file as bytes; it is closed then. `payload_too_large` when it is larger than
 * `MAX_INLINE_BYTES`. Its size is looked at first: it may be far too big to hold.
 */
export async function readInline(file: OpenFile): Promise<Buffer> {
  const { sizeBytes } = file;
  try {
    if (sizeBytes <= MAX_INLINE_BYTES) {
      const pieces: Uint8Array[] = [];
      for await (const piece of file.read(0, sizeBytes - 1)) pieces.push(piece);
      return Buffer.concat(pieces);
    }
    const message = `The file has ${sizeBytes} bytes; up to ${MAX_INLINE_BYTES} travel in an answer. Download it by REST: GET /api/bridge/v1/messages/{message_id}/media?line_id=…`;
    throw new AppError('payload_too_large', { limit_bytes: MAX_INLINE_BYTES }, { message });
  } finally {
    await file.close();
  }
}
