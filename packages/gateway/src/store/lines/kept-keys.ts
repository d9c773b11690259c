import { CREDENTIALS_KIND } from '@ponte/engine';
import type { Db, Tx } from '../db/store.ts';
import { voidLease } from '../fleet/leases.ts';

/** How long credentials stay after the phone logged a line out. */
export const KEEP_CREDENTIALS_MS = 7 * 24 * 60 * 60 * 1_000;

const COLUMNS = ['line_id', 'kind', 'id', 'value'] as const;

/**
 * Copies a line's credentials and Signal keys aside, sealed as they are; clearing them is the
 * engine's part. A line without credentials keeps nothing. A second logout after a restore does not
 * begin the days anew.
 */
export async function keepKeys({ db }: Tx, lineId: string, nowMs: number): Promise<void> {
  const credentials = await db
    .selectFrom('line_keys')
    .select('id')
    .where('line_id', '=', lineId)
    .where('kind', '=', CREDENTIALS_KIND)
    .executeTakeFirst();
  if (!credentials) return;
  const line = await db
    .selectFrom('lines')
    .select('credentials_kept_until')
    .where('id', '=', lineId)
    .executeTakeFirst();
  const before = Number(line?.credentials_kept_until ?? 0);
  await db.deleteFrom('kept_keys').where('line_id', '=', lineId).execute();
  await db
    .insertInto('kept_keys')
    .columns([...COLUMNS])
    .expression(
      db
        .selectFrom('line_keys')
        .select([...COLUMNS])
        .where('line_id', '=', lineId),
    )
    .execute();
  const until = before > nowMs ? before : nowMs + KEEP_CREDENTIALS_MS;
  await db.updateTable('lines').set({ credentials_kept_until: until }).where('id', '=', lineId).execute();
}

/**
 * Puts kept credentials back in their place. False when there are none, or their time is over. The
 * line's worker must have let go of it before.
 */
export async function restoreKeys(tx: Tx, lineId: string, nowMs: number): Promise<boolean> {
  const { db } = tx;
  await voidLease(tx, lineId);
  const kept = db
    .selectFrom('kept_keys')
    .select([...COLUMNS])
    .where('line_id', '=', lineId);
  const line = await db
    .selectFrom('lines')
    .select('id')
    .where('id', '=', lineId)
    .where('credentials_kept_until', '>', nowMs)
    .executeTakeFirst();
  if (!line || !(await kept.limit(1).executeTakeFirst())) return false;
  await db.deleteFrom('line_keys').where('line_id', '=', lineId).execute();
  await db
    .insertInto('line_keys')
    .columns([...COLUMNS])
    .expression(kept)
    .execute();
  await db.deleteFrom('kept_keys').where('line_id', '=', lineId).execute();
  return true;
}

/** Deletes what is kept of a line. */
export async function destroyKept(db: Db, lineId: string): Promise<void> {
  await db.deleteFrom('kept_keys').where('line_id', '=', lineId).execute();
  await db.updateTable('lines').set({ credentials_kept_until: null }).where('id', '=', lineId).execute();
}

/** Deletes what is past its time; true when there may be more. */
export async function sweepKept(db: Db, nowMs: number): Promise<boolean> {
  const due = await db
    .selectFrom('lines')
    .select('id')
    .where('credentials_kept_until', '<=', nowMs)
    .limit(50)
    .execute();
  for (const { id } of due) await destroyKept(db, id);
  return due.length === 50;
}
