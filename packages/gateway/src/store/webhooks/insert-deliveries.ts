import { FEW, hot } from '../db/hot.ts';
import type { DeliveriesTable } from '../db/schema.ts';
import type { Db } from '../db/store.ts';

/** A delivery before its first attempt and before it has a number. */
export interface NewDelivery
  extends Pick<DeliveriesTable, 'id' | 'account_id' | 'webhook_id' | 'event_seq' | 'order_key' | 'expires_at'> {
  created_at: number;
}

/** Rows per insert: far below the parameter limits of both databases. */
const ROWS_PER_INSERT = 500;

/** Due at once, with its whole schedule ahead. */
const FRESH = { state: 'pending', attempts: 0, step: 0, pulls: 0, next_at: 0, finished_at: null } as const;

const insertOne = hot<[string, string, string, number, string | null, number | null, number]>(
  `insert into deliveries (id, account_id, webhook_id, event_seq, order_key, expires_at, created_at,
    state, attempts, step, pulls, next_at, finished_at)
  values (?, ?, ?, ?, ?, ?, ?, 'pending', 0, 0, 0, 0, null)`,
);

/** Puts deliveries into the queue; each event and webhook once (the journal's keys see to that). */
export async function insertDeliveries(db: Db, rows: readonly NewDelivery[]): Promise<void> {
  if (rows.length <= FEW) {
    for (const { id, account_id, webhook_id, event_seq, order_key, expires_at, created_at } of rows) {
      await insertOne.run(db, id, account_id, webhook_id, event_seq, order_key, expires_at, created_at);
    }
    return;
  }
  for (let from = 0; from < rows.length; from += ROWS_PER_INSERT) {
    const some = rows.slice(from, from + ROWS_PER_INSERT).map((row) => ({ ...row, ...FRESH }));
    await db.insertInto('deliveries').values(some).execute();
  }
}
