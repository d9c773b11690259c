import { sql } from 'kysely';
import { SchemaError } from '../db/migrate.ts';
import type { Store } from '../db/store.ts';
import { MOVING_SETTING, PROGRESS_TABLE } from './move-progress.ts';

/** Refuses (SchemaError) a database out of or into which a move has begun and not ended. */
export async function refuseMoving(store: Store): Promise<void> {
  if (!(await isMoving(store))) return;
  throw new SchemaError(
    store.engine === 'postgres'
      ? 'a move into this database has begun and is not finished: run "ponte move" again'
      : 'this database is being moved to PostgreSQL: set DATABASE_URL and run "ponte move" again, or take it back with "ponte move --cancel"',
  );
}

async function isMoving({ engine, db }: Store): Promise<boolean> {
  if (engine === 'postgres') {
    const { rows } = await sql<{ is: string | null }>`select to_regclass(${PROGRESS_TABLE})::text as is`.execute(db);
    return rows[0]?.is != null;
  }
  const tables = sql`select 1 from sqlite_master where name = 'settings'`;
  if ((await tables.execute(db)).rows.length === 0) return false;
  return (await sql`select 1 from settings where name = ${MOVING_SETTING}`.execute(db)).rows.length > 0;
}
