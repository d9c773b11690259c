import type { Selectable, Updateable } from 'kysely';
import { type LineReason, toReason } from '../../core/line-reasons.ts';
import type { LineStatus, Mode } from '../../core/lines.ts';
import type { LinesTable } from '../db/schema.ts';
import type { Db } from '../db/store.ts';

/** What a worker needs of a line's row. */
export interface LineRow {
  id: string;
  accountId: string;
  mode: Mode;
  status: LineStatus;
  reason: LineReason | null;
}

/** Undefined when the line does not exist or is being deleted. */
export async function loadLine(db: Db, lineId: string): Promise<LineRow | undefined> {
  const row = await db
    .selectFrom('lines')
    .select(['id', 'account_id', 'mode', 'status', 'status_reason'])
    .where('id', '=', lineId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return (
    row && {
      id: row.id,
      accountId: row.account_id,
      mode: row.mode,
      status: row.status as LineStatus,
      reason: toReason(row.status_reason),
    }
  );
}

/** Every line of the installation that is not being deleted, in the order of their numbers. */
export async function listAllRows(db: Db): Promise<Selectable<LinesTable>[]> {
  return db.selectFrom('lines').selectAll().where('deleted_at', 'is', null).orderBy('number').execute();
}

/** Every line that wants a worker, oldest first. */
export async function listRunnable(db: Db): Promise<{ id: string; accountId: string; mode: Mode }[]> {
  const rows = await db
    .selectFrom('lines')
    .select(['id', 'account_id', 'mode'])
    .where('deleted_at', 'is', null)
    .orderBy('number')
    .execute();
  return rows.map((row) => ({ id: row.id, accountId: row.account_id, mode: row.mode }));
}

export async function readLineStatus(
  db: Db,
  lineId: string,
): Promise<{ phone: string | null; status: string; credentials_kept_until: number | null } | undefined> {
  return db
    .selectFrom('lines')
    .select(['phone', 'status', 'credentials_kept_until'])
    .where('id', '=', lineId)
    .executeTakeFirst();
}

/** What a line's connection says of it. */
export type LineStatusColumns = Pick<
  Updateable<LinesTable>,
  'status' | 'status_reason' | 'status_until' | 'status_code' | 'phone' | 'jid' | 'lid' | 'name' | 'connected_at'
>;

export async function updateLineStatus(db: Db, lineId: string, columns: LineStatusColumns): Promise<void> {
  await db.updateTable('lines').set(columns).where('id', '=', lineId).execute();
}
