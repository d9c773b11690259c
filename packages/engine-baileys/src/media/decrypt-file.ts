import { createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { bytesPassed, EngineError } from '@ponte/engine';
import { MAC_BYTES, type MediaKeys } from './media-keys.ts';

export interface ExpectedFile {
  /** Of the plain file; undefined when the message does not say. */
  fileSha256: Uint8Array | undefined;
  /** Of what is downloaded; undefined when the message does not say. */
  fileEncSha256: Uint8Array | undefined;
}

/** What was downloaded could not be kept on this side. */
export class NotKeptError extends Error {
  override readonly name = 'NotKeptError';
}

/** What is known of a file at its end. */
interface Opened {
  sizeBytes: number;
  sha256: Uint8Array;
}

/**
 * Hands a download over to `write`, decrypted: the pieces end well only when MAC and hashes are
 * right, and throw otherwise, so that nothing is kept. The MAC is compared before the padding is
 * looked at. Rejects with `media_damaged`, with what the source rejects with, or with NotKeptError.
 */
export async function decryptFile(
  source: AsyncIterable<Uint8Array>,
  keys: MediaKeys,
  expected: ExpectedFile,
  write: (pieces: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<Opened> {
  const end: { opened?: Opened; failure?: unknown } = {};
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      end.opened = yield* decrypted(source, keys, expected);
    } catch (error) {
      end.failure = error;
      throw error;
    }
  }
  try {
    await write(pieces());
  } catch (cause) {
    throw end.failure ?? new NotKeptError('the file could not be kept', { cause });
  }
  if (!end.opened) throw new NotKeptError('the file was not read to its end');
  return end.opened;
}

async function* decrypted(
  source: AsyncIterable<Uint8Array>,
  keys: MediaKeys,
  expected: ExpectedFile,
): AsyncGenerator<Uint8Array, Opened> {
  const encrypted = createHash('sha256');
  const plain = createHash('sha256');
  const hmac = createHmac('sha256', keys.macKey).update(keys.iv);
  const decipher = createDecipheriv('aes-256-cbc', keys.cipherKey, keys.iv);
  let sizeBytes = 0;
  const seen = (piece: Uint8Array) => {
    sizeBytes += piece.length;
    plain.update(piece);
    return piece;
  };
  // The last ten bytes are the MAC, and which ones they are is known only at the end.
  let held: Uint8Array = new Uint8Array();
  for await (const piece of source) {
    bytesPassed(2 * piece.length);
    encrypted.update(piece);
    const both = Buffer.concat([held, piece]);
    const ready = both.subarray(0, Math.max(0, both.length - MAC_BYTES));
    held = Uint8Array.from(both.subarray(ready.length));
    hmac.update(ready);
    const opened = decipher.update(ready);
    if (opened.length > 0) yield seen(opened);
  }
  requireSame(hmac.digest().subarray(0, MAC_BYTES), held, 'its MAC is wrong');
  requireSame(encrypted.digest(), expected.fileEncSha256, 'its encrypted bytes have another hash');
  const last = finalOf(decipher);
  if (last.length > 0) yield seen(last);
  const sha256 = Uint8Array.from(plain.digest());
  requireSame(sha256, expected.fileSha256, 'it has another hash');
  return { sizeBytes, sha256 };
}

function finalOf(decipher: ReturnType<typeof createDecipheriv>): Uint8Array {
  try {
    return decipher.final();
  } catch (cause) {
    throw damaged('its padding is wrong', cause);
  }
}

function requireSame(actual: Uint8Array, wanted: Uint8Array | undefined, otherwise: string): void {
  if (wanted === undefined || (actual.length === wanted.length && timingSafeEqual(actual, wanted))) return;
  throw damaged(otherwise);
}

const damaged = (why: string, cause?: unknown) =>
  new EngineError('media_damaged', `the file is not the one that the message names: ${why}`, { cause });
