import { type Clock, systemClock } from '../../core/clock.ts';
import { createPlaces } from '../../core/places.ts';
import { createBreathingSpace } from './breathing-space.ts';
import { Contents } from './contents.ts';
import { createGroupCommit, type GroupConnection, type Member, runGroup } from './group-commit.ts';
import { type OpenPostgres, openPostgres } from './postgres.ts';
import { type OpenSqlite, openSqlite } from './sqlite.ts';
import { isBusy } from './sqlite-busy.ts';
import type { Durability, RunJob, Store, Tx } from './store.ts';

export interface OpenOptions {
  /**
   * `sqlite:/path/to/file.db`, `sqlite::memory:`, or `postgres://…` (a `schema` parameter names the
   * schema).
   */
  url: string;
  clock: Clock;
  /**
   * Receives the errors that reach no caller: `onCommit` work that threw, a transaction that does
   * not end, idle connections that broke (the pool replaces them). Left out, they become process
   * warnings.
   */
  onError?: (error: Error) => void;
  /** A transaction is committed; from its begin to the end of its commit. */
  onCommitted?: (durability: Durability, durationMs: number) => void;
  /**
   * Of a fleet: the server ends the session of a process that stands still in the middle of a
   * transaction before its lines are to be taken (PostgreSQL).
   */
  isOfFleet?: boolean;
  /**
   * What is committed may be lost with the server's machine, and does not wait for its disk
   * (PostgreSQL): for counts that are over in a minute.
   */
  isLossy?: boolean;
}

/** Well below the time that a lease lasts. */
const FLEET_IDLE_IN_TRANSACTION_MS = 5_000;
/** Tries of one transaction; the waits between them add up to about a second. */
const MAX_TRIES = 6;
const RETRY_BASE_MS = 10;
/**
 * A transaction open for this long waits for something that cannot come, such as a query outside of
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
  const contents = new Contents();
  if (options.url.startsWith('sqlite:')) {
    return { ...sqliteStore(hooks, openSqlite(options.url.slice('sqlite:'.length), contents)), contents };
  }
  const idleInTransactionMs = options.isOfFleet ? FLEET_IDLE_IN_TRANSACTION_MS : undefined;
  const postgres = openPostgres(options.url, onError, contents, { idleInTransactionMs, isLossy: options.isLossy });
  return { ...postgresStore(hooks, postgres), contents };
}

type Hooks = Pick<OpenOptions, 'clock' | 'onCommitted'> & { onError(error: Error): void };

/** One connection: everything that writes queues for it, and shares commits. */
function sqliteStore(hooks: Hooks, { db, raw, alone }: OpenSqlite): Omit<Store, 'contents'> {
  const breathe = createBreathingSpace(systemClock);
  const group = createGroupCommit({
    onCommitted: hooks.onCommitted,
    async alone(work) {
      await breathe();
      await alone(work);
    },
  });
  const sqlite: RunJob = (work, access) => {
    // Nothing waits or is under way: a read needs no turn.
    if (access === 'read' && group.isIdle() && !raw.inTransaction) return asPromise(() => work(raw));
    return new Promise((resolve, reject) => {
      group.add({
        durability: 'full',
        isReadOnly: access === 'read',
        run: async () => work(raw),
        resolve: (value) => resolve(value as Awaited<ReturnType<typeof work>>),
        reject,
      });
    });
  };
  return {
    db,
    engine: 'sqlite',
    transaction: transactions(hooks, (member) => group.add(member)),
    sqlite,
    async close() {
      // The callers that wait learn the outcome from their own promises; here only the end matters.
      await new Promise<void>((resolve) => {
        const over = () => resolve();
        const nothing = { durability: 'normal', isReadOnly: true, run: async () => {} } as const;
        group.add({ ...nothing, resolve: over, reject: over });
      });
      await db.destroy();
      // Kysely closes only what it has used.
      raw.close();
    },
  };
}

/**
 * Many connections. Transactions that name what they belong to share commits with others of the
 * same; they would wait for each other's rows anyway. The others run by themselves.
 */
function postgresStore(hooks: Hooks, { db, alone }: OpenPostgres): Omit<Store, 'contents'> {
  // Transactions that wait for each other's locks must not hold every connection: single statements
  // have some of their own.
  const places = createPlaces(TRANSACTIONS_AT_ONCE);
  const options = {
    onCommitted: hooks.onCommitted,
    alone: (work: (connection: GroupConnection) => Promise<void>) => places.run(() => alone(work)),
  };
  const groups = new Map<string, ReturnType<typeof createGroupCommit>>();
  const add = (member: Member, together: string | undefined) => {
    if (together === undefined) {
      options
        .alone(async (connection) => void (await runGroup(connection, [member], options)))
        .catch((error: unknown) => member.reject(error));
      return;
    }
    for (const [name, group] of groups) if (group.isIdle()) groups.delete(name);
    const group = groups.get(together) ?? createGroupCommit(options);
    groups.set(together, group);
    group.add(member);
  };
  return {
    db,
    engine: 'postgres',
    transaction: transactions(hooks, add),
    sqlite: () => Promise.reject(new Error('this is not a SQLite store')),
    close: () => db.destroy(),
  };
}

/** Transactions as members of groups, tried again when the database says so. */
function transactions(
  { clock, onError }: Hooks,
  add: (member: Member, together: string | undefined) => void,
): Store['transaction'] {
  const once = <T>(
    work: (tx: Tx) => Promise<T>,
    durability: Durability,
    { together, patienceMs }: { together: string | undefined; patienceMs: number | undefined },
  ): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      let afterCommit: (() => void)[] = [];
      const run = async (connection: GroupConnection) => {
        afterCommit = [];
        const { tx, end } = connection.transaction((then) => void afterCommit.push(then));
        const attempt: Tx['attempt'] = (step) => attemptOn(connection, step);
        const calm = clock.after(STUCK_MS, () =>
          onError(
            new Error(`a transaction has been open for ${STUCK_MS / 1_000} seconds; does it query outside of itself?`),
          ),
        );
        try {
          return await work({ ...tx, attempt });
        } finally {
          calm();
          end();
        }
      };
      const settle = (value: unknown) => {
        runAll(afterCommit, onError);
        resolve(value as T);
      };
      const patience = patienceMs === undefined ? {} : { patienceMs };
      add({ ...{ durability, run, resolve: settle, reject }, isReadOnly: false, ...patience }, together);
    });
  return async (work, durability = 'full', together, patienceMs) => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await once(work, durability, { together, patienceMs });
      } catch (error) {
        if (tries >= MAX_TRIES || !isRetryable(error)) throw error;
        await clock.sleep(RETRY_BASE_MS * 2 ** tries * (0.5 + clock.random()));
      }
    }
  };
}

async function attemptOn(connection: GroupConnection, step: () => Promise<void>): ReturnType<Tx['attempt']> {
  await connection.savepoint();
  try {
    await step();
  } catch (error) {
    if (!connection.isOpen()) throw error;
    await connection.rollbackToSavepoint();
    return { error };
  }
  await connection.release();
  return undefined;
}

/** What a synchronous piece of work answers or throws, as a promise. */
async function asPromise<T>(work: () => T): Promise<T> {
  return work();
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
