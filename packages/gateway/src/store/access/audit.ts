import type { Insertable, Selectable } from 'kysely';
import type { ConsoleAuditTable } from '../db/schema.ts';
import type { Db } from '../db/store.ts';

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
