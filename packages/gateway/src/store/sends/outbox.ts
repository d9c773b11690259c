import type { OutboundContent, Prepared } from '@ponte/engine';
import type { ExpressionBuilder, Kysely, Selectable, Transaction } from 'kysely';
import type { ErrorCode, ErrorDetails } from '../../core/app-error.ts';
import type { AcceptedSend } from '../../core/line-commands.ts';
import { sendBytes } from '../db/contents.ts';
import { hot } from '../db/hot.ts';
import type { Database, OutboxTable } from '../db/schema.ts';
import type { Tx } from '../db/store.ts';
import { ARRIVED } from '../messages/message-status.ts';
import { endOf, type SendEnd } from './send-end.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** An accepted message on its way. */
export interface OutboxEntry {
  id: string;
  seq: number;
  accountId: string;
  lineId: string;
  messageId: string;
  toJid: string;
  content: OutboundContent;
  acceptedAt: number;
  /** Lower leaves first. */
  rank: number;
  /** Not before (Unix milliseconds); null = as soon as its turn comes. */
  sendAt: number | null;
  /** What goes on the wire; once drawn it never changes. */
  prepared: Prepared | null;
  /** It was handed to the wire, in this process or an earlier one. */
  mayHaveLeft: boolean;
  /** It may have left, and no acknowledgement is expected any more. */
  isUnconfirmed: boolean;
  /** Its chat goes to the archive once it has left. */
  archives: boolean;
  /** How it ended; null while it has not. */
  outcome: SendEnd | null;
  /** The step of a trace that accepted it; known as long as the row is not read again. */
  traceparent?: string;
}

const UNFINISHED = ['accepted', 'prepared', 'sending'] as const;

/** One row; undefined when there is none of that id on that line. */
export async function loadOutbox(db: Db, lineId: string, id: string): Promise<OutboxEntry | undefined> {
  const row = await db
    .selectFrom('outbox')
    .selectAll()
    .where('id', '=', id)
    .where('line_id', '=', lineId)
    .executeTakeFirst();
  return row && toEntry(row);
}

const isDue = (eb: ExpressionBuilder<Database, 'outbox'>, nowMs: number) =>
  eb.or([eb('send_at', 'is', null), eb('send_at', '<=', nowMs)]);

/** What a line still has to send and may send now, in the order of acceptance. */
export async function unfinished(
  db: Db,
  lineId: string,
  page: { after: number; limit: number; nowMs: number },
): Promise<OutboxEntry[]> {
  const rows = await db
    .selectFrom('outbox')
    .selectAll()
    .where('line_id', '=', lineId)
    .where('finished_at', 'is', null)
    .where('unconfirmed_at', 'is', null)
    .where('seq', '>', page.after)
    .where((eb) => isDue(eb, page.nowMs))
    .orderBy('seq')
    .limit(page.limit)
    .execute();
  return rows.map(toEntry);
}

/**
 * What a line still has to send although it was due before `dueBefore` (Unix milliseconds), oldest
 * first.
 */
export async function overdue(db: Db, lineId: string, dueBefore: number, limit: number): Promise<OutboxEntry[]> {
  const rows = await db
    .selectFrom('outbox')
    .selectAll()
    .where('line_id', '=', lineId)
    .where('finished_at', 'is', null)
    .where('accepted_at', '<', dueBefore)
    .where((eb) => isDue(eb, dueBefore))
    .orderBy('seq')
    .limit(limit)
    .execute();
  return rows.map(toEntry);
}

/**
 * Unconfirmed sends whose message the recipient has all the same: a receipt came, which is as good
 * as an acknowledgement.
 */
export async function confirmedByReceipt(db: Db, lineId: string, limit: number): Promise<OutboxEntry[]> {
  const rows = await db
    .selectFrom('outbox')
    .selectAll()
    .where('line_id', '=', lineId)
    .where('finished_at', 'is', null)
    .where('unconfirmed_at', 'is not', null)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('messages')
          .select('messages.message_id')
          .whereRef('messages.line_id', '=', 'outbox.line_id')
          .whereRef('messages.message_id', '=', 'outbox.message_id')
          .where('messages.from_me', '=', 1)
          .where('messages.status', 'in', ARRIVED),
      ),
    )
    .orderBy('seq')
    .limit(limit)
    .execute();
  return rows.map(toEntry);
}

/** When the line's next scheduled send is due; undefined when none waits. */
export async function nextScheduled(db: Db, lineId: string, nowMs: number): Promise<number | undefined> {
  const row = await db
    .selectFrom('outbox')
    .select('send_at')
    .where('line_id', '=', lineId)
    .where('finished_at', 'is', null)
    .where('send_at', '>', nowMs)
    .orderBy('send_at')
    .limit(1)
    .executeTakeFirst();
  return row?.send_at === null || row === undefined ? undefined : Number(row.send_at);
}

const IDS_PER_QUERY = 500;

/** Those of these rows that have ended, and how. */
export async function loadEnded(
  db: Db,
  lineId: string,
  ids: readonly string[],
): Promise<{ id: string; outcome: SendEnd }[]> {
  const ended: { id: string; outcome: SendEnd }[] = [];
  for (let from = 0; from < ids.length; from += IDS_PER_QUERY) {
    const rows = await db
      .selectFrom('outbox')
      .selectAll()
      .where('id', 'in', ids.slice(from, from + IDS_PER_QUERY))
      .where('line_id', '=', lineId)
      .where('finished_at', 'is not', null)
      .execute();
    for (const row of rows) {
      const outcome = endOf(row);
      if (outcome) ended.push({ id: row.id, outcome });
    }
  }
  return ended;
}

