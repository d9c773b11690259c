import type { Insertable, Selectable } from 'kysely';
import type { ConsoleAuditTable } from '../db/schema.ts';
import type { Db } from '../db/store.ts';

/** What was written of an entry, without its number and its link. */
export type AuditFacts = Omit<Selectable<ConsoleAuditTable>, 'seq' | 'link'>;

export async function insertAudit(db: Db, row: Insertable<ConsoleAuditTable>): Promise<void> {
  await db.insertInto('console_audit').values(row).execute();
}

/** Newest first; `before` is the number of the last row of the page before. */
export async function listAudit(
  db: Db,
  { before, limit }: { before?: number; limit: number },
): Promise<Selectable<ConsoleAuditTable>[]> {
  let query = db.selectFrom('console_audit').selectAll().orderBy('seq', 'desc').limit(limit);
  if (before !== undefined) query = query.where('seq', '<', before);
  return query.execute();
}

/**
 * The link of the newest entry; holds it until the transaction ends, so that entries are sealed one
 * by one.
 */
export async function takeAuditHead(db: Db, name: string): Promise<string> {
  await db
    .insertInto('settings')
    .values({ name, value: '' })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const row = await db
    .updateTable('settings')
    .set((eb) => ({ value: eb.ref('value') }))
    .where('name', '=', name)
    .returning('value')
    .executeTakeFirstOrThrow();
  return row.value;
}

/** Oldest first, after a number. */
export async function pageOfAudit(db: Db, after: number, limit: number): Promise<Selectable<ConsoleAuditTable>[]> {
  return db.selectFrom('console_audit').selectAll().where('seq', '>', after).orderBy('seq').limit(limit).execute();
}
