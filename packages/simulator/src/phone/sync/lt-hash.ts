import { hkdf } from '../../signal/kdf.ts';

const HASH_BYTES = 128;

/** The hash of nothing. */
export const emptyHash = (): Uint8Array => new Uint8Array(HASH_BYTES);

/**
 * The summation hash of a set of value MACs: each is expanded to 64 numbers of 16 bits (HKDF
 * "WhatsApp Patch Integrity"), and those are added or taken away without carry, so that order does
 * not matter (whatsmeow appstate/lthash.go).
 */
export function changedHash(hash: Uint8Array, changes: { removed: Uint8Array[]; added: Uint8Array[] }): Uint8Array {
  const out = Uint8Array.from(hash);
  const view = new DataView(out.buffer);
  const mix = (macs: Uint8Array[], sign: 1 | -1): void => {
    for (const mac of macs) {
      const expanded = hkdf(mac, 'WhatsApp Patch Integrity', HASH_BYTES);
      const numbers = new DataView(expanded.buffer, expanded.byteOffset, HASH_BYTES);
      for (let at = 0; at < HASH_BYTES; at += 2) {
        view.setUint16(at, (view.getUint16(at, true) + sign * numbers.getUint16(at, true)) & 0xffff, true);
      }
    }
  };
  mix(changes.removed, -1);
  mix(changes.added, 1);
  return out;
}
