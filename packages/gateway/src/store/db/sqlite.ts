import Sqlite from 'better-sqlite3';
import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  type SqliteDatabase,
  SqliteDialect,
  SqliteDriver,
  type SqliteStatement,
} from 'kysely';
import type { RawSqlite } from './raw-sqlite.ts';
import type { Database } from './schema.ts';
import { BUSY_TIMEOUT_MS, isBusy, whenFree } from './sqlite-busy.ts';
import type { Durability } from './store.ts';

/** Prepared statements kept for the query builder. */
const MAX_STATEMENTS = 300;

/**
 * Begins every transaction with the write lock, so that none fails half-way because another process
 * wrote meanwhile; and waits for that lock without holding up the event loop.
 */
class ImmediateDriver extends SqliteDriver {
  /** Durability of the next transaction; the caller holds the transaction mutex. */
  next: Durability = 'full';
  #current: Durability = 'full';
  #waits: DatabaseConnection | undefined;
  readonly #raw: RawSqlite;

  constructor(database: SqliteDatabase, raw: RawSqlite) {
    super({ database });
    this.#raw = raw;
  }

  /** There is one connection; it learns to wait when it is first asked for. */
  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection();
    if (this.#waits !== connection) {
      this.#waits = connection;
      const execute = connection.executeQuery.bind(connection);
      connection.executeQuery = <R>(query: CompiledQuery) => {
        try {
          // Answers at once, or throws: no promise more for the many that find it free.
          return execute<R>(query);
        } catch (error) {
          // Inside a transaction the write lock is held already: waiting would help nobody.
          if (!isBusy(error) || this.#raw.inTransaction) return Promise.reject(error);
          return whenFree(() => execute<R>(query));
        }
      };
    }
    return connection;
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    this.#synchronous(this.next);
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await super.commitTransaction(connection);
    this.#synchronous('full');
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    // A full disk and its like end the transaction by themselves; a second end would only hide why.
    if (this.#raw.inTransaction) await super.rollbackTransaction(connection);
    this.#synchronous('full');
  }

  /**
   * The pragma counts from the next transaction on, so it is set outside of one. Single statements
   * always run at `full`.
   */
  #synchronous(durability: Durability): void {
    if (durability === this.#current) return;
    // Not through the query builder: a statement that it does not know empties the statement cache.
    this.#raw.exec(`pragma synchronous = ${durability}`);
    this.#current = durability;
  }
}

/** `prepare` that remembers: the query builder writes the same texts again and again. */
function preparing(raw: RawSqlite): (text: string) => SqliteStatement {
  const statements = new Map<string, Sqlite.Statement>();
  return (text) => {
    if (!/^\s*(?:select|insert|update|delete|with|begin|commit|rollback)\b/i.test(text)) {
      // The schema may change under the remembered ones.
      statements.clear();
      return raw.prepare(text);
    }
    const known = statements.get(text);
    // Busy: somebody still walks through its rows.
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
  setNextDurability(durability: Durability): void;
}

/** Opens (and creates) the file in WAL mode. `:memory:` for tests. */
export function openSqlite(file: string): OpenSqlite {
  const raw = new Sqlite(file, { timeout: BUSY_TIMEOUT_MS });
  raw.pragma('journal_mode = WAL');
  raw.pragma('synchronous = FULL');
  raw.pragma('foreign_keys = ON');
  raw.pragma('temp_store = MEMORY');
  raw.pragma('cache_size = -16000');
  raw.pragma('wal_autocheckpoint = 2000');
  // From here on SQLite never sleeps: whoever finds it busy looks again (sqlite-busy.ts).
  raw.pragma('busy_timeout = 0');
  const database = { prepare: preparing(raw), close: () => void raw.close() };
  const driver = new ImmediateDriver(database, raw);
  class Dialect extends SqliteDialect {
    override createDriver(): ImmediateDriver {
      return driver;
    }
  }
  return {
    db: new Kysely<Database>({ dialect: new Dialect({ database }) }),
    raw,
    setNextDurability(durability) {
      driver.next = durability;
    },
  };
}
