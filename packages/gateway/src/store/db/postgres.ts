import { type CompiledQuery, type DatabaseConnection, Kysely, PostgresDialect, PostgresDriver } from 'kysely';
import pg from 'pg';
import type { Database } from './schema.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
const IDLE_IN_TRANSACTION_MS = 60_000;
const POOL_SIZE = 10;
const BIGINT_OID = 20;

/** Numbers in the database stay below 2^53: milliseconds, sequence numbers, counts. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === BIGINT_OID && format !== 'binary'
      ? Number
      : pg.types.getTypeParser(oid, format as 'text')) as pg.CustomTypesConfig['getTypeParser'],
};

/**
 * PostgreSQL's text cannot hold U+0000, SQLite's can; a stranger's message may have one and must
 * not be stuck for it.
 */
const withoutNul = (value: unknown): unknown =>
  typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\ufffd') : value;

class NulFreeDriver extends PostgresDriver {
  readonly #seen = new WeakSet<DatabaseConnection>();

  override async acquireConnection(): Promise<DatabaseConnection> {
    const connection = await super.acquireConnection();
    if (!this.#seen.has(connection)) {
      this.#seen.add(connection);
      const execute = connection.executeQuery.bind(connection);
      connection.executeQuery = <R>(query: CompiledQuery) =>
        execute<R>({ ...query, parameters: query.parameters.map(withoutNul) });
    }
    return connection;
  }
}

/**
 * A pool on a PostgreSQL server. A `schema` parameter in the URL names the schema to work in.
 * `onIdleError` hears of connections that broke while idle; the pool replaces them by itself.
 */
export function openPostgres(url: string, onIdleError: (error: Error) => void): { db: Kysely<Database> } {
  const parsed = new URL(url);
  const schema = parsed.searchParams.get('schema');
  parsed.searchParams.delete('schema');
  if (schema !== null && !/^[a-z_][a-z0-9_]{0,62}$/.test(schema)) {
    throw new Error(`the schema "${schema}" in DATABASE_URL is not a plain lower-case name`);
  }
  const pool = new pg.Pool({
    connectionString: parsed.toString(),
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + 5_000,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
    application_name: 'ponte',
    types,
    ...(schema === null ? {} : { options: `-c search_path=${schema}` }),
  });
  pool.on('error', onIdleError);
  class Dialect extends PostgresDialect {
    override createDriver(): PostgresDriver {
      return new NulFreeDriver({ pool });
    }
  }
  return { db: new Kysely<Database>({ dialect: new Dialect({ pool }) }) };
}
