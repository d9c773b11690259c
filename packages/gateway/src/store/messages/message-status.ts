import { isLid, isPn, type MessageStatus } from '@ponte/engine';
import type { NewEvent } from '../../core/events.ts';
import type { Tx } from '../db/store.ts';

/**
 * The order of truth. `failed` is below `sent`: a message given up for lost that turns out
 * delivered was not lost.
 */
const ORDER: readonly MessageStatus[] = ['pending', 'failed', 'sent', 'delivered', 'read', 'played'];

/** The statuses that `status` may follow. */
export function earlierThan(status: MessageStatus): MessageStatus[] {
  return status === 'failed' ? ['pending'] : ORDER.slice(0, ORDER.indexOf(status));
}

export type StatusEvent = Extract<NewEvent, { type: 'message.status' }>;

/**
 * Moves our messages on to one status and returns the events that are true news: those of messages
 * this line sent, and that were not as far yet. All events must carry the same status. A message
 * that failed before it was ever made ready has no row; its failure is news all the same.
 */
export async function advance(tx: Tx, lineId: string, events: StatusEvent[]): Promise<StatusEvent[]> {
  const status = events[0]?.payload.status;
  if (status === undefined) return [];
  const ids = [...new Set(events.map((event) => event.payload.messageId))];
  const rows = await tx.db
    .updateTable('messages')
    .set({ status })
    .where('line_id', '=', lineId)
    .where('message_id', 'in', ids)
    .where('from_me', '=', 1)
    .where('status', 'in', earlierThan(status))
    .returning(['message_id', 'chat_jid'])
    .execute();
  const chatOf = new Map(rows.map((row) => [row.message_id, row.chat_jid]));
  const unknown = status === 'failed' ? await withoutRow(tx, lineId, ids) : new Set<string>();
  const seen = new Set<string>();
  return events.flatMap((event) => {
    const { messageId } = event.payload;
    const chatJid = chatOf.get(messageId);
    // Two readers in one run: the first one moved the message.
    if (seen.has(messageId) || (chatJid === undefined && !unknown.has(messageId))) return [];
    seen.add(messageId);
    return [chatJid === undefined ? event : inChat(event, chatJid)];
  });
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
