import type { OutboundContent, Prepared } from '@ponte/engine';
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { ErrorCode, ErrorDetails } from '../core/app-error.ts';
import type { SendOutcome } from '../core/line-commands.ts';
import type { Database, OutboxTable } from '../store/schema.ts';
import type { Tx } from '../store/store.ts';

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
  /** What goes on the wire; once drawn it never changes. */
  prepared: Prepared | null;
  /** How it ended; null while it has not. */
  outcome: SendOutcome | null;
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

/** What a line still has to send, in the order of acceptance. */
export async function unfinished(db: Db, lineId: string, afterSeq: number, limit: number): Promise<OutboxEntry[]> {
  const rows = await db
    .selectFrom('outbox')
    .selectAll()
    .where('line_id', '=', lineId)
    .where('finished_at', 'is', null)
    .where('seq', '>', afterSeq)
    .orderBy('seq')
    .limit(limit)
    .execute();
  return rows.map(toEntry);
}

/** Lines with sends that were accepted before `acceptedBefore` (milliseconds) and have not ended. */
export async function linesWithUnfinished(db: Db, acceptedBefore: number): Promise<string[]> {
  const rows = await db
    .selectFrom('outbox')
    .select('line_id')
    .distinct()
    .where('finished_at', 'is', null)
    .where('accepted_at', '<', acceptedBefore)
    .execute();
  return rows.map((row) => row.line_id);
}

/**
 * Stores what goes on the wire, right before it goes: from here on WhatsApp may have it, and every attempt sends these bytes.
 * (`prepared` without `sending` is the state of a failed row that was put back to work.)
 */
export async function savePrepared(tx: Tx, id: string, prepared: Prepared): Promise<void> {
  const { proto, ...rest } = prepared;
  await tx.db
    .updateTable('outbox')
    .set({ state: 'sending', proto: Buffer.from(proto), prepared: JSON.stringify(rest) })
    .where('id', '=', id)
    .where('state', 'in', UNFINISHED)
    .execute();
}

/** Closes a row as sent. False when it had ended before (then nothing may be journaled). */
export async function markSent(tx: Tx, id: string, ackTimestamp: number, nowMs: number): Promise<boolean> {
  const result = await tx.db
    .updateTable('outbox')
    .set({ state: 'sent', ack_timestamp: ackTimestamp, finished_at: nowMs, error_code: null, error_details: null })
    .where('id', '=', id)
    .where('state', 'in', UNFINISHED)
    .executeTakeFirst();
  return Number(result.numUpdatedRows) > 0;
}

/** Closes a row as failed. False when it had ended before. */
export async function markFailed(
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
    prepared: toPrepared(row),
    outcome: toOutcome(row),
  };
}

function toPrepared(row: Selectable<OutboxTable>): Prepared | null {
  if (row.proto === null || row.prepared === null) return null;
  return { ...(JSON.parse(row.prepared) as Omit<Prepared, 'proto'>), proto: row.proto };
}

function toOutcome(row: Selectable<OutboxTable>): SendOutcome | null {
  if (row.state === 'sent') return { state: 'sent', timestamp: Number(row.ack_timestamp) };
  if (row.state !== 'failed') return null;
  return {
    state: 'failed',
    code: (row.error_code ?? 'server_error') as ErrorCode,
    details: row.error_details === null ? {} : (JSON.parse(row.error_details) as ErrorDetails),
  };
}
