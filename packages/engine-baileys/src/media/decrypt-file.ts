import { createDecipheriv, createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { bytesPassed, EngineError } from '@ponte/engine';
import { MAC_BYTES, type MediaKeys } from './media-keys.ts';

export interface ExpectedFile {
  /** Of the plain file; undefined when the message does not say. */
  fileSha256: Uint8Array | undefined;
  /** Of what is downloaded; undefined when the message does not say. */
  fileEncSha256: Uint8Array | undefined;
}

/**
 * Decrypts a download into a file beside `path` that ends in `.part`, and renames it to `path` when
 * MAC and hashes are right: before that no byte is at `path`. The MAC is compared before the
 * padding is looked at. Rejects with `media_damaged`, and leaves nothing behind then.
 */
export async function decryptFile(
  source: AsyncIterable<Uint8Array>,
  keys: MediaKeys,
  expected: ExpectedFile,
  path: string,
): Promise<{ sizeBytes: number; sha256: Uint8Array }> {
  // Each download writes a file of its own: two of the same message must not mix.
  const part = `${path}.${randomUUID()}.part`;
  const file = await open(part, 'wx', 0o600);
  try {
    const opened = await decryptInto(source, keys, expected, (piece) => file.writeFile(piece));
    await file.close();
    await rename(part, path);
    return opened;
  } catch (error) {
    await file.close().catch(() => {});
    await rm(part, { force: true });
    throw error;
  }
}

async function decryptInto(
  source: AsyncIterable<Uint8Array>,
  keys: MediaKeys,
  expected: ExpectedFile,
  write: (piece: Uint8Array) => Promise<void>,
): Promise<{ sizeBytes: number; sha256: Uint8Array }> {
  const encrypted = createHash('sha256');
  const plain = createHash('sha256');
  const hmac = createHmac('sha256', keys.macKey).update(keys.iv);
  const decipher = createDecipheriv('aes-256-cbc', keys.cipherKey, keys.iv);
  let sizeBytes = 0;
  const take = async (piece: Uint8Array) => {
    if (piece.length === 0) return;
    sizeBytes += piece.length;
    plain.update(piece);
    await write(piece);
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
    await take(decipher.update(ready));
  }
  requireSame(hmac.digest().subarray(0, MAC_BYTES), held, 'its MAC is wrong');
  requireSame(encrypted.digest(), expected.fileEncSha256, 'its encrypted bytes have another hash');
  await take(finalOf(decipher));
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
