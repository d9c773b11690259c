import type { Db } from '../db/store.ts';

/*
 * Facts about the installation as a whole, by name. Each name has one owner, which holds it as a
 * constant.
 */

export async function readSetting(db: Db, name: string): Promise<string | undefined> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', name).executeTakeFirst();
  return row?.value;
}

export async function writeSetting(db: Db, name: string, value: string): Promise<void> {
  await db
    .insertInto('settings')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doUpdateSet({ value }))
    .execute();
}

/** Writes a setting unless it is there already; true when this call wrote it. */
export async function claimSetting(db: Db, name: string, value: string): Promise<boolean> {
  const done = await db
    .insertInto('settings')
    .values({ name, value })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .executeTakeFirst();
  return Number(done.numInsertedOrUpdatedRows ?? 0) > 0;
}

/** Deletes a setting and answers what it was. */
export async function takeSetting(db: Db, name: string): Promise<string | undefined> {
  const row = await db.deleteFrom('settings').where('name', '=', name).returning('value').executeTakeFirst();
  return row?.value;
}
