import Sqlite from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  type QueryResult,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
} from 'kysely';
import type { Contents } from './contents.ts';
import type { GroupConnection } from './group-commit.ts';
import type { RawSqlite } from './raw-sqlite.ts';
import type { Database } from './schema.ts';
import { BUSY_TIMEOUT_MS, isBusy, whenFree } from './sqlite-busy.ts';
import type { Durability } from './store.ts';
import { transactionsOn } from './transactions-on.ts';

/** Prepared statements kept for the query builder. */
const MAX_STATEMENTS = 300;

/**
 * Waits for another process's write lock without holding up the event loop, and keeps single
 * statements at `full` durability.
 */
class WaitingDriver extends SqliteDriver {
  #durability: Durability = 'full';
  #waits: DatabaseConnection | undefined;
  readonly #raw: RawSqlite;
  readonly #contents: Contents;

  constructor(database: SqliteDatabase, raw: RawSqlite, contents: Contents) {
    super({ database });
    this.#raw = raw;
    this.#contents = contents;
  }

  /** There is one connection; it learns to wait when it is first asked for. */
  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection();
    if (this.#waits !== connection) {
      this.#waits = connection;
      const execute = connection.executeQuery.bind(connection);
      const run = <R>(query: CompiledQuery): Promise<QueryResult<R>> => {
        // Inside a transaction the write lock is held already: there is nothing to wait for.
        if (this.#raw.inTransaction) return execute<R>(query);
        if (this.#durability !== 'full' && !READS.test(query.sql)) this.setDurability('full');
        try {
          // Answers at once, or throws: no promise more for the many that find it free.
          return execute<R>(query);
        } catch (error) {
          return isBusy(error) ? whenFree(() => execute<R>(query)) : Promise.reject(error);
        }
      };
      connection.executeQuery = <R>(query: CompiledQuery) => this.#withContents<R>(query, run);
    }
    return connection;
  }

  /** Seals parameters and opens results; when there is nothing to do it costs no promise. */
  #withContents<R>(query: CompiledQuery, run: Run): Promise<QueryResult<R>> {
    const ask = async (text: string, id: string) =>
      (await run<{ account_id: string }>(CompiledQuery.raw(text, [id]))).rows[0];
    const parameters = this.#contents.resolved(query.parameters, ask);
    const answer =
      parameters instanceof Promise
        ? parameters.then((sealed) => run<R>({ ...query, parameters: sealed }))
        : run<R>(parameters === query.parameters ? query : { ...query, parameters });
    if (!this.#contents.isActive) return answer;
    return answer.then((result) => {
      this.#contents.open(result.rows);
      return result;
    });
  }

  override beginTransaction(): Promise<void> {
    return Promise.reject(new Error('transactions begin in group-commit.ts: use Store.transaction'));
  }

  /** Of what is committed next; outside of a transaction. */
  setDurability(durability: Durability): void {
    if (durability === this.#durability) return;
    // Not through the query builder: a statement that it does not know empties the statement cache.
    this.#raw.exec(`pragma synchronous = ${durability}`);
    this.#durability = durability;
  }
}

type Run = <R>(query: CompiledQuery) => Promise<QueryResult<R>>;

const READS = /^\s*select\b/i;

/** How groups use the one connection of SQLite. */
function groupConnection(raw: RawSqlite, driver: WaitingDriver, transaction: GroupConnection['transaction']) {
  const made = (text: string) => {
    const statement = raw.prepare(text);
    return async () => void statement.run();
  };
  const begin = raw.prepare('begin immediate');
  const connection: GroupConnection = {
    begin(durability) {
      driver.setDurability(durability);
      return whenFree(() => void begin.run());
    },
    commit: made('commit'),
    rollback: made('rollback'),
    savepoint: made('savepoint member'),
    release: made('release member'),
    async rollbackToSavepoint() {
      raw.exec('rollback to member; release member');
    },
    isOpen: () => raw.inTransaction,
    transaction,
  };
  return connection;
}

/** `prepare` that remembers: the query builder writes the same texts again and again. */
function preparing(raw: RawSqlite): (text: string) => SqliteStatement {
  const statements = new Map<string, Sqlite.Statement>();
  return (text) => {
    if (!/^\s*(?:select|insert|update|delete|with)\b/i.test(text)) {
      // The schema may change under the remembered ones.
      statements.clear();
      return raw.prepare(text);
    }
    const known = statements.get(text);
    // Busy: a caller is still iterating over its rows.
    if (known?.busy) return raw.prepare(text);
    statements.delete(text);
    const statement = known ?? raw.prepare(text);
    if (statements.size >= MAX_STATEMENTS) {
      const oldest = statements.keys().next().value;
      if (oldest !== undefined) statements.delete(oldest);
    }
    statements.set(text, statement);
    return statement;
  };
}

export interface OpenSqlite {
  db: Kysely<Database>;
  raw: RawSqlite;
  /** Gives the connection to one holder at a time. */
  alone(work: (connection: GroupConnection) => Promise<void>): Promise<void>;
}

/** Opens (and creates) the file in WAL mode. `:memory:` for tests. */
export function openSqlite(file: string, contents: Contents): OpenSqlite {
  const raw = new Sqlite(file, { timeout: BUSY_TIMEOUT_MS });
  raw.pragma('journal_mode = WAL');
  raw.pragma('synchronous = FULL');
  raw.pragma('foreign_keys = ON');
  raw.pragma('temp_store = MEMORY');
  raw.pragma('cache_size = -16000');
  raw.pragma('wal_autocheckpoint = 2000');
  // From here on SQLite never sleeps: a caller that finds it busy retries (sqlite-busy.ts).
  raw.pragma('busy_timeout = 0');
  const database = { prepare: preparing(raw), close: () => void raw.close() };
  const driver = new WaitingDriver(database, raw, contents);
  class Dialect extends SqliteDialect {
    override createDriver(): WaitingDriver {
      return driver;
    }
  }
  const dialect = new Dialect({ database });
  const db = new Kysely<Database>({ dialect });
  let ours: GroupConnection | undefined;
  return {
    db,
    raw,
    alone: (work) =>
      db.connection().execute((holder) =>
        holder.getExecutor().provideConnection((connection) => {
          ours ??= groupConnection(raw, driver, transactionsOn(connection, { dialect, driver }));
          return work(ours);
        }),
      ),
  };
}
