import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { SignalError } from './signal-error.ts';

/** HKDF-SHA256 (RFC 5869). Without a salt, 32 zero bytes are used, as Signal and WhatsApp do. */
export function hkdf(
  secret: Uint8Array,
  info: string,
  lengthBytes: number,
  salt: Uint8Array = new Uint8Array(32),
): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, salt, info, lengthBytes));
}

export function hmacSha256(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return Uint8Array.from(mac.digest());
}

export function encryptCbc(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-cbc', key, iv);
  return Uint8Array.from(Buffer.concat([cipher.update(plaintext), cipher.final()]));
}

/**
 * Throws SignalError('malformed') when length or padding are wrong. Callers check a MAC first: this
 * is no authentication.
 */
export function decryptCbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('aes-256-cbc', key, iv);
  try {
    return Uint8Array.from(Buffer.concat([decipher.update(ciphertext), decipher.final()]));
  } catch (cause) {
    throw new SignalError('malformed', { cause });
  }
}
