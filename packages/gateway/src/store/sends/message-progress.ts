import type { Jid, OutboundContent } from '@ponte/engine';
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { ErrorDetails } from '../../core/app-error.ts';
import { statusKeysOf } from '../../core/event-keys.ts';
import type { EventPayloads } from '../../core/events.ts';
import { type Priority, priorityOf } from '../../core/pacing.ts';
import type { Database, OutboxTable } from '../db/schema.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** A message of ours on its way, as its sender may see it. */
export interface SendProgress {
  outboxId: string;
  messageId: string;
  to: Jid;
  content: OutboundContent;
  state: OutboxTable['state'];
  priority: Priority;
  /** Unix milliseconds, all of them. */
  acceptedAt: number;
  sendAt: number | null;
  /** When it was first made ready and left. */
  sendingAt: number | null;
  finishedAt: number | null;
  /** Unix seconds of WhatsApp's acknowledgement. */
  ackTimestamp: number | null;
  error: { code: string; details: ErrorDetails } | null;
}

const COLUMNS = [
  'id',
  'message_id',
  'to_jid',
  'content',
  'state',
  'rank',
  'accepted_at',
  'send_at',
  'sending_at',
  'finished_at',
  'ack_timestamp',
  'error_code',
  'error_details',
] as const;

const time = (value: number | null): number | null => (value === null ? null : Number(value));

function toProgress(row: Pick<Selectable<OutboxTable>, (typeof COLUMNS)[number]>): SendProgress {
  const details = row.error_details === null ? {} : (JSON.parse(row.error_details) as ErrorDetails);
  return {
    outboxId: row.id,
    messageId: row.message_id,
    to: row.to_jid,
    content: JSON.parse(row.content) as OutboundContent,
    state: row.state,
    priority: priorityOf(Number(row.rank)),
    acceptedAt: Number(row.accepted_at),
    sendAt: time(row.send_at),
    sendingAt: time(row.sending_at),
    finishedAt: time(row.finished_at),
    ackTimestamp: time(row.ack_timestamp),
    error: row.error_code === null ? null : { code: row.error_code, details },
  };
}

export async function findProgress(db: Db, lineId: string, messageId: string): Promise<SendProgress | undefined> {
  const row = await db
    .selectFrom('outbox')
    .select(COLUMNS)
    .where('line_id', '=', lineId)
    .where('message_id', '=', messageId)
    .executeTakeFirst();
  return row && toProgress(row);
}

/**
 * What waits on a line, in the order in which it leaves as things stand: what is due by priority
 * and age, then what is for later by its time.
 */
export async function listQueue(
  db: Db,
  lineId: string,
  { nowMs, limit }: { nowMs: number; limit: number },
): Promise<SendProgress[]> {
  const rows = await db
    .selectFrom('outbox')
    .select(COLUMNS)
    .where('line_id', '=', lineId)
    .where('finished_at', 'is', null)
    .where('unconfirmed_at', 'is', null)
    .orderBy((eb) => eb.case().when('send_at', '>', nowMs).then(eb.ref('send_at')).else(0).end())
    .orderBy('rank')
    .orderBy('seq')
    .limit(limit)
    .execute();
  return rows.map(toProgress);
}

/**
 * Ends a message that has not left. False when it has, or may have: once it was made ready it is
 * never called back.
 */
export async function cancelSend(db: Transaction<Database>, id: string, nowMs: number): Promise<boolean> {
  const result = await db
    .updateTable('outbox')
    .set({ state: 'failed', error_code: 'message_cancelled', error_details: '{}', finished_at: nowMs })
    .where('id', '=', id)
    .where('state', '=', 'accepted')
    .executeTakeFirst();
  return Number(result.numUpdatedRows) === 1;
}

/** The journal's news of how far a message came, oldest first. */
export async function statusEvents(
  db: Db,
  lineId: string,
  messageId: string,
): Promise<EventPayloads['message.status'][]> {
  const keys = statusKeysOf(messageId);
  const rows = await db
    .selectFrom('events')
    .select(['seq', 'payload'])
    .where('line_id', '=', lineId)
    .where('dedupe_key', '>=', keys.from)
    .where('dedupe_key', '<', keys.to)
    .execute();
  return rows
    .sort((a, b) => Number(a.seq) - Number(b.seq))
    .map((row) => JSON.parse(row.payload) as EventPayloads['message.status']);
}
