import type { Kysely, Transaction } from 'kysely';
import type { Database } from './schema.ts';
import type { RunJob } from './sqlite-jobs.ts';

/**
 * One transaction. Work registered with `onCommit` runs after the commit, never after a roll-back.
 */
export interface Tx {
  readonly db: Transaction<Database>;
  onCommit(work: () => void): void;
}

/** The database as a function of `store/` takes it: inside a transaction of its caller, or not. */
export type Db = Kysely<Database> | Transaction<Database>;

/**
 * `full`: survives a power cut once it resolved. `normal`: survives a crash of the process (SQLite
 * may lose the last commits at a power cut).
 */
export type Durability = 'full' | 'normal';

/** The database, open. One per process. */
export interface Store {
  /** For reads and single statements. */
  readonly db: Kysely<Database>;
  readonly engine: 'sqlite' | 'postgres';
  /**
   * Runs `work` in one transaction that takes the write lock at once (SQLite: BEGIN IMMEDIATE, one
   * at a time per process; so `work` must use `tx.db` only: a query on `db` or a second transaction
   * inside it would wait for ever). Retried by itself a bounded number of times on serialisation
   * failures and lock time-outs, so `work` must be repeatable. No network call inside.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>, durability?: Durability): Promise<T>;
  /**
   * SQLite only: synchronous work on the bare connection, for the few statements so hot that they
   * are prepared by hand. In the order of the calls; what waits at the same moment shares one
   * transaction at `full` durability, and each promise resolves after its commit. A job that throws
   * takes back its own changes only. It must not begin a transaction itself.
   */
  readonly sqlite: RunJob;
  close(): Promise<void>;
}
