import type { Kysely, Transaction } from 'kysely';
import type { EventType } from '../../core/events.ts';
import type { Database } from '../db/schema.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** One entry of the journal, as a line's history shows it. */
export interface TimelineRow {
  seq: number;
  id: string;
  type: EventType;
  chat: string | null;
  /** The event's payload. */
  payload: unknown;
  createdAt: number;
}

/**
 * What happened on a line, newest first. `next` is the cursor of the following page; null at the
 * end.
 */
export async function listTimeline(
  db: Db,
  lineId: string,
  query: { types?: readonly EventType[]; before?: number; limit: number },
): Promise<{ events: TimelineRow[]; next: number | null }> {
  let select = db
    .selectFrom('events')
    .select(['seq', 'id', 'type', 'chat', 'payload', 'created_at'])
    .where('line_id', '=', lineId)
    .orderBy('seq', 'desc')
    .limit(query.limit + 1);
  if (query.types) select = select.where('type', 'in', query.types);
  if (query.before !== undefined) select = select.where('seq', '<', query.before);
  const rows = await select.execute();
  const events = rows.slice(0, query.limit).map((row) => ({
    seq: Number(row.seq),
    id: row.id,
    type: row.type as EventType,
    chat: row.chat,
    payload: JSON.parse(row.payload) as unknown,
    createdAt: Number(row.created_at),
  }));
  return { events, next: rows.length > query.limit ? (events.at(-1)?.seq ?? null) : null };
}
