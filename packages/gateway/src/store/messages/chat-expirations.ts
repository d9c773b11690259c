import type { Expiration, Jid, Party } from '@ponte/engine';
import type { Kysely, Transaction } from 'kysely';
import { sql } from 'kysely';
import type { Database } from '../db/schema.ts';
import type { Tx } from '../db/store.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** How long messages of a chat stay, as somebody said it. */
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

/**
 * How long messages of a chat stay; undefined when nobody said, seconds 0 when they stay for good.
 */
export async function findExpiration(db: Db, lineId: string, chat: Jid): Promise<Expiration | undefined> {
  const row = await db
    .selectFrom('chat_expirations')
    .select(['seconds', 'set_at'])
    .where('line_id', '=', lineId)
    .where((eb) =>
      eb.or([
        eb('jid', '=', chat),
        eb(
          'jid',
          'in',
          eb
            .selectFrom('chats')
            .select('chats.jid')
            .where('chats.line_id', '=', lineId)
            .where((of) => of.or([of('chats.pn', '=', chat), of('chats.lid', '=', chat)])),
        ),
      ]),
    )
    .orderBy('set_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row && { seconds: Number(row.seconds), setAt: Number(row.set_at) };
}
