/**
 * The four functions Baileys 7.0.0-rc14 imports from whatsapp-rust-bridge 0.5.4, on node:crypto and
 * with the same results bit for bit (`src/hardening/rust-bridge-shim.test.ts` compares them with
 * the original).
 *
 * The original is a WASM module that says MIT but embeds Signal code under AGPL-3.0; it is
 * installed for that test only and never loaded at run time. Differences, all on input Baileys
 * never gives: a value that is not bytes is a TypeError (the original hashes zeros instead), a
 * length out of range is a RangeError (the original throws a string or traps).
 */

export interface HkdfInfo {
  /** Absent or empty: 32 zero bytes, as RFC 5869 says. */
  salt?: Uint8Array | undefined | null;
  /** Taken as UTF-8. Absent: empty. */
  info?: string | undefined | null;
}

export interface ExpandedAppStateKeys {
  readonly indexKey: Uint8Array;
  readonly valueEncryptionKey: Uint8Array;
  readonly valueMacKey: Uint8Array;
  readonly snapshotMacKey: Uint8Array;
  readonly patchMacKey: Uint8Array;
}

/** HKDF-SHA256 (RFC 5869). `expandedLength` is in bytes, 0 to 8160. */
export function hkdf(buffer: Uint8Array, expandedLength: number, info: HkdfInfo): Uint8Array;

/** MD5 digest, 16 bytes. */
export function md5(buffer: Uint8Array): Uint8Array;

/**
 * The five 32-byte keys of an app-state sync key: HKDF-SHA256 with the info "WhatsApp Mutation
 * Keys".
 */
export function expandAppStateKeys(keyData: Uint8Array): ExpandedAppStateKeys;

/** The summation hash over app-state value MACs (LT hash, 64 lanes of 16 bits). Holds no state. */
export class LTHashAntiTampering {
  /**
   * Returns a new 128-byte hash: `base` minus the expansions of `subtract` plus those of `add`.
   * `base` is not changed.
   */
  subtractThenAdd(base: Uint8Array, subtract: readonly Uint8Array[], add: readonly Uint8Array[]): Uint8Array;
}
