import type { Kysely, Transaction } from 'kysely';
import type { Contents } from './contents.ts';
import type { RawSqlite } from './raw-sqlite.ts';
import type { Database } from './schema.ts';

/**
 * One transaction. Work registered with `onCommit` runs after the commit, never after a roll-back.
 */
export interface Tx {
  readonly db: Transaction<Database>;
  onCommit(work: () => void): void;
  /**
   * Work that may fail by itself: when it throws, what it wrote is taken back, the transaction goes
   * on, and the error is the answer. Throws only when the database ended the transaction. One at a
   * time.
   */
  attempt(work: () => Promise<void>): Promise<{ error: unknown } | undefined>;
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
   * Runs `work` in one transaction that takes the write lock at once; so `work` must use `tx.db`
   * only: a query on `db` or a second transaction inside it would wait for ever. Retried by itself
   * a bounded number of times on serialisation failures and lock time-outs, and run again when
   * another member of its group took the transaction down, so `work` must be repeatable. No network
   * call inside.
   *
   * Commits are grouped (group-commit.ts): what waits at the same moment shares one transaction, in
   * the order of the calls, each behind a savepoint of its own, and one commit, after which the
   * promises resolve. On SQLite all transactions and jobs of the process share. On PostgreSQL only
   * those that name the same `together` do (and follow each other in the order of the calls): name
   * the line in a worker, the account where an account's rows are counted; every lock that such a
   * transaction takes must then be of that line or account, or be taken last. Left out, it has a
   * transaction to itself, beside others.
   *
   * `patienceMs`: rather than commit by itself it waits so long for a commit of others to share.
   */
  transaction<T>(
    work: (tx: Tx) => Promise<T>,
    durability?: Durability,
    together?: string,
    patienceMs?: number,
  ): Promise<T>;
  /**
   * SQLite only: synchronous work on the bare connection, for the few statements so hot that they
   * are prepared by hand. In the order of the calls, in the same groups as transactions, at `full`
   * durability; each promise resolves after its commit. A job that throws takes back its own
   * changes only. It must not begin a transaction itself.
   */
  readonly sqlite: RunJob;
  /** What is sealed on its way in and opened on its way out. */
  readonly contents: Contents;
  close(): Promise<void>;
}

/** Runs synchronous work on the bare connection of SQLite, in the order of the calls. */
export type RunJob = <T>(work: (raw: RawSqlite) => T, access: 'read' | 'write') => Promise<T>;
