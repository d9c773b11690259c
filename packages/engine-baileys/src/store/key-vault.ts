import { createHash } from 'node:crypto';
import { EngineError, type EngineStore, type KeyChange, type SealedEnvelope } from '@ponte/engine';
import type { AuthenticationCreds } from '../baileys.ts';
import { pruneKeys } from '../hardening/prune-keys.ts';
import { describeError } from '../library-log.ts';
import { CREDS_ID, CREDS_KIND, encodeCreds } from './credentials.ts';
import { decodeKey, encodeKey } from './key-codec.ts';
import { ownBytes } from './own-bytes.ts';

/** Values by kind and id, null for a deletion: what `SignalKeyStore.set` takes. */
export type Writes = { readonly [kind: string]: { readonly [id: string]: unknown } | undefined };

const CACHED_ENTRIES_MAX = 512;
const CACHED_BYTES_MAX = 512 * 1024;
const CACHED_VALUE_BYTES_MAX = 32 * 1024;
/**
 * Written in bulk and read once each, or large: caching them would push out what is used per
 * message.
 */
const NEVER_CACHED = new Set(['pre-key', 'app-state-sync-version']);

const asStoreFailure = (cause: unknown): unknown =>
  cause instanceof EngineError
    ? cause
    : new EngineError('store_failed', `the store failed: ${describeError(cause)}`, { cause });

/**
 * One line's Signal state over its EngineStore: serialised, pruned on write, with a small cache of
 * the bytes. There is one vault per line, so the cache never lags behind the store. Rejections of
 * the store come through as `store_failed`, so that none is taken for WhatsApp's; nothing is
 * retried.
 */
export class KeyVault {
  readonly #store: EngineStore;
  readonly #cache = new Map<string, Uint8Array | null>();
  #cachedBytes = 0;
  /** Counts commits begun and ended: a read that overlapped one is not cached. */
  #generation = 0;
  /** Hash of the credentials as they were saved last. */
  #savedCreds: string | undefined;
  #credsWritten: Promise<void> = Promise.resolve();
  readonly #inFlight = new Set<Promise<unknown>>();

  constructor(store: EngineStore) {
    this.#store = store;
  }

  async get(kind: string, ids: readonly string[]): Promise<{ [id: string]: unknown }> {
    const values: { [id: string]: unknown } = {};
    const missing: string[] = [];
    for (const id of ids) {
      const cached = this.#touch(cacheKey(kind, id));
      if (cached === undefined) missing.push(id);
      else if (cached !== null) values[id] = decodeKey(kind, cached);
    }
    if (missing.length === 0) return values;
    const generation = this.#generation;
    const found = await this.#track(this.#store.get(kind, missing));
    for (const id of missing) {
      const bytes = found.get(id);
      if (generation === this.#generation) this.#remember(kind, id, bytes ?? null);
      if (bytes) values[id] = decodeKey(kind, bytes);
    }
    return values;
  }

  /**
   * Writes everything in one transaction. Resolves when it, and every credential saved before, is
   * durable.
   */
  async commit(writes: Writes, sealed?: SealedEnvelope): Promise<void> {
    const changes = toChanges(writes);
    if (changes.length === 0 && sealed === undefined) return;
    this.#generation++;
    try {
      await this.#track(Promise.all([this.#store.commit(changes, sealed), this.#credsWritten]));
      for (const { kind, id, value } of changes) this.#remember(kind, id, value);
    } finally {
      this.#generation++;
    }
  }

  /**
   * Saves the credentials as they are at this moment, whole. Later commits become durable after
   * them.
   */
  saveCreds(creds: AuthenticationCreds): Promise<void> {
    const value = encodeCreds(creds);
    const hash = createHash('sha256').update(value).digest('base64');
    if (hash === this.#savedCreds) return this.#credsWritten;
    this.#savedCreds = hash;
    this.#credsWritten = this.#track(this.#store.commit([{ kind: CREDS_KIND, id: CREDS_ID, value }]));
    return this.#credsWritten;
  }

  async findSealed(hash: string): Promise<{ plaintext: Uint8Array } | undefined> {
    return this.#track(this.#store.findSealed(hash));
  }

  async appendStanza(entry: Parameters<EngineStore['appendStanza']>[0]): Promise<void> {
    return this.#track(this.#store.appendStanza(entry));
  }

  /** Ids of everything stored under a small kind. */
  async ids(kind: string): Promise<string[]> {
    return [...(await this.#track(this.#store.list(kind))).keys()];
  }

  async clear(): Promise<void> {
    await this.settled();
    this.forget();
    await this.#store.clear();
  }

  /**
   * Drops everything remembered, as at the end of a connection: an idle line costs no memory, a
   * failed write leaves no trace.
   */
  forget(): void {
    this.#generation++;
    this.#savedCreds = undefined;
    this.#credsWritten = Promise.resolve();
    this.#cache.clear();
    this.#cachedBytes = 0;
  }

  /** Resolves when nothing is being read or written any more, whatever the outcome. */
  async settled(): Promise<void> {
    while (this.#inFlight.size > 0) await Promise.allSettled([...this.#inFlight]);
  }

  #track<T>(work: Promise<T>): Promise<T> {
    this.#inFlight.add(work);
    const done = () => this.#inFlight.delete(work);
    // The rejection itself goes to the caller; here it only ends the wait.
    work.then(done, done);
    return work.catch((cause: unknown) => {
      throw asStoreFailure(cause);
    });
  }

  #touch(key: string): Uint8Array | null | undefined {
    const cached = this.#cache.get(key);
    if (cached === undefined) return undefined;
    this.#cache.delete(key);
    this.#cache.set(key, cached);
    return cached;
  }

  #remember(kind: string, id: string, bytes: Uint8Array | null): void {
    const key = cacheKey(kind, id);
    this.#cachedBytes -= this.#cache.get(key)?.length ?? 0;
    this.#cache.delete(key);
    if (NEVER_CACHED.has(kind) || (bytes?.length ?? 0) > CACHED_VALUE_BYTES_MAX) return;
    this.#cache.set(key, bytes && ownBytes(bytes));
    this.#cachedBytes += bytes?.length ?? 0;
    for (const [oldest, value] of this.#cache) {
      if (this.#cache.size <= CACHED_ENTRIES_MAX && this.#cachedBytes <= CACHED_BYTES_MAX) break;
      this.#cache.delete(oldest);
      this.#cachedBytes -= value?.length ?? 0;
    }
  }
}

const cacheKey = (kind: string, id: string): string => `${kind}\0${id}`;

function toChanges(writes: Writes): KeyChange[] {
  return Object.entries(pruneKeys(writes)).flatMap(([kind, values]) =>
    Object.entries(values ?? {}).map(([id, value]) => ({
      kind,
      id,
      value: value === null || value === undefined ? null : encodeKey(kind, value),
    })),
  );
}
