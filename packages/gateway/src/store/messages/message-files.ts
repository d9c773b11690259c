import type { Jid } from '@ponte/engine';
import type { Kysely, Transaction } from 'kysely';
import type { MessageFacts } from '../../core/events.ts';
import { lineBytes } from '../db/contents.ts';
import type { Database } from '../db/schema.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** A stored message, with the bytes that name its file. */
export interface MessageWithBytes {
  chatJid: Jid;
  facts: MessageFacts;
  fromMe: boolean;
  /** Null when its content is gone: it was revoked, or never readable. */
  proto: Uint8Array | null;
}

/** Ids are drawn by clients: two people could use the same one. */
const SAME_ID_MAX = 20;

/** Messages of a line with this id, those with a file first. */
export async function findMessagesWithBytes(db: Db, lineId: string, messageId: string): Promise<MessageWithBytes[]> {
  const rows = await db
    .selectFrom('messages')
    .select(['chat_jid', 'facts', 'from_me', 'proto'])
    .where('line_id', '=', lineId)
    .where('message_id', '=', messageId)
    .limit(SAME_ID_MAX)
    .execute();
  const found = rows.map((row) => ({
    chatJid: row.chat_jid,
    facts: JSON.parse(row.facts) as MessageFacts,
    fromMe: Number(row.from_me) === 1,
    proto: row.proto,
  }));
  const rank = ({ facts, proto }: MessageWithBytes) => (facts.content.media && proto ? 0 : 1);
  return found.sort((a, b) => rank(a) - rank(b));
}

/** Notes where the file of a message lies now. */
export async function updateMessageBytes(
  db: Db,
  of: { lineId: string; messageId: string; chatJid: Jid },
  proto: Uint8Array,
): Promise<void> {
  await db
    .updateTable('messages')
    .set({ proto: lineBytes(of.lineId, Buffer.from(proto)) })
    .where('line_id', '=', of.lineId)
    .where('message_id', '=', of.messageId)
    .where('chat_jid', '=', of.chatJid)
    .where('proto', 'is not', null)
    .execute();
}
