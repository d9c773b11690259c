import { CompiledQuery, SqliteAdapter } from 'kysely';
import type { Db } from './store.ts';

/**
 * A statement that every message runs, written by hand: the query builder, which would write the
 * same text anew each time, costs more than the statement itself. Made once per module, by the
 * table's own file in `store/`, and used by the typed functions there; everything else keeps the
 * builder. Prepared once per connection on both databases.
 *
 * `?` stands for a parameter (PostgreSQL's `$1` is made of it), so the text itself has no other
 * question mark. Where the databases differ there are two texts. The parameters' and the rows'
 * types are the author's promise; a test on both databases keeps it. Works on a transaction and
 * outside of one, like a built query.
 */
export interface HotStatement<P extends readonly unknown[], R> {
  all(db: Db, ...parameters: P): Promise<R[]>;
  /** The first row. */
  first(db: Db, ...parameters: P): Promise<R | undefined>;
  /** How many rows were written. */
  run(db: Db, ...parameters: P): Promise<number>;
}

/**
 * So many rows are written one by one by a hand-written statement rather than together by a built
 * one: building it costs more, and on PostgreSQL the round trips are still few.
 */
export const FEW = 8;

type Text = string | Record<'sqlite' | 'postgres', string>;

export function hot<P extends readonly unknown[], R = never>(text: Text): HotStatement<P, R> {
  const written = typeof text === 'string' ? { sqlite: text, postgres: text } : text;
  const sqlite = written.sqlite;
  const postgres = numbered(written.postgres);
  names.set(postgres, `ponte_${names.size + 1}`);
  const execute = (db: Db, parameters: readonly unknown[]) => {
    const executor = db.getExecutor();
    const sql = executor.adapter instanceof SqliteAdapter ? sqlite : postgres;
    return executor.executeQuery<R>(CompiledQuery.raw(sql, parameters as unknown[]));
  };
  return {
    all: async (db, ...parameters) => (await execute(db, parameters)).rows,
    first: async (db, ...parameters) => (await execute(db, parameters)).rows[0],
    run: async (db, ...parameters) => Number((await execute(db, parameters)).numAffectedRows ?? 0),
  };
}

/** Hand-written texts of PostgreSQL, by which name a connection keeps them prepared. */
const names = new Map<string, string>();

/** Undefined: a built query, which is not kept. */
export const preparedName = (sql: string): string | undefined => names.get(sql);

function numbered(text: string): string {
  let count = 0;
  return text.replaceAll('?', () => {
    count += 1;
    return `$${count}`;
  });
}
