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

/** What every connection to this server has in common. */
export function postgresConnection(url: string): pg.ClientConfig {
  const parsed = new URL(url);
  const schema = parsed.searchParams.get('schema');
  parsed.searchParams.delete('schema');
  return {
    connectionString: parsed.toString(),
    keepAlive: true,
    ...(schema === null ? {} : { options: `-c search_path=${schema}` }),
  };
}

/**
 * A pool on a PostgreSQL server. A `schema` parameter in the URL names the schema to work in.
 * `onConnectionError` hears of connections that broke, idle or at work; the pool replaces them by
 * itself.
 */
export function openPostgres(url: string, onConnectionError: (error: Error) => void): { db: Kysely<Database> } {
  const pool = new pg.Pool({
    ...postgresConnection(url),
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + 5_000,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    application_name: 'ponte',
    types,
  });
  pool.on('error', onConnectionError);
  // The pool listens to idle connections only. One that breaks at work fails the query under way,
  // if there is one; unheard, its error would end the process.
  pool.on('acquire', (client) => client.on('error', onConnectionError));
  pool.on('release', (_error, client) => client.off('error', onConnectionError));
  class Dialect extends PostgresDialect {
    override createDriver(): PostgresDriver {
      return new NulFreeDriver({ pool });
    }
  }
  return { db: new Kysely<Database>({ dialect: new Dialect({ pool }) }) };
}
