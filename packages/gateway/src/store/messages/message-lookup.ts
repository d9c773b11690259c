import { type MessageLookup, party } from '@ponte/engine';
import type { MessageFacts } from '../../core/events.ts';
import type { Store } from '../db/store.ts';

/** Ids are drawn by clients: two people could use the same one. */
const SAME_ID_MAX = 20;

/**
 * A line's stored messages, for the engine: it is asked for the bytes again, quotes one, or opens a
 * vote. What changes another message (a reaction, an edit) is no message of its own: its bytes lie
 * in the outbox only.
 */
export function createMessageLookup(store: Store, lineId: string): MessageLookup {
  return {
    async proto(id, chat) {
      const rows = await store.db
        .selectFrom('messages')
        .select(['proto', 'facts', 'from_me', 'chat_jid'])
        .where('line_id', '=', lineId)
        .where('message_id', '=', id)
        .limit(SAME_ID_MAX)
        .execute();
      if (rows.length === 0) return sentBytes(store, lineId, id);
      const withBytes = rows.filter((each) => each.proto !== null);
      const row = withBytes.find((each) => each.chat_jid === chat) ?? withBytes[0];
      if (!row?.proto) return undefined;
      const { sender, chat: said, timestamp } = JSON.parse(row.facts) as MessageFacts;
      return { proto: row.proto, sender, fromMe: Number(row.from_me) === 1, chat: said, timestamp };
    },
  };
}

async function sentBytes(store: Store, lineId: string, id: string): ReturnType<MessageLookup['proto']> {
  const row = await store.db
    .selectFrom('outbox')
    .innerJoin('lines', 'lines.id', 'outbox.line_id')
    .select(['outbox.proto', 'lines.jid', 'lines.lid'])
    .where('outbox.line_id', '=', lineId)
    .where('outbox.message_id', '=', id)
    .executeTakeFirst();
  if (!row?.proto || row.jid === null) return undefined;
  return { proto: row.proto, sender: party(row.jid, row.lid ?? undefined), fromMe: true };
}
