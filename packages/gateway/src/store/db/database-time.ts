import { sql } from 'kysely';
import type { Store } from './store.ts';

/** What time the database server says it is, in Unix milliseconds; undefined on SQLite. */
export async function databaseTime(store: Store): Promise<number | undefined> {
  if (store.engine !== 'postgres') return undefined;
  const { rows } = await sql<{
    ms: string;
  }>`select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms`.execute(store.db);
  const ms = rows[0]?.ms;
  return ms === undefined ? undefined : Number(ms);
}
