import type { Insertable, Selectable } from 'kysely';
import type { ApiKeysTable } from '../db/schema.ts';
import type { Db } from '../db/store.ts';

export type ApiKeyRow = Selectable<ApiKeysTable>;

/**
 * The valid key with this hash. One that is revoked or expired is not read: to find it takes what
 * it takes to find none.
 */
export async function findKeyByHash(db: Db, hash: Buffer, nowMs: number): Promise<ApiKeyRow | undefined> {
  return db
    .selectFrom('api_keys')
    .selectAll()
    .where('hash', '=', hash)
    .where((eb) => eb.or([eb('revoked_at', 'is', null), eb('revoked_at', '>', nowMs)]))
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', nowMs)]))
    .executeTakeFirst();
}

export async function findKeyById(db: Db, id: string): Promise<ApiKeyRow | undefined> {
  return db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst();
}

/** The keys of an account, or of all; oldest first. */
export async function listKeys(db: Db, accountId?: string): Promise<ApiKeyRow[]> {
  let query = db.selectFrom('api_keys').selectAll().orderBy('created_at').orderBy('id');
  if (accountId !== undefined) query = query.where('account_id', '=', accountId);
  return query.execute();
}

export async function insertKey(db: Db, row: Insertable<ApiKeysTable>): Promise<void> {
  await db.insertInto('api_keys').values(row).execute();
}

export async function noteKeyUsed(db: Db, id: string, at: number): Promise<void> {
  await db.updateTable('api_keys').set({ last_used_at: at }).where('id', '=', id).execute();
}

/** False when there is no such key. Revoking twice keeps the first time. */
export async function revokeKey(db: Db, id: string, at: number): Promise<boolean> {
  const row = await db.selectFrom('api_keys').select('id').where('id', '=', id).executeTakeFirst();
  if (!row) return false;
  await db
    .updateTable('api_keys')
    .set({ revoked_at: at })
    .where('id', '=', id)
    .where((eb) => eb.or([eb('revoked_at', 'is', null), eb('revoked_at', '>', at)]))
    .execute();
  return true;
}

/**
 * Sets the end of a key that is valid and has none yet; undefined when there is no such key. Of two
 * at once the second waits here in its transaction, and then finds no such key.
 */
export async function retireKey(
  db: Db,
  id: string,
  when: { now: number; endsAt: number },
): Promise<ApiKeyRow | undefined> {
  return db
    .updateTable('api_keys')
    .set({ revoked_at: when.endsAt })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', when.now)]))
    .returningAll()
    .executeTakeFirst();
}

export async function deleteKey(db: Db, id: string): Promise<void> {
  await db.deleteFrom('api_keys').where('id', '=', id).execute();
}
