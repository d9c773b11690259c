import type { Insertable } from 'kysely';
import type { DataKeysTable } from '../db/schema.ts';
import type { Db } from '../db/store.ts';

/** The wrapped data key of a scope. */
export async function findDataKey(db: Db, scope: string): Promise<Buffer | undefined> {
  const row = await db.selectFrom('data_keys').select('wrapped').where('scope', '=', scope).executeTakeFirst();
  return row?.wrapped;
}

/** Keeps a scope's key unless there is one already. */
export async function insertDataKey(db: Db, row: Insertable<DataKeysTable>): Promise<void> {
  await db
    .insertInto('data_keys')
    .values(row)
    .onConflict((conflict) => conflict.column('scope').doNothing())
    .execute();
}
