import { createCipheriv, createHash, createHmac } from 'node:crypto';
import { bytesPassed } from '@ponte/engine';
import { MAC_BYTES, type MediaKeys } from './media-keys.ts';

/** What a message says of its file, and the end of what is uploaded. */
export interface MeasuredFile {
  sizeBytes: number;
  /** Bytes that are uploaded. */
  encryptedBytes: number;
  fileSha256: Uint8Array;
  fileEncSha256: Uint8Array;
  mac: Uint8Array;
}

/**
 * Reads a file once to learn the hashes of itself and of its encrypted form: AES-256-CBC, then the
 * first ten bytes of an HMAC-SHA256 over IV and ciphertext (whatsmeow upload.go). The upload's
 * address holds the latter hash, so it is needed before the first byte leaves; encrypting twice
 * takes the place of an encrypted copy on the disk.
 */
export async function measureFile(source: AsyncIterable<Uint8Array>, keys: MediaKeys): Promise<MeasuredFile> {
  const plain = createHash('sha256');
  const encrypted = createHash('sha256');
  const hmac = createHmac('sha256', keys.macKey).update(keys.iv);
  let sizeBytes = 0;
  let encryptedBytes = MAC_BYTES;
  const cipher = createCipheriv('aes-256-cbc', keys.cipherKey, keys.iv);
  const take = (piece: Uint8Array) => {
    encrypted.update(piece);
    hmac.update(piece);
    encryptedBytes += piece.length;
  };
  for await (const piece of source) {
    sizeBytes += piece.length;
    plain.update(piece);
    take(cipher.update(piece));
    bytesPassed(2 * piece.length);
  }
  take(cipher.final());
  const mac = Uint8Array.from(hmac.digest().subarray(0, MAC_BYTES));
  encrypted.update(mac);
  return {
    sizeBytes,
    encryptedBytes,
    fileSha256: Uint8Array.from(plain.digest()),
    fileEncSha256: Uint8Array.from(encrypted.digest()),
    mac,
  };
}

/** The bytes that are uploaded, piece by piece. */
export async function* encryptFile(
  source: AsyncIterable<Uint8Array>,
  keys: MediaKeys,
  mac: Uint8Array,
): AsyncGenerator<Uint8Array> {
  const cipher = createCipheriv('aes-256-cbc', keys.cipherKey, keys.iv);
  for await (const piece of source) {
    const encrypted = cipher.update(piece);
    if (encrypted.length > 0) yield encrypted;
    bytesPassed(2 * piece.length);
  }
  yield cipher.final();
  yield mac;
}
