import type { Expiration, Party } from '@ponte/engine';
import { sql } from 'kysely';
import type { Tx } from '../db/store.ts';

/** How long messages of a chat stay, as a participant set it. */
export interface ChatExpiration extends Expiration {
  chat: Party;
}

/**
 * Notes how long messages of a chat stay, under every address that is known of it. What was set
 * later counts, in whatever order it is heard.
 */
export async function noteExpiration(tx: Tx, lineId: string, { chat, seconds, setAt }: ChatExpiration): Promise<void> {
  const addresses = [...new Set([chat.jid, chat.lid, chat.pn].filter((jid) => jid !== undefined))];
  await tx.db
    .insertInto('chat_expirations')
    .values(addresses.map((jid) => ({ line_id: lineId, jid, seconds, set_at: setAt })))
    .onConflict((conflict) =>
      conflict.columns(['line_id', 'jid']).doUpdateSet({
        seconds: sql`case when excluded.set_at >= chat_expirations.set_at then excluded.seconds else chat_expirations.seconds end`,
        set_at: sql`case when excluded.set_at >= chat_expirations.set_at then excluded.set_at else chat_expirations.set_at end`,
      }),
    )
    .execute();
}
