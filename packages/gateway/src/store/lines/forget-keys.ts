import type { Tx } from '../db/store.ts';
import { voidLease } from '../fleet/leases.ts';
import { destroyKept } from './kept-keys.ts';

/**
 * Forgets a line's credentials and Signal keys, as after a logout. `isKeyLost`: its data key does
 * not open either, so that it and what it sealed (mail that was never read) go too.
 */
export async function forgetKeys(tx: Tx, lineId: string, isKeyLost: boolean): Promise<void> {
  const { db } = tx;
  await voidLease(tx, lineId);
  await db.deleteFrom('line_keys').where('line_id', '=', lineId).execute();
  await destroyKept(db, lineId);
  if (!isKeyLost) return;
  await db.deleteFrom('inbox').where('line_id', '=', lineId).execute();
  await db.deleteFrom('history_parts').where('line_id', '=', lineId).execute();
  await db.deleteFrom('data_keys').where('scope', '=', lineId).execute();
}
