import { createHash, timingSafeEqual } from 'node:crypto';
import { decryptCbc, encryptCbc, hkdf, hmacSha256 } from '../../signal/kdf.ts';
import { SignalError } from '../../signal/signal-error.ts';

/**
 * What the key of a file is expanded for; another one gives other keys (Baileys
 * MEDIA_HKDF_KEY_MAPPING, whatsmeow MediaType).
 */
export type MediaUse = 'Image' | 'Video' | 'Audio' | 'Document' | 'History' | 'App State';

export const MEDIA_KEY_BYTES = 32;
const MAC_BYTES = 10;

/** A file that is not what the message says it is. */
export class MediaError extends Error {
  override readonly name = 'MediaError';
  readonly reason: 'wrong_hash' | 'wrong_mac' | 'wrong_key';

  constructor(reason: MediaError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** A file as it is uploaded, and what its message must say. */
export interface SealedFile {
  bytes: Uint8Array;
  fileSha256: Uint8Array;
  fileEncSha256: Uint8Array;
}

export const sha256 = (bytes: Uint8Array): Uint8Array => Uint8Array.from(createHash('sha256').update(bytes).digest());

/**
 * AES-256-CBC, then the first ten bytes of an HMAC over IV and ciphertext (whatsmeow upload.go).
 */
export function sealFile(plaintext: Uint8Array, mediaKey: Uint8Array, use: MediaUse): SealedFile {
  const { iv, cipherKey, macKey } = keysOf(mediaKey, use);
  const ciphertext = encryptCbc(cipherKey, iv, plaintext);
  const mac = hmacSha256(macKey, iv, ciphertext).subarray(0, MAC_BYTES);
  const bytes = Uint8Array.from(Buffer.concat([ciphertext, mac]));
  return { bytes, fileSha256: sha256(plaintext), fileEncSha256: sha256(bytes) };
}

/**
 * Checks the hash of what was downloaded, its MAC, and the hash of what was in it. Throws
 * MediaError.
 */
export function openFile(
  bytes: Uint8Array,
  mediaKey: Uint8Array,
  use: MediaUse,
  expected: { fileSha256?: Uint8Array | null | undefined; fileEncSha256?: Uint8Array | null | undefined },
): Uint8Array {
  if (mediaKey.length !== MEDIA_KEY_BYTES) throw new MediaError('wrong_key', 'the media key must have 32 bytes');
  if (!same(sha256(bytes), expected.fileEncSha256)) {
    throw new MediaError('wrong_hash', 'the downloaded bytes do not have the hash that the message says');
  }
  const { iv, cipherKey, macKey } = keysOf(mediaKey, use);
  const ciphertext = bytes.subarray(0, -MAC_BYTES);
  const mac = hmacSha256(macKey, iv, ciphertext).subarray(0, MAC_BYTES);
  if (!same(mac, bytes.subarray(-MAC_BYTES))) throw new MediaError('wrong_mac', 'the file has a wrong MAC');
  const plaintext = decrypted(cipherKey, iv, ciphertext);
  if (!same(sha256(plaintext), expected.fileSha256)) {
    throw new MediaError('wrong_hash', 'the decrypted file does not have the hash that the message says');
  }
  return plaintext;
}

function decrypted(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  try {
    return decryptCbc(key, iv, ciphertext);
  } catch (cause) {
    if (!(cause instanceof SignalError)) throw cause;
    throw new MediaError('wrong_key', 'the file cannot be decrypted');
  }
}

function keysOf(mediaKey: Uint8Array, use: MediaUse): { iv: Uint8Array; cipherKey: Uint8Array; macKey: Uint8Array } {
  const expanded = hkdf(mediaKey, `WhatsApp ${use} Keys`, 112);
  return { iv: expanded.subarray(0, 16), cipherKey: expanded.subarray(16, 48), macKey: expanded.subarray(48, 80) };
}

function same(a: Uint8Array, b: Uint8Array | null | undefined): boolean {
  return b !== null && b !== undefined && a.length === b.length && timingSafeEqual(a, b);
}
