import type { Insertable } from 'kysely';
import { LINE_STATUS_KEYS } from '../../core/event-keys.ts';
import { accountText } from '../db/contents.ts';
import { FEW, hot } from '../db/hot.ts';
import type { EventsTable } from '../db/schema.ts';
import type { Db } from '../db/store.ts';

/** A row of the journal, before it has a number. */
export type NewEventRow = Insertable<EventsTable>;

/** Rows per insert: far below the parameter limits of both databases. */
const ROWS_PER_INSERT = 500;

const appendEvent = hot<
  [string, string, string, string, string, string | null, string, number],
  { seq: number; id: string; dedupe_key: string }
>(
  `insert into events (id, account_id, line_id, type, dedupe_key, chat, payload, created_at)
  values (?, ?, ?, ?, ?, ?, ?, ?)
  on conflict (line_id, dedupe_key) do nothing
  returning seq, id, dedupe_key`,
);

/** One by one: as many as usually come together cost less so than a text written for them. */
async function appendFew(db: Db, rows: readonly NewEventRow[]) {
  const appended: { seq: number; id: string; dedupe_key: string }[] = [];
  for (const { id, account_id, line_id, type, dedupe_key, chat, payload, created_at } of rows) {
    const text = accountText(account_id, payload);
    const row = [id, account_id, line_id, type, dedupe_key, chat ?? null, text, created_at] as const;
    appended.push(...(await appendEvent.all(db, ...row)));
  }
  return appended;
}

function appendMany(db: Db, rows: readonly NewEventRow[]) {
  return db
    .insertInto('events')
    .values(rows.map((row) => ({ ...row, payload: accountText(row.account_id, row.payload) })))
    .onConflict((conflict) => conflict.columns(['line_id', 'dedupe_key']).doNothing())
    .returning(['seq', 'id', 'dedupe_key'])
    .execute();
}

/** Appends what is not there yet (unique per line and key); answers what was appended. */
export async function insertEvents(
  db: Db,
  rows: readonly NewEventRow[],
): Promise<{ seq: number; id: string; dedupeKey: string }[]> {
  const appended: { seq: number; id: string; dedupeKey: string }[] = [];
  for (let from = 0; from < rows.length; from += ROWS_PER_INSERT) {
    const some = rows.slice(from, from + ROWS_PER_INSERT);
    const inserted = await (some.length <= FEW ? appendFew(db, some) : appendMany(db, some));
    for (const { seq, id, dedupe_key } of inserted) appended.push({ seq: Number(seq), id, dedupeKey: dedupe_key });
  }
  return appended;
}

/** Appends one event whose key is known to be new; answers its number. */
export async function insertEvent(db: Db, row: NewEventRow): Promise<number> {
  const payload = accountText(row.account_id, row.payload);
  const { seq } = await db
    .insertInto('events')
    .values({ ...row, payload })
    .returning('seq')
    .executeTakeFirstOrThrow();
  return Number(seq);
}

/** Takes an event back in the transaction that appended it. */
export async function deleteEvent(db: Db, seq: number): Promise<void> {
  await db.deleteFrom('events').where('seq', '=', seq).execute();
}

/** A line's last status event; undefined for a line that never had any. */
export async function lastStatusEvent(
  db: Db,
  lineId: string,
): Promise<{ payload: string; dedupeKey: string } | undefined> {
  const row = await db
    .selectFrom('events')
    .select(['payload', 'dedupe_key'])
    .where('line_id', '=', lineId)
    .where('dedupe_key', '>=', LINE_STATUS_KEYS.from)
    .where('dedupe_key', '<', LINE_STATUS_KEYS.to)
    .orderBy('dedupe_key', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && { payload: row.payload, dedupeKey: row.dedupe_key };
}
