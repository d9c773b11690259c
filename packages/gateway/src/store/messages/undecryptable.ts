import type { EventPayloads, MessageFacts, NewEvent } from '../../core/events.ts';
import type { Tx } from '../db/store.ts';

export type UndecryptableEvent = Extract<NewEvent, { type: 'message.undecryptable' }>;

/**
 * The events about messages that are not readable by now: a copy that came too late, of a message
 * that is known, is no news.
 */
export async function stillUnread(tx: Tx, lineId: string, events: UndecryptableEvent[]): Promise<UndecryptableEvent[]> {
  const ids = [...new Set(events.map(({ payload }) => payload.messageId))];
  const rows = await tx.db
    .selectFrom('messages')
    .select(['message_id', 'chat_jid'])
    .where('line_id', '=', lineId)
    .where('message_id', 'in', ids)
    .where('kind', '!=', 'undecryptable')
    .execute();
  const known = new Set(rows.map((row) => `${row.chat_jid} ${row.message_id}`));
  return events.filter(({ chat, payload }) => !known.has(`${chat} ${payload.messageId}`));
}

/** What stands in the place of a message that cannot be read (yet). */
export function placeholderOf(of: EventPayloads['message.undecryptable']): MessageFacts {
  const { messageId, chat, sender, fromMe, isGroup, pushName, timestamp } = of;
  const content = { kind: 'undecryptable', body: '' } as const;
  return { messageId, chat, sender, fromMe, isGroup, pushName, timestamp, content, quotedId: null, mentions: [] };
}
