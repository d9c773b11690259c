import {
  CompiledQuery,
  type DatabaseConnection,
  Kysely,
  type PostgresCursor,
  PostgresDialect,
  PostgresDriver,
  type PostgresPool,
  type PostgresQueryResult,
} from 'kysely';
import pg from 'pg';
import type { Contents } from './contents.ts';
import type { GroupConnection } from './group-commit.ts';
import { preparedName } from './hot.ts';
import { asStoreFailure } from './postgres-failures.ts';
import type { Database } from './schema.ts';
import { transactionsOn } from './transactions-on.ts';

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

/** What the query builder uses of a connection of the pool. */
type BuildersClient = Awaited<ReturnType<PostgresPool['connect']>>;

/**
 * A connection as the query builder uses it: texts without NUL, and hand-written statements
 * prepared once (hot.ts).
 */
function builders(client: pg.PoolClient, contents: Contents): BuildersClient {
  const send = <R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>> => {
    const clean = values.map(withoutNul);
    const name = preparedName(text);
    const query = name === undefined ? { text, values: clean } : { name, text, values: clean };
    const answer = client.query(query) as unknown as Promise<PostgresQueryResult<R>>;
    return answer.catch((error: unknown) => {
      throw asStoreFailure(error);
    });
  };
  const ask = async (text: string, id: string) =>
    (await send<{ account_id: string }>(text.replace('?', '$1'), [id])).rows[0];
  function query<R>(text: string, values: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  function query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  function query(text: unknown, values: readonly unknown[] = []): unknown {
    if (typeof text !== 'string') throw new Error('rows are not streamed through cursors');
    const resolved = contents.resolved(values, ask);
    const answer = resolved instanceof Promise ? resolved.then((sealed) => send(text, sealed)) : send(text, resolved);
    if (!contents.isActive) return answer;
    return answer.then((result) => {
      contents.open(result.rows);
      return result;
    });
  }
  return { query, release: () => client.release() };
}

/** The pool as the query builder uses it. */
function buildersPool(pool: pg.Pool, contents: Contents): PostgresPool {
  const known = new WeakMap<pg.PoolClient, BuildersClient>();
  return {
    async connect() {
      const client = await pool.connect().catch((error: unknown) => {
        throw asStoreFailure(error);
      });
      const made = known.get(client) ?? builders(client, contents);
      known.set(client, made);
      return made;
    },
    end: () => pool.end(),
  };
}

/** How a group uses a connection of the pool. */
function groupConnection(connection: DatabaseConnection, transaction: GroupConnection['transaction']): GroupConnection {
  let isOpen = false;
  const run = async (text: string) => void (await connection.executeQuery(CompiledQuery.raw(text)));
  const end = async (text: string) => {
    isOpen = false;
    await run(text);
  };
  return {
    // Always commits with the server's own `synchronous_commit`.
    async begin() {
      await run('begin');
      isOpen = true;
    },
    commit: () => end('commit'),
    rollback: () => end('rollback'),
    savepoint: () => run('savepoint member'),
    release: () => run('release member'),
    async rollbackToSavepoint() {
      await run('rollback to member');
      await run('release member');
    },
    isOpen: () => isOpen,
    transaction,
  };
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

export interface OpenPostgres {
  db: Kysely<Database>;
  /** Gives a connection of the pool to its holder alone. */
  alone(work: (connection: GroupConnection) => Promise<void>): Promise<void>;
}

/**
 * A pool on a PostgreSQL server. A `schema` parameter in the URL names the schema to work in.
 * `onConnectionError` is called for connections that broke, idle or at work; the pool replaces them
 * by itself. The server ends a session that holds a transaction open and says nothing for
 * `idleInTransactionMs`. `isLossy`: commits do not wait for the server's disk.
 */
export function openPostgres(
  url: string,
  onConnectionError: (error: Error) => void,
  contents: Contents,
  { idleInTransactionMs = IDLE_IN_TRANSACTION_MS, isLossy = false } = {},
): OpenPostgres {
  const common = postgresConnection(url);
  const lossy = isLossy ? { options: `${common.options ?? ''} -c synchronous_commit=off`.trim() } : {};
  const pool = new pg.Pool({
    ...common,
    ...lossy,
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: STATEMENT_TIMEOUT_MS + 5_000,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    application_name: 'ponte',
    types,
  });
  pool.on('error', onConnectionError);
  // The pool listens to idle connections only. One that breaks at work fails the query under way,
  // if there is one; unheard, its error would end the process.
  pool.on('acquire', (client) => client.on('error', onConnectionError));
  pool.on('release', (_error, client) => client.off('error', onConnectionError));
  const ours = buildersPool(pool, contents);
  const driver = new PostgresDriver({ pool: ours });
  class Dialect extends PostgresDialect {
    override createDriver(): PostgresDriver {
      return driver;
    }
  }
  const dialect = new Dialect({ pool: ours });
  const db = new Kysely<Database>({ dialect });
  return {
    db,
    alone: (work) =>
      db
        .connection()
        .execute((holder) =>
          holder
            .getExecutor()
            .provideConnection((connection) =>
              work(groupConnection(connection, transactionsOn(connection, { dialect, driver }))),
            ),
        ),
  };
}
