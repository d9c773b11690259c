import type { Jid } from '@ponte/engine';
import type { Kysely, Transaction } from 'kysely';
import type { MessageFacts } from '../../core/events.ts';
import type { Database } from '../db/schema.ts';
import { knownNumber } from './people.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** Read receipts of one call at most. */
const MAX_UNREAD = 200;

export interface ChatRow {
  jid: Jid;
  unreadCount: number;
}

/**
 * A chat by any address WhatsApp disclosed for it, or by another way to write its number.
 */
export async function findChat(db: Db, lineId: string, address: Jid): Promise<ChatRow | undefined> {
  const chat = await chatAt(db, lineId, address);
  if (chat) return chat;
  const known = await knownNumber(db, lineId, address);
  return known === address ? undefined : chatAt(db, lineId, known);
}

async function chatAt(db: Db, lineId: string, address: Jid): Promise<ChatRow | undefined> {
  const row = await db
    .selectFrom('chats')
    .select(['jid', 'unread_count'])
    .where('line_id', '=', lineId)
    .where((eb) => eb.or([eb('jid', '=', address), eb('pn', '=', address), eb('lid', '=', address)]))
    .executeTakeFirst();
  return row && { jid: row.jid, unreadCount: Number(row.unread_count) };
}

/** Whether this person ever wrote to the line, as far as is stored. */
export async function hasWritten(db: Db, lineId: string, person: Jid): Promise<boolean> {
  const chat = await findChat(db, lineId, person);
  if (!chat) return false;
  const row = await db
    .selectFrom('messages')
    .select('message_id')
    .where('line_id', '=', lineId)
    .where('chat_jid', '=', chat.jid)
    .where('from_me', '=', 0)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * The oldest message of a chat that is stored; undefined when there is none. `timestamp` in Unix
 * seconds.
 */
export async function oldestOf(
  db: Db,
  lineId: string,
  chatJid: Jid,
): Promise<{ id: string; fromMe: boolean; timestamp: number } | undefined> {
  const row = await db
    .selectFrom('messages')
    .select(['message_id', 'from_me', 'timestamp'])
    .where('line_id', '=', lineId)
    .where('chat_jid', '=', chatJid)
    .orderBy('timestamp')
    .orderBy('seq')
    .limit(1)
    .executeTakeFirst();
  return row && { id: row.message_id, fromMe: Number(row.from_me) === 1, timestamp: Number(row.timestamp) };
}

/**
 * The unread messages of a chat: as many of its last received ones as its counter says, 200 at
 * most.
 */
export async function unreadOf(db: Db, lineId: string, chat: ChatRow): Promise<{ id: string; sender: Jid }[]> {
  if (chat.unreadCount <= 0) return [];
  const rows = await db
    .selectFrom('messages')
    .select(['message_id', 'sender_jid'])
    .where('line_id', '=', lineId)
    .where('chat_jid', '=', chat.jid)
    .where('from_me', '=', 0)
    .orderBy('timestamp', 'desc')
    .orderBy('seq', 'desc')
    .limit(Math.min(chat.unreadCount, MAX_UNREAD))
    .execute();
  return rows.map((row) => ({ id: row.message_id, sender: row.sender_jid }));
}

/**
 * Those of these messages that are of a chat, which may be named by any address WhatsApp disclosed
 * for it.
 */
export async function knownIn(
  db: Db,
  lineId: string,
  chat: Jid,
  ids: string[],
): Promise<{ id: string; sender: Jid }[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('messages')
    .select(['message_id', 'sender_jid', 'chat_jid', 'facts'])
    .where('line_id', '=', lineId)
    .where('message_id', 'in', ids)
    .execute();
  const addresses = new Set<string | undefined>([chat, (await findChat(db, lineId, chat))?.jid ?? chat]);
  return rows.flatMap((row) => {
    const { jid, lid, pn } = (JSON.parse(row.facts) as MessageFacts).chat;
    if (![row.chat_jid, jid, lid, pn].some((address) => address !== undefined && addresses.has(address))) return [];
    return [{ id: row.message_id, sender: row.sender_jid }];
  });
}

/** Nothing is unread in the chat any more. */
export async function markChatRead(db: Db, lineId: string, address: Jid): Promise<void> {
  await db
    .updateTable('chats')
    .set({ unread_count: 0 })
    .where('line_id', '=', lineId)
    .where((eb) => eb.or([eb('jid', '=', address), eb('pn', '=', address), eb('lid', '=', address)]))
    .execute();
}
