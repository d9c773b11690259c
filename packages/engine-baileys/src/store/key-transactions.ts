import { AsyncLocalStorage } from 'node:async_hooks';
import { isLid, isPn, type SealedEnvelope } from '@ponte/engine';
import type { SignalDataTypeMap, SignalKeyStoreWithTransaction } from '../baileys.ts';
import { permissionFor } from '../outbound/leaving.ts';
import type { Writes } from './key-vault.ts';
import type { StoreGuard } from './store-guard.ts';

interface Transaction {
  owner: KeyTransactions;
  /** Read and written values by kind; null = deleted here. */
  seen: Map<string, Map<string, unknown>>;
  writes: Record<string, Record<string, unknown>>;
  sealed: SealedEnvelope | undefined;
  isOver: boolean;
}

const current = new AsyncLocalStorage<Transaction>();

/**
 * Transactions of the Signal code: one lock per user, one commit at the end that also carries the
 * sealed envelope. Separate from Baileys' own transactions on purpose: an outgoing ratchet step is
 * durable before its stanza leaves, not after.
 *
 * A transaction inside another joins it. When the work rejects, nothing is written.
 */
export class KeyTransactions implements SignalKeyStoreWithTransaction {
  readonly #guard: StoreGuard;
  readonly #lockOf: (key: string) => Promise<string>;
  readonly #tails = new Map<string, Promise<void>>();

  /**
   * `lidOf` gives the LID of a number when it is known: both addresses of a person share one lock.
   */
  constructor(guard: StoreGuard, lidOf: (pn: string) => Promise<string | undefined>) {
    this.#guard = guard;
    this.#lockOf = async (key) => {
      if (isLid(key)) return userKey(key);
      return isPn(key) ? userKey((await lidOf(key)) ?? key) : key;
    };
  }

  isInTransaction = (): boolean => this.#current() !== undefined;

  get = async <T extends keyof SignalDataTypeMap>(
    kind: T,
    ids: string[],
  ): Promise<{ [id: string]: SignalDataTypeMap[T] }> => {
    const transaction = this.#current();
    if (!transaction) return this.#guard.get(kind, ids);
    const seen = mapOf(transaction, kind);
    const missing = ids.filter((id) => !seen.has(id));
    if (missing.length > 0) {
      const found = await this.#guard.get(kind, missing);
      for (const id of missing) if (!seen.has(id)) seen.set(id, found[id] ?? null);
    }
    const values = ids.flatMap((id) => {
      const value = seen.get(id);
      return value === null || value === undefined ? [] : [[id, value]];
    });
    return Object.fromEntries(values);
  };

  set = async (writes: Writes): Promise<void> => {
    const transaction = this.#current();
    if (!transaction) return this.#guard.commit(writes);
    for (const [kind, values] of Object.entries(writes)) {
      const seen = mapOf(transaction, kind);
      for (const [id, value] of Object.entries(values ?? {})) seen.set(id, value);
      transaction.writes[kind] = { ...transaction.writes[kind], ...values };
    }
  };

  /** Puts the envelope into the commit of the running transaction. */
  seal(envelope: SealedEnvelope): void {
    const transaction = this.#current();
    if (!transaction) throw new Error('an envelope is sealed inside a transaction only');
    transaction.sealed = envelope;
  }

  transaction = async <T>(work: () => Promise<T>, key: string): Promise<T> => {
    if (this.#current()) return work();
    const lock = await this.#lockOf(key);
    const result = await this.#exclusive(lock, async () => {
      const transaction: Transaction = { owner: this, seen: new Map(), writes: {}, sealed: undefined, isOver: false };
      try {
        const result = await current.run(transaction, work);
        transaction.isOver = true;
        await this.#guard.commit(transaction.writes, transaction.sealed);
        return result;
      } finally {
        transaction.isOver = true;
      }
    });
    // After the lock is released: waiting for the permission blocks no ratchet.
    await permissionFor(key);
    return result;
  };

  #current(): Transaction | undefined {
    const transaction = current.getStore();
    return transaction?.owner === this && !transaction.isOver ? transaction : undefined;
  }

  async #exclusive<T>(lock: string, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(lock);
    const { promise: tail, resolve: release } = Promise.withResolvers<void>();
    this.#tails.set(lock, tail);
    await before;
    try {
      return await work();
    } finally {
      release();
      if (this.#tails.get(lock) === tail) this.#tails.delete(lock);
    }
  }
}

const userKey = (jid: string): string => jid.replace(/[:_].*@/, '@');

function mapOf(transaction: Transaction, kind: string): Map<string, unknown> {
  const known = transaction.seen.get(kind);
  if (known) return known;
  const created = new Map<string, unknown>();
  transaction.seen.set(kind, created);
  return created;
}
