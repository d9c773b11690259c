import type { Jid } from '@ponte/engine';
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
 * True when a message of this id with its content is stored, in whatever chat: one may answer in
 * private what was said in a group.
 */
export async function isQuotable(db: Db, lineId: string, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('messages')
    .select('message_id')
    .where('line_id', '=', lineId)
    .where('message_id', '=', id)
    .where('proto', 'is not', null)
    .executeTakeFirst();
  return row !== undefined;
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
