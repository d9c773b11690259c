import { isGroup, isLid, isPn, type MessageStatus, type Party, STATUS_BROADCAST } from '@ponte/engine';
import { canonicalJid, receiptKey } from '../../core/event-keys.ts';
import type { NewEvent } from '../../core/events.ts';
import { hot } from '../db/hot.ts';
import type { Tx } from '../db/store.ts';
import { noteReaders, type ReaderCounts } from './readers.ts';

/**
 * The order of truth. `failed` is below `sent`: a message given up for lost that turns out
 * delivered was not lost.
 */
const ORDER: readonly MessageStatus[] = ['pending', 'failed', 'sent', 'delivered', 'read', 'played'];

/** Statuses that only a message has which reached the other side. */
export const ARRIVED: readonly MessageStatus[] = ['delivered', 'read', 'played'];

/** True when a receipt showed that this message of ours reached a recipient. */
export async function hasArrived(tx: Tx, lineId: string, messageId: string): Promise<boolean> {
  const row = await tx.db
    .selectFrom('messages')
    .select('message_id')
    .where('line_id', '=', lineId)
    .where('message_id', '=', messageId)
    .where('from_me', '=', 1)
    .where('status', 'in', ARRIVED)
    .executeTakeFirst();
  return row !== undefined;
}

/** The statuses that `status` may follow. */
export function earlierThan(status: MessageStatus): MessageStatus[] {
  return status === 'failed' ? ['pending'] : ORDER.slice(0, ORDER.indexOf(status));
}

/** `by`: whose receipt it is; undefined for what no reader said. */
export type StatusEvent = Extract<NewEvent, { type: 'message.status' }> & { by?: Party };
export type ReceiptEvent = Extract<NewEvent, { type: 'message.receipt' }>;

/** What receipts say that was not known. */
export interface Advance {
  /** How far messages came, one event a message. */
  news: StatusEvent[];
  /** Every member of a group that got or read one, for those who ask. */
  receipts: ReceiptEvent[];
}

/**
 * Moves our messages on to one status and answers the events that are true news: those of messages
 * this line sent, and that were not as far yet. All events must carry the same status. A message
 * that failed before it was ever made ready has no row; its failure is news all the same. Readers
 * in groups are noted, each of them; the event of the step says how many there are by now.
 */
export async function advance(tx: Tx, lineId: string, events: StatusEvent[], nowMs: number): Promise<Advance> {
  const status = events[0]?.payload.status;
  if (status === undefined) return { news: [], receipts: [] };
  const ids = [...new Set(events.map((event) => event.payload.messageId))];
  const rows = await moveOn(tx, lineId, ids, status);
  const chatOf = new Map(rows.map((row) => [row.message_id, row.chat_jid]));
  const unknown = status === 'failed' ? await withoutRow(tx, lineId, ids) : new Set<string>();
  const { receipts, counts } = await noteMembers(tx, lineId, events, nowMs);
  const seen = new Set<string>();
  const news = events.flatMap((event) => {
    const { messageId } = event.payload;
    const chatJid = chatOf.get(messageId);
    // Two readers in one run: the first one moved the message.
    if (seen.has(messageId) || (chatJid === undefined && !unknown.has(messageId))) return [];
    seen.add(messageId);
    const counted = withCounts(event, counts.get(messageId));
    return [chatJid === undefined ? counted : inChat(counted, chatJid)];
  });
  return { news, receipts };
}

const moveOne = hot<[MessageStatus, string, string, string], { message_id: string; chat_jid: string }>({
  sqlite: `update messages set status = ? where line_id = ? and message_id = ? and from_me = 1
    and status in (select value from json_each(?)) returning message_id, chat_jid`,
  postgres: `update messages set status = ? where line_id = ? and message_id = ? and from_me = 1
    and status in (select json_array_elements_text(cast(? as json))) returning message_id, chat_jid`,
});

/** Those of these messages that were not as far yet, each in its chat. */
async function moveOn(tx: Tx, lineId: string, ids: string[], status: MessageStatus) {
  const [only] = ids;
  // A receipt for one message is what nearly all of them are.
  if (only !== undefined && ids.length === 1) {
    return moveOne.all(tx.db, status, lineId, only, JSON.stringify(earlierThan(status)));
  }
  return tx.db
    .updateTable('messages')
    .set({ status })
    .where('line_id', '=', lineId)
    .where('message_id', 'in', ids)
    .where('from_me', '=', 1)
    .where('status', 'in', earlierThan(status))
    .returning(['message_id', 'chat_jid'])
    .execute();
}

const withCounts = (event: StatusEvent, counts: ReaderCounts | undefined): StatusEvent =>
  counts ? { ...event, payload: { ...event.payload, counts } } : event;

const isShared = (chat: string): boolean => isGroup(chat) || chat === STATUS_BROADCAST;

/** Who of a group got or read which of our messages. */
async function noteMembers(
  tx: Tx,
  lineId: string,
  events: StatusEvent[],
  nowMs: number,
): Promise<{ receipts: ReceiptEvent[]; counts: Map<string, ReaderCounts> }> {
  const said = events.flatMap(({ by, payload }) => {
    const { messageId, chat, status, timestamp } = payload;
    if (!by || !isShared(chat.jid) || (status !== 'delivered' && status !== 'read' && status !== 'played')) return [];
    return [{ messageId, chat, by, reader: canonicalJid(by), status, timestamp }];
  });
  if (said.length === 0) return { receipts: [], counts: new Map() };
  const own = await tx.db
    .selectFrom('messages')
    .select(['message_id', 'sender_jid'])
    .where('line_id', '=', lineId)
    .where('message_id', 'in', [...new Set(said.map(({ messageId }) => messageId))])
    .where('from_me', '=', 1)
    .execute();
  const authorOf = new Map(own.map((row) => [row.message_id, row.sender_jid]));
  // A receipt of another device of the account itself does not count as read.
  const read = said.filter(({ messageId, reader }) => (authorOf.get(messageId) ?? reader) !== reader);
  const counts = await noteReaders(tx.db, lineId, read, nowMs);
  const receipts = read.map(({ messageId, chat, by, reader, status, timestamp }): ReceiptEvent => {
    const payload = { messageId, chat, by, status, timestamp };
    return {
      type: 'message.receipt',
      payload,
      dedupeKey: receiptKey(messageId, reader, status),
      chat: canonicalJid(chat),
    };
  });
  return { receipts, counts };
}

/**
 * The event under the chat its message is stored in: WhatsApp may name a chat by number in one
 * stanza and by LID in the next.
 */
function inChat(event: StatusEvent, chatJid: string): StatusEvent {
  const { chat } = event.payload;
  const known = {
    ...chat,
    ...(isLid(chatJid) ? { lid: chatJid } : {}),
    ...(isPn(chatJid) ? { pn: chatJid } : {}),
  };
  return { ...event, payload: { ...event.payload, chat: known }, chat: chatJid };
}

async function withoutRow(tx: Tx, lineId: string, ids: string[]): Promise<Set<string>> {
  const rows = await tx.db
    .selectFrom('messages')
    .select('message_id')
    .where('line_id', '=', lineId)
    .where('message_id', 'in', ids)
    .execute();
  const known = new Set(rows.map((row) => row.message_id));
  return new Set(ids.filter((id) => !known.has(id)));
}
