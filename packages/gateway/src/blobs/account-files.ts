import type { KeyRing } from '../crypto/key-ring.ts';
import type { SealedBox } from '../crypto/sealed-box.ts';
import type { BlobFacts, BlobStore } from './blob-store.ts';
import { isSealedHead, openSealedFile, SEALED_MARK, sealFile } from './sealed-file.ts';

/** A file that is being read, whatever it lies on. To be closed. */
export interface OpenFile {
  sizeBytes: number;
  isSealed: boolean;
  /**
   * The bytes from `start` to `end`, both included. Throws UnreadableError when they are not those
   * that were written, BlobError when they cannot be had.
   */
  read(start: number, end: number): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/**
 * Files by key, sealed under the data key of their account when the account asks for it
 * (docs/decisions/052-files.md). Reading needs no such choice: every file says itself what it is.
 */
export interface AccountFiles {
  /** Whole or not at all, as BlobStore.put. Answers whether it is sealed. */
  write(key: string, accountId: string, pieces: AsyncIterable<Uint8Array>): Promise<{ isSealed: boolean }>;
  /**
   * Undefined when it is not there. Rejects with UnreadableError when it was cut off, lies in
   * another place than it was written to, or its key does not open.
   */
  open(key: string): Promise<OpenFile | undefined>;
  /** True: what the account writes from now on is sealed. */
  seals(accountId: string): boolean;
  /** The path on this machine of a file in the clear; undefined when there is none. */
  plainPathOf(key: string, file: { isSealed: boolean }): string | undefined;
  stat(key: string): Promise<BlobFacts | undefined>;
  remove(key: string): Promise<void>;
  list(prefix: string): AsyncIterable<BlobFacts & { key: string }>;
  tidy(minAgeMs: number): Promise<void>;
  freeBytes(): Promise<number | undefined>;
}

export function createAccountFiles({
  blobs,
  ring,
  sealing,
}: {
  blobs: BlobStore;
  ring: Pick<KeyRing, 'box'>;
  /** The box of an account that asks for sealing. */
  sealing(accountId: string): SealedBox | undefined;
}): AccountFiles {
  const boxOf = (accountId: string) => ring.box(accountId);
  return {
    async write(place, accountId, pieces) {
      const { head, all } = await withHead(pieces);
      const box = sealing(accountId) ?? (isSealedHead(head) ? await boxOf(accountId) : undefined);
      await blobs.put(place, box ? sealFile(all, { box, accountId, place }) : all);
      return { isSealed: box !== undefined };
    },
    async open(key) {
      const stored = await blobs.open(key);
      if (!stored) return undefined;
      const close = () => stored.close();
      try {
        const opened = await openSealedFile(stored, key, boxOf);
        return { ...(opened ?? stored), isSealed: opened !== undefined, close };
      } catch (error) {
        await close().catch(() => {});
        throw error;
      }
    },
    seals: (accountId) => sealing(accountId) !== undefined,
    plainPathOf: (key, { isSealed }) => (isSealed ? undefined : blobs.pathOf(key)),
    stat: (key) => blobs.stat(key),
    remove: (key) => blobs.remove(key),
    list: (prefix) => blobs.list(prefix),
    tidy: (minAgeMs) => blobs.tidy(minAgeMs),
    freeBytes: () => blobs.freeBytes(),
  };
}

/** The first bytes, as many as tell a sealed file, and all pieces from the first on. */
async function withHead(pieces: AsyncIterable<Uint8Array>) {
  const iterator = pieces[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let head: Uint8Array = new Uint8Array();
  while (head.length < SEALED_MARK.length) {
    const { value, done } = await iterator.next();
    if (done) break;
    first.push(Uint8Array.from(value));
    head = Buffer.concat(first);
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    try {
      yield* first;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { head, all: all() };
}
