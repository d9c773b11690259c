import { type Cipheriv, createCipheriv, createHash, randomBytes } from 'node:crypto';

/** Where the simulated network gets every key, id and random choice from. */
export interface Rng {
  /** Fresh random bytes; the caller owns the array. */
  bytes(length: number): Uint8Array;
  /** A whole number from 0 to `below - 1`, without bias. `below` is at most 2^32. */
  int(below: number): number;
}

/**
 * Cryptographically strong without a seed. With a seed it repeats the same sequence in every run
 * (AES-256-CTR over zeros, key = SHA-256 of the seed), which makes keys predictable: for tests
 * only.
 */
export function createRng(seed?: string): Rng {
  const stream: Cipheriv | undefined =
    seed === undefined
      ? undefined
      : createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16));
  const bytes = (length: number): Uint8Array => {
    const source = stream ? stream.update(Buffer.alloc(length)) : randomBytes(length);
    return new Uint8Array(source);
  };
  const int = (below: number): number => {
    if (!Number.isInteger(below) || below < 1 || below > 2 ** 32) {
      throw new RangeError(`rng: int() takes a whole number from 1 to 2^32, not ${below}`);
    }
    const limit = Math.floor(2 ** 32 / below) * below;
    for (;;) {
      const b = bytes(4);
      const value = new DataView(b.buffer, b.byteOffset, 4).getUint32(0);
      if (value < limit) return value % below;
    }
  };
  return { bytes, int };
}

/** Upper-case hex, the alphabet of WhatsApp message and stanza ids. */
export function hexId(rng: Rng, byteLength: number): string {
  return Buffer.from(rng.bytes(byteLength)).toString('hex').toUpperCase();
}
