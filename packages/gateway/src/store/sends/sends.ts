import type { Jid, OutboundContent } from '@ponte/engine';
import type { Kysely, Transaction } from 'kysely';
import { accountText } from '../db/contents.ts';
import { hot } from '../db/hot.ts';
import type { Database, OutboxTable } from '../db/schema.ts';
import type { LineOwner } from '../lines/lines.ts';
import { endOf, type SendEnd } from './send-end.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** An outbox row, as the one who waits for it sees it. */
export interface SendRow {
  id: string;
  lineId: string;
  messageId: string;
  to: Jid;
  state: OutboxTable['state'];
  acceptedAt: number;
  /** Not before (Unix milliseconds). */
  sendAt: number | null;
  /** It may have left, and no acknowledgement is expected any more. */
  isUnconfirmed: boolean;
  end: SendEnd | null;
}

const putAccepted = hot<
  [...[string, string, string, Jid, string, number, number, number | null, number | null], ...[string, number, number]],
  { seq: number }
>(
  `insert into outbox (id, account_id, line_id, message_id, to_jid, content, state, accepted_at, rank, send_at, archive_after)
  select cast(? as text), cast(? as text), l.id, cast(? as text), cast(? as text), cast(? as text), 'accepted',
    cast(? as bigint), cast(? as bigint), cast(? as bigint), cast(? as bigint)
  from lines l
  where l.id = ? and l.deleted_at is null and (
    select count(*) from outbox o
    where o.line_id = l.id and o.finished_at is null and o.unconfirmed_at is null
      and (o.send_at is null or o.send_at <= ?)
  ) < ?
  returning seq`,
);

/**
 * Accepts a message, and answers its place in the order. Undefined when the line does not exist any
 * more, or so many of its messages wait already (those for a later time do not count).
 */
export async function insertAccepted(
  db: Transaction<Database>,
  send: {
    id: string;
    accountId: string;
    lineId: string;
    messageId: string;
    to: Jid;
    /** OutboundContent as JSON. */
    content: string;
    acceptedAt: number;
    /** Lower leaves first; default 1. */
    rank?: number;
    /** The chat goes to the archive once the message has left. */
    archives?: boolean;
    sendAt?: number | null;
    /** Messages that may wait; default any number. */
    room?: number;
  },
): Promise<number | undefined> {
  const { id, accountId, lineId, messageId, to, content, acceptedAt, rank = 1, room = Number.MAX_SAFE_INTEGER } = send;
  const row = await putAccepted.first(
    db,
    ...[id, accountId, messageId, to, accountText(accountId, content), acceptedAt, rank, send.sendAt ?? null],
    ...[send.archives ? acceptedAt : null, lineId, acceptedAt, room],
  );
  return row && Number(row.seq);
}

/** False once the line is deleted, or is being deleted. */
export async function isLineThere(db: Db, lineId: string): Promise<boolean> {
  const line = await db
    .selectFrom('lines')
    .select('id')
    .where('id', '=', lineId)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return line !== undefined;
}

/** Accepted messages of a line that wait for a later time. */
export async function countScheduled(db: Db, lineId: string, nowMs: number): Promise<number> {
  const row = await db
    .selectFrom('outbox')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('line_id', '=', lineId)
    .where('finished_at', 'is', null)
    .where('send_at', '>', nowMs)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** Accepted messages of a line that have not ended, without those for a later time. */
export async function countWaiting(db: Db, lineId: string, nowMs: number): Promise<number> {
  const row = await db
    .selectFrom('outbox')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('line_id', '=', lineId)
    .where('finished_at', 'is', null)
    .where('unconfirmed_at', 'is', null)
    .where((eb) => eb.or([eb('send_at', 'is', null), eb('send_at', '<=', nowMs)]))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** The same for every line of an account that has any, those for a later time too. */
export async function countWaitingByLine(db: Db, owner: LineOwner): Promise<Map<string, number>> {
  const rows = await db
    .selectFrom('lines as l')
    .innerJoin('outbox as o', 'o.line_id', 'l.id')
    .select(['o.line_id', (eb) => eb.fn.countAll().as('count')])
    .where('l.account_id', '=', owner.accountId)
    .where('l.mode', '=', owner.mode)
    .where('o.finished_at', 'is', null)
    .where('o.unconfirmed_at', 'is', null)
    .groupBy('o.line_id')
    .execute();
  return new Map(rows.map((row) => [row.line_id, Number(row.count)]));
}

export async function findSend(db: Db, id: string): Promise<SendRow | undefined> {
  const row = await db
    .selectFrom('outbox')
    .select([
      'id',
      'line_id',
      'message_id',
      'to_jid',
      'state',
      'accepted_at',
      'send_at',
      'ack_timestamp',
      'unconfirmed_at',
      'error_code',
      'error_details',
    ])
    .where('id', '=', id)
    .executeTakeFirst();
  return (
    row && {
      id: row.id,
      lineId: row.line_id,
      messageId: row.message_id,
      to: row.to_jid,
      state: row.state,
      acceptedAt: Number(row.accepted_at),
      sendAt: row.send_at === null ? null : Number(row.send_at),
      isUnconfirmed: row.unconfirmed_at !== null,
      end: endOf(row),
    }
  );
}

/**
 * Puts a failed message back to work with the same id and, once prepared, the same bytes. Undefined
 * when it is not failed.
 */
export async function reopenSend(
  db: Db,
  id: string,
): Promise<{ content: OutboundContent; acceptedAt: number } | undefined> {
  const row = await db
    .updateTable('outbox')
    .set((eb) => ({
      state: eb
        .case()
        .when('proto', 'is', null)
        .then('accepted' as const)
        .else('prepared' as const)
        .end(),
      error_code: null,
      error_details: null,
      finished_at: null,
    }))
    .where('id', '=', id)
    .where('state', '=', 'failed')
    // It may have arrived: sending it again is the sender's decision, as a new message.
    .where('error_code', '!=', 'unconfirmed')
    .returning(['content', 'accepted_at'])
    .executeTakeFirst();
  return row && { content: JSON.parse(row.content) as OutboundContent, acceptedAt: Number(row.accepted_at) };
}

/** A send that failed can be asked for again for this long (store/sends/idempotency.ts). */
const REOPENABLE_MS = 24 * 60 * 60 * 1_000;

/**
 * Whose file it is, while the send of this id may still have to upload it: it has not been made
 * ready, and may be or become due.
 */
export async function fileOwner(db: Db, outboxId: string, nowMs: number): Promise<string | undefined> {
  const row = await db
    .selectFrom('outbox')
    .select(['account_id', 'finished_at', 'state'])
    .where('id', '=', outboxId)
    .where('proto', 'is', null)
    .executeTakeFirst();
  if (!row) return undefined;
  const isOpen = row.finished_at === null;
  const mayReopen = row.state === 'failed' && nowMs - Number(row.finished_at) < REOPENABLE_MS;
  return isOpen || mayReopen ? row.account_id : undefined;
}
