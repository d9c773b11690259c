import { type Jid, STATUS_BROADCAST } from '@ponte/engine';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { MessageFacts } from '../../core/events.ts';
import type { Database } from '../db/schema.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** The last message of a chat, as far as a list shows it. */
export interface LastMessage {
  id: string;
  body: string;
  kind: string;
  /** It was deleted for everyone. */
  isRevoked: boolean;
  fromMe: boolean;
  /** Unix seconds. */
  timestamp: number;
}

export interface ListedChat {
  /** The chat's key here: its LID when WhatsApp disclosed one. */
  jid: Jid;
  /** Its phone-number address; null for groups and for people whose number is not known. */
  pn: Jid | null;
  name: string | null;
  isGroup: boolean;
  archived: boolean;
  unreadCount: number;
  lastMessage: LastMessage | null;
  updatedAt: number;
}

/** Where a page ended: its last chat's place in the list. */
export interface ChatCursor {
  /** Unix milliseconds of its last message; 0 when it has none. */
  at: number;
  jid: Jid;
}

/**
 * A line's chats, the one with the newest message first. A chat that gets a message while a client
 * pages moves to the front; all others keep their place, so none of them is left out or shown
 * twice.
 */
export async function listChats(
  db: Db,
  lineId: string,
  query: { archived?: boolean; after?: ChatCursor; limit: number },
): Promise<{ chats: ListedChat[]; next: ChatCursor | null }> {
  const at = sql<number>`coalesce(c.last_message_at, 0)`;
  let select = db
    .selectFrom('chats as c')
    .leftJoin('contacts as k', (join) => join.onRef('k.line_id', '=', 'c.line_id').onRef('k.jid', '=', 'c.jid'))
    .leftJoin('chat_groups as g', (join) => join.onRef('g.line_id', '=', 'c.line_id').onRef('g.jid', '=', 'c.jid'))
    .select(['c.jid', 'c.pn', 'c.name', 'c.is_group', 'c.archived', 'c.unread_count', 'c.last_message_id'])
    .select(['c.updated_at', 'k.name as contact_name', 'k.push_name', 'g.subject', at.as('at')])
    .where('c.line_id', '=', lineId)
    .orderBy(at, 'desc')
    .orderBy('c.jid', 'desc')
    .limit(query.limit + 1);
  if (query.archived !== undefined) select = select.where('c.archived', '=', query.archived ? 1 : 0);
  const { after } = query;
  if (after) select = select.where(sql<boolean>`(coalesce(c.last_message_at, 0), c.jid) < (${after.at}, ${after.jid})`);
  const rows = await select.execute();
  const page = rows.slice(0, query.limit);
  const last = await lastMessages(
    db,
    lineId,
    page.flatMap((row) => row.last_message_id ?? []),
  );
  const chats = page.map((row) => ({
    jid: row.jid,
    pn: row.pn,
    // Rows of older versions may carry the name of the last person who posted.
    name:
      row.jid === STATUS_BROADCAST ? null : ((row.subject || null) ?? row.contact_name ?? row.name ?? row.push_name),
    isGroup: Number(row.is_group) === 1,
    archived: Number(row.archived) === 1,
    unreadCount: Number(row.unread_count),
    lastMessage: last.get(`${row.jid} ${row.last_message_id}`) ?? null,
    updatedAt: Number(row.updated_at),
  }));
  const end = page.at(-1);
  return { chats, next: rows.length > query.limit && end ? { at: Number(end.at), jid: end.jid } : null };
}

/** By chat and id, separated by a space. */
async function lastMessages(db: Db, lineId: string, ids: string[]): Promise<Map<string, LastMessage>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom('messages')
    .select(['message_id', 'chat_jid', 'body', 'kind', 'from_me', 'timestamp', 'facts'])
    .where('line_id', '=', lineId)
    .where('message_id', 'in', ids)
    .execute();
  return new Map(
    rows.map((row) => [
      `${row.chat_jid} ${row.message_id}`,
      {
        id: row.message_id,
        body: row.body,
        kind: row.kind,
        isRevoked: (JSON.parse(row.facts) as MessageFacts).revoked !== undefined,
        fromMe: Number(row.from_me) === 1,
        timestamp: Number(row.timestamp),
      },
    ]),
  );
}
