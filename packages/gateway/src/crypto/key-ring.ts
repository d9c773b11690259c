import type { SealedBox } from './sealed-box.ts';

/** The master key is not the one this database was made with. */
export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError';
}

/** Data keys by scope, wrapped by the master key. */
export interface KeyRing {
  /**
   * The box of a scope (`system`, or a line's id), its key made on first use. Throws
   * UnreadableError when the stored key does not open.
   */
  box(scope: string): Promise<SealedBox>;
  /**
   * HMAC-SHA-256 under a key that only this installation knows; for looking up secrets that are
   * never read back.
   */
  fingerprint(purpose: string, value: string): Buffer;
  /** Forgets a scope that was deleted. */
  forget(scope: string): void;
}
