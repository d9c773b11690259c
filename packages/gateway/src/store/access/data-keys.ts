import type { Insertable, Selectable } from 'kysely';
import type { DataKeysTable } from '../db/schema.ts';
import type { Db } from '../db/store.ts';

export type DataKeyRow = Selectable<DataKeysTable>;

/** The wrapped data key of a scope. */
export async function findDataKey(db: Db, scope: string): Promise<DataKeyRow | undefined> {
  return db.selectFrom('data_keys').selectAll().where('scope', '=', scope).executeTakeFirst();
}

/** Keeps a scope's key unless there is one already. */
export async function insertDataKey(db: Db, row: Insertable<DataKeysTable>): Promise<void> {
  await db
    .insertInto('data_keys')
    .values(row)
    .onConflict((conflict) => conflict.column('scope').doNothing())
    .execute();
}

/** Keys whose scope begins with `prefix`: master keys that open others, and emergency keys. */
export async function listDataKeys(db: Db, prefix: string): Promise<DataKeyRow[]> {
  return db.selectFrom('data_keys').selectAll().where('scope', 'like', `${prefix}%`).orderBy('scope').execute();
}

/** Keys that another master key than this one opens; those whose scope begins with `but` aside. */
export async function listDataKeysNotUnder(
  db: Db,
  { masterKeyId, but, limit }: { masterKeyId: string; but: string; limit: number },
): Promise<DataKeyRow[]> {
  return db
    .selectFrom('data_keys')
    .selectAll()
    .where('master_key_id', '!=', masterKeyId)
    .where('scope', 'not like', `${but}%`)
    .orderBy('scope')
    .limit(limit)
    .execute();
}

/** Wraps a key anew, unless another process has rewrapped it in the meantime. */
export async function rewrapDataKey(
  db: Db,
  { scope, from, to, wrapped }: { scope: string; from: string; to: string; wrapped: Buffer },
): Promise<void> {
  await db
    .updateTable('data_keys')
    .set({ master_key_id: to, wrapped })
    .where('scope', '=', scope)
    .where('master_key_id', '=', from)
    .execute();
}

export async function deleteDataKeys(db: Db, scopes: readonly string[]): Promise<void> {
  if (scopes.length > 0) await db.deleteFrom('data_keys').where('scope', 'in', scopes).execute();
}
