import type { MessageStatus } from '@ponte/engine';
import { sql } from 'kysely';
import type { Db } from '../db/store.ts';

/** How far a message came with one member of a group. */
export interface Reading {
  messageId: string;
  /** The LID when it is known. */
  reader: string;
  status: Extract<MessageStatus, 'delivered' | 'read' | 'played'>;
  /** Unix seconds. */
  timestamp: number;
}

/** How many members have got, read and played a message. */
export interface ReaderCounts {
  delivered: number;
  read: number;
  played: number;
}

export interface Reader {
  reader: string;
  deliveredAt: number | null;
  readAt: number | null;
  playedAt: number | null;
}

/** No group is larger: communities announce to 2,000 (WhatsApp help, "About communities"). */
const READERS_MAX = 2_000;
const ROWS_PER_INSERT = 200;
const PRUNE_BATCH = 1_000;
/** As long as events are kept (webhooks/retention.ts). */
export const KEEP_READERS_MS = 35 * 24 * 60 * 60 * 1_000;

/** Notes who got and read what, and answers the counts of these messages. */
export async function noteReaders(
  db: Db,
  lineId: string,
  readings: readonly Reading[],
  nowMs: number,
): Promise<Map<string, ReaderCounts>> {
  const before = await countsOf(db, lineId, [...new Set(readings.map(({ messageId }) => messageId))]);
  const rows = new Map<string, ReturnType<typeof rowOf>>();
  for (const reading of readings) {
    // One that is full takes no newcomers; who is there already would not be told from them
    // cheaply.
    if ((before.get(reading.messageId)?.delivered ?? 0) >= READERS_MAX) continue;
    rows.set(`${reading.messageId} ${reading.reader}`, rowOf(lineId, reading, nowMs));
  }
  const all = [...rows.values()];
  for (let from = 0; from < all.length; from += ROWS_PER_INSERT) {
    await db
      .insertInto('message_readers')
      .values(all.slice(from, from + ROWS_PER_INSERT))
      .onConflict((conflict) =>
        conflict.columns(['line_id', 'message_id', 'reader']).doUpdateSet({
          delivered_at: sql`coalesce(message_readers.delivered_at, excluded.delivered_at)`,
          read_at: sql`coalesce(message_readers.read_at, excluded.read_at)`,
          played_at: sql`coalesce(message_readers.played_at, excluded.played_at)`,
          updated_at: nowMs,
        }),
      )
      .execute();
  }
  return all.length === 0 ? before : countsOf(db, lineId, [...before.keys(), ...all.map((row) => row.message_id)]);
}

const rowOf = (lineId: string, { messageId, reader, status, timestamp }: Reading, nowMs: number) => ({
  line_id: lineId,
  message_id: messageId,
  reader,
  delivered_at: status === 'delivered' ? timestamp : null,
  read_at: status === 'read' ? timestamp : null,
  played_at: status === 'played' ? timestamp : null,
  updated_at: nowMs,
});

/** Who read has got it, and who played has read it, whatever receipts came. */
async function countsOf(db: Db, lineId: string, messageIds: string[]): Promise<Map<string, ReaderCounts>> {
  if (messageIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('message_readers')
    .select(['message_id', sql<number>`count(*)`.as('delivered')])
    .select([
      sql<number>`sum(case when read_at is null and played_at is null then 0 else 1 end)`.as('read'),
      sql<number>`sum(case when played_at is null then 0 else 1 end)`.as('played'),
    ])
    .where('line_id', '=', lineId)
    .where('message_id', 'in', [...new Set(messageIds)])
    .groupBy('message_id')
    .execute();
  return new Map(
    rows.map((row) => [
      row.message_id,
      { delivered: Number(row.delivered), read: Number(row.read), played: Number(row.played) },
    ]),
  );
}

/** All people known to have received a message, in the order of their addresses. */
export async function readersOf(db: Db, lineId: string, messageId: string): Promise<Reader[]> {
  const rows = await db
    .selectFrom('message_readers')
    .select(['reader', 'delivered_at', 'read_at', 'played_at'])
    .where('line_id', '=', lineId)
    .where('message_id', '=', messageId)
    .orderBy('reader')
    .limit(READERS_MAX)
    .execute();
  const time = (value: number | null) => (value === null ? null : Number(value));
  return rows.map((row) => ({
    reader: row.reader,
    deliveredAt: time(row.delivered_at),
    readAt: time(row.read_at),
    playedAt: time(row.played_at),
  }));
}

/** Forgets readers of old messages; true when there are more. */
export async function pruneReaders(db: Db, cutoff: number): Promise<boolean> {
  const { numAffectedRows } = await sql`
    delete from message_readers where (line_id, message_id, reader) in (
      select line_id, message_id, reader from message_readers where updated_at < ${cutoff} limit ${PRUNE_BATCH}
    )`.execute(db);
  return Number(numAffectedRows ?? 0) === PRUNE_BATCH;
}