/**
 * Lines with due sends that were accepted before `acceptedBefore` (milliseconds) and have not
 * ended.
 */
export async function linesWithUnfinished(db: Db, acceptedBefore: number, nowMs: number): Promise<string[]> {
  const rows = await db
    .selectFrom('outbox')
    .select('line_id')
    .distinct()
    .where('finished_at', 'is', null)
    .where('accepted_at', '<', acceptedBefore)
    .where((eb) => isDue(eb, nowMs))
    .execute();
  return rows.map((row) => row.line_id);
}

const putPrepared = hot<[Buffer, string, number, string, Buffer]>(
  `update outbox set state = 'sending', proto = ?, prepared = ?, sending_at = coalesce(sending_at, ?)
  where id = ? and state in ('accepted', 'prepared', 'sending') and (proto is null or proto = ?)`,
);

/**
 * Stores what goes on the wire, right before it goes: from here on WhatsApp may have it, and every
 * attempt sends these bytes. (`prepared` without `sending` is the state of a failed row that was
 * put back to work.) False when the row has ended (it was cancelled), or has other bytes already.
 */
export async function savePrepared(tx: Tx, id: string, prepared: Prepared, nowMs: number): Promise<boolean> {
  const { proto, ...rest } = prepared;
  const bytes = sendBytes(id, Buffer.from(proto.buffer, proto.byteOffset, proto.byteLength));
  return (await putPrepared.run(tx.db, bytes, JSON.stringify(rest), nowMs, id, bytes)) > 0;
}

/**
 * Gives up on the acknowledgement of a message that may have left: it is not sent again, and ends
 * when it is confirmed after all, or expires. False when it had ended before.
 */
export async function markUnconfirmed(tx: Tx, id: string, nowMs: number): Promise<boolean> {
  const result = await tx.db
    .updateTable('outbox')
    .set({ unconfirmed_at: nowMs })
    .where('id', '=', id)
    .where('state', 'in', UNFINISHED)
    .executeTakeFirst();
  return Number(result.numUpdatedRows) > 0;
}

const putSent = hot<[number, number, string]>(
  `update outbox set state = 'sent', ack_timestamp = ?, finished_at = ?, error_code = null, error_details = null
  where id = ? and state in ('accepted', 'prepared', 'sending')`,
);

/** Closes a row as sent. False when it had ended before (then nothing may be journaled). */
export async function markSent(tx: Tx, id: string, ackTimestamp: number, nowMs: number): Promise<boolean> {
  return (await putSent.run(tx.db, ackTimestamp, nowMs, id)) > 0;
}

/** Closes a row as failed. False when it had ended before. */
export async function markSendFailed(
  tx: Tx,
  id: string,
  failure: { code: ErrorCode; details: ErrorDetails },
  nowMs: number,
): Promise<boolean> {
  const result = await tx.db
    .updateTable('outbox')
    .set({
      state: 'failed',
      error_code: failure.code,
      error_details: JSON.stringify(failure.details),
      finished_at: nowMs,
    })
    .where('id', '=', id)
    .where('state', 'in', UNFINISHED)
    .executeTakeFirst();
  return Number(result.numUpdatedRows) > 0;
}

/** A row that was accepted a moment ago. */
export function entryOf({ content, ...accepted }: AcceptedSend): OutboxEntry {
  const nothingYet = { prepared: null, mayHaveLeft: false, isUnconfirmed: false, outcome: null };
  return { ...accepted, content: JSON.parse(content) as OutboundContent, ...nothingYet };
}

function toEntry(row: Selectable<OutboxTable>): OutboxEntry {
  return {
    id: row.id,
    seq: Number(row.seq),
    accountId: row.account_id,
    lineId: row.line_id,
    messageId: row.message_id,
    toJid: row.to_jid,
    content: JSON.parse(row.content) as OutboundContent,
    acceptedAt: Number(row.accepted_at),
    rank: Number(row.rank),
    sendAt: row.send_at === null ? null : Number(row.send_at),
    prepared: toPrepared(row),
    mayHaveLeft: row.state === 'sending',
    isUnconfirmed: row.unconfirmed_at !== null && row.finished_at === null,
    archives: row.archive_after !== null,
    outcome: endOf(row),
  };
}

function toPrepared(row: Selectable<OutboxTable>): Prepared | null {
  if (row.proto === null || row.prepared === null) return null;
  return { ...(JSON.parse(row.prepared) as Omit<Prepared, 'proto'>), proto: row.proto };
}

/** Accepted sends of all lines that are due and have not ended, and since when the oldest is. */
export async function sendBacklog(db: Db, nowMs: number): Promise<{ count: number; oldestAt: number | null }> {
  const row = await db
    .selectFrom('outbox')
    .select((eb) => [eb.fn.countAll().as('count'), eb.fn.min(eb.fn.coalesce('send_at', 'accepted_at')).as('oldest')])
    .where('finished_at', 'is', null)
    .where((eb) => isDue(eb, nowMs))
    .executeTakeFirstOrThrow();
  return { count: Number(row.count), oldestAt: row.oldest === null ? null : Number(row.oldest) };
}
