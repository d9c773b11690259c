import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

/**
 * A record that does not open: wrong key, changed bytes, or a record of another row. Never treated
 * as "absent".
 */
export class UnreadableError extends Error {
  override readonly name = 'UnreadableError';
}

/** AES-256-GCM under one data key. */
export interface SealedBox {
  /**
   * `aad` binds the record to its place (`table|column|row`): moved elsewhere it does not open.
   * `isRepeatable`: the same bytes at the same place give the same record, which tells that they
   * are the same, and nothing else.
   */
  seal(plain: Uint8Array, aad: string, isRepeatable?: boolean): Buffer;
  /** Throws UnreadableError. */
  open(sealed: Uint8Array, aad: string): Buffer;
}

const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + NONCE_BYTES;

/**
 * Record: version (1) · nonce (12, random) · ciphertext · tag (16). Safe for 2^32 records under one
 * key.
 */
export function createSealedBox(key: Buffer): SealedBox {
  if (key.length !== 32) throw new Error('a data key has 32 bytes');
  return {
    seal(plain, aad, isRepeatable = false) {
      const nonce = isRepeatable ? ownNonce(key, plain, aad) : randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, nonce);
      cipher.setAAD(Buffer.from(aad));
      const body = cipher.update(plain);
      cipher.final();
      return Buffer.concat([Buffer.of(VERSION), nonce, body, cipher.getAuthTag()]);
    },
    open(sealed, aad) {
      const record = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      if (record.length < HEADER_BYTES + TAG_BYTES || record[0] !== VERSION) {
        throw new UnreadableError(`${aad}: not a sealed record of this version`);
      }
      const decipher = createDecipheriv('aes-256-gcm', key, record.subarray(1, HEADER_BYTES));
      decipher.setAAD(Buffer.from(aad));
      decipher.setAuthTag(record.subarray(record.length - TAG_BYTES));
      try {
        return Buffer.concat([
          decipher.update(record.subarray(HEADER_BYTES, record.length - TAG_BYTES)),
          decipher.final(),
        ]);
      } catch (cause) {
        throw new UnreadableError(`${aad}: the record does not open with this key`, { cause });
      }
    },
  };
}

/** Drawn from what it is for: another text or place never has the same one, but by chance. */
function ownNonce(key: Buffer, plain: Uint8Array, aad: string): Buffer {
  const nonceKey = createHmac('sha256', key).update('nonce').digest();
  return createHmac('sha256', nonceKey).update(`${aad}\0`).update(plain).digest().subarray(0, NONCE_BYTES);
}
