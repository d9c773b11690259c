import { type Clock, systemClock } from '../../core/clock.ts';
import { EndedGuard } from '../sends/ended-guard.ts';
import { createBreathingSpace } from './breathing-space.ts';
import { createPlaces } from './places.ts';
import { openPostgres } from './postgres.ts';
import type { RawSqlite } from './raw-sqlite.ts';
import { openSqlite } from './sqlite.ts';
import { isBusy } from './sqlite-busy.ts';
import { createJobQueue, type RunJob } from './sqlite-jobs.ts';
import type { Durability, Store, Tx } from './store.ts';

export interface OpenOptions {
  /**
   * `sqlite:/path/to/file.db`, `sqlite::memory:`, or `postgres://…` (a `schema` parameter names the
   * schema).
   */
  url: string;
  clock: Clock;
  /**
   * Hears of errors that are nobody's answer: `onCommit` work that threw, a transaction that does
   * not end, idle connections that broke (the pool replaces them). Left out, they become process
   * warnings.
   */
  onError?: (error: Error) => void;
  /** A transaction is committed; from its begin to the end of its commit. */
  onCommitted?: (durability: Durability, durationMs: number) => void;
}

/** Tries of one transaction; the waits between them add up to about a second. */
const MAX_TRIES = 6;
const RETRY_BASE_MS = 10;
/**
 * A transaction open for so long waits for something that cannot come, such as a query outside of
 * it.
 */
const STUCK_MS = 30_000;
const RETRYABLE = new Set(['40001', '40P01']);

const isRetryable = (error: unknown): boolean =>
  isBusy(error) || (error instanceof Error && 'code' in error && RETRYABLE.has(String(error.code)));

/** On PostgreSQL, of the pool's ten connections. */
const TRANSACTIONS_AT_ONCE = 6;

/**
 * Opens the database. Does not migrate. Throws when a SQLite file cannot be opened; a PostgreSQL
 * server is first asked by the first query.
 */
export async function openStore(options: OpenOptions): Promise<Store> {
  const onError = options.onError ?? ((error: Error) => process.emitWarning(error));
  const hooks: Hooks = { ...options, onError };
  if (options.url.startsWith('sqlite:')) {
    const sqlite = openSqlite(options.url.slice('sqlite:'.length));
    return createStore(hooks, {
      engine: 'sqlite',
      db: sqlite.db,
      raw: sqlite.raw,
      prepare: sqlite.setNextDurability,
    });
  }
  const { db } = openPostgres(options.url, onError);
  return createStore(hooks, { engine: 'postgres', db, raw: undefined, prepare: () => {} });
}

type Hooks = Pick<OpenOptions, 'clock' | 'onCommitted'> & { onError(error: Error): void };

interface Parts extends Pick<Store, 'db' | 'engine'> {
  raw: RawSqlite | undefined;
  /**
   * Durability of the transaction that begins next. PostgreSQL always commits with its own
   * `synchronous_commit`.
   */
  prepare(durability: Durability): void;
}

function createStore({ clock, onError, onCommitted }: Hooks, parts: Parts): Store {
  // SQLite has one connection: transactions queue here, so that each sets its own durability.
  let tail: Promise<unknown> = Promise.resolve();
  const breathe = createBreathingSpace(systemClock);
  // Transactions that wait for each other's locks must not hold every connection: single statements
  // have some of their own.
  const places = createPlaces(TRANSACTIONS_AT_ONCE);
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    if (parts.engine !== 'sqlite') return places(work);
    const begin = async () => {
      await breathe();
      return work();
    };
    const turn = tail.then(begin, begin);
    tail = turn.catch(() => {});
    return turn;
  };

  async function once<T>(work: (tx: Tx) => Promise<T>, durability: Durability): Promise<T> {
    const afterCommit: (() => void)[] = [];
    const guard = new EndedGuard();
    parts.prepare(durability);
    const from = systemClock.monotonic();
    const calm = clock.after(STUCK_MS, () =>
      onError(
        new Error(`a transaction has been open for ${STUCK_MS / 1_000} seconds; does it query outside of itself?`),
      ),
    );
    try {
      const result = await parts.db.transaction().execute(async (trx) => {
        const tx: Tx = { db: trx.withPlugin(guard), onCommit: (then) => void afterCommit.push(then) };
        const value = await work(tx);
        guard.end();
        return value;
      });
      onCommitted?.(durability, systemClock.monotonic() - from);
      runAll(afterCommit, onError);
      return result;
    } finally {
      calm();
      guard.end();
    }
  }

  const sqlite = sqliteJobs(parts, breathe);
  return {
    db: parts.db,
    engine: parts.engine,
    async transaction(work, durability = 'full') {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await inTurn(() => once(work, durability));
        } catch (error) {
          if (attempt >= MAX_TRIES || !isRetryable(error)) throw error;
          await clock.sleep(RETRY_BASE_MS * 2 ** attempt * (0.5 + clock.random()));
        }
      }
    },
    sqlite,
    async close() {
      // Whoever waits has been or will be told by its own promise; here only the end matters.
      await tail.catch(() => {});
      if (parts.raw) await sqlite(() => {}, 'read').catch(() => {});
      await parts.db.destroy();
      // Kysely closes only what it has used.
      parts.raw?.close();
    },
  };
}

/** The commit stands whatever its followers do, so their errors are not the transaction's. */
function runAll(followers: (() => void)[], onError: (error: Error) => void): void {
  for (const follow of followers) {
    try {
      follow();
    } catch (error) {
      onError(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/** Through the query builder's own connection lock: never inside somebody else's transaction. */
function sqliteJobs({ db, raw }: Parts, breathe: () => Promise<void> | undefined): RunJob {
  if (!raw) return () => Promise.reject(new Error('this is not a SQLite store'));
  return createJobQueue(raw, async (work) => {
    await breathe();
    await db.connection().execute(work);
  });
}
