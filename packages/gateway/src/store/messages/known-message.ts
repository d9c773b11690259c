import { type Jid, type Party, STATUS_BROADCAST } from '@ponte/engine';
import type { Kysely, Transaction } from 'kysely';
import type { MessageFacts } from '../../core/events.ts';
import type { Database } from '../db/schema.ts';
import { findChat } from './reading.ts';

type Db = Kysely<Database> | Transaction<Database>;

export interface KnownMessage {
  facts: MessageFacts;
  fromMe: boolean;
  /** Unix seconds, WhatsApp's clock. */
  timestamp: number;
  /** False when it was revoked, or its content was never readable. */
  hasContent: boolean;
}

/** Ids are drawn by clients: two people could use the same one. */
const SAME_ID_MAX = 20;

/**
 * Whether a message of this id can be quoted in a chat: `here` when it was said there, or said in a
 * group (or a status) by the person whose private chat this is. `elsewhere`: it is of another chat;
 * `nowhere`: its content is unknown.
 */
export async function quotableIn(
  db: Db,
  lineId: string,
  chat: Jid,
  id: string,
): Promise<'here' | 'elsewhere' | 'nowhere'> {
  const rows = await db
    .selectFrom('messages')
    .select(['chat_jid', 'sender_jid', 'from_me', 'facts'])
    .where('line_id', '=', lineId)
    .where('message_id', '=', id)
    .where('proto', 'is not', null)
    .limit(SAME_ID_MAX)
    .execute();
  if (rows.length === 0) return 'nowhere';
  const here = new Set<string | undefined>([chat, (await findChat(db, lineId, chat))?.jid ?? chat]);
  const isHere = (stored: string, { jid, lid, pn }: Party) =>
    [stored, jid, lid, pn].some((address) => address !== undefined && here.has(address));
  const found = rows.some((row) => {
    const facts = JSON.parse(row.facts) as MessageFacts;
    if (isHere(row.chat_jid, facts.chat)) return true;
    const isShared = facts.isGroup || row.chat_jid === STATUS_BROADCAST;
    return isShared && Number(row.from_me) === 0 && isHere(row.sender_jid, facts.sender);
  });
  return found ? 'here' : 'elsewhere';
}

/**
 * A message of a chat, which may be named by any address WhatsApp disclosed for it. Of two with one
 * id, the line's own.
 */
export async function findKnownMessage(
  db: Db,
  lineId: string,
  chat: Jid,
  id: string,
): Promise<KnownMessage | undefined> {
  const rows = await db
    .selectFrom('messages')
    .select((eb) => ['chat_jid', 'from_me', 'facts', 'timestamp', eb('proto', 'is not', null).as('has_content')])
    .where('line_id', '=', lineId)
    .where('message_id', '=', id)
    .orderBy('from_me', 'desc')
    .limit(SAME_ID_MAX)
    .execute();
  if (rows.length === 0) return undefined;
  const addresses = new Set([chat, (await findChat(db, lineId, chat))?.jid]);
  for (const row of rows) {
    const facts = JSON.parse(row.facts) as MessageFacts;
    const { jid, lid, pn } = facts.chat;
    if (![row.chat_jid, jid, lid, pn].some((address) => address !== undefined && addresses.has(address))) continue;
    return {
      facts,
      fromMe: Number(row.from_me) === 1,
      timestamp: Number(row.timestamp),
      hasContent: Boolean(Number(row.has_content)),
    };
  }
  return undefined;
}
