import type { MessageLookup, Party } from '@ponte/engine';
import type { MessageFacts } from '../core/events.ts';
import type { Store } from '../store/store.ts';

/** A line's stored messages, for the engine: it is asked for the bytes again, or quotes one. */
export function createMessageLookup(store: Store, lineId: string): MessageLookup {
  return {
    async proto(id, chat) {
      const rows = await store.db
        .selectFrom('messages')
        .select(['proto', 'facts', 'from_me', 'chat_jid'])
        .where('line_id', '=', lineId)
        .where('message_id', '=', id)
        .where('proto', 'is not', null)
        .limit(2)
        .execute();
      const row = rows.find((each) => each.chat_jid === chat) ?? rows[0];
      if (!row?.proto) return undefined;
      const sender: Party = (JSON.parse(row.facts) as MessageFacts).sender;
      return { proto: row.proto, sender, fromMe: Number(row.from_me) === 1 };
    },
  };
}
