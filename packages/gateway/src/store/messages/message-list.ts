import type { Jid, MessageStatus, Party } from '@ponte/engine';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { MessageFacts } from '../../core/events.ts';
import { mentionedIn } from '../../core/message-facts.ts';
import type { DatabaseEngine } from '../db/dialect.ts';
import type { Database } from '../db/schema.ts';
import { peopleKnownNow } from './people.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** A stored message. */
export interface ListedMessage {
  /** The people in them carry the addresses that are known now. */
  facts: MessageFacts;
  /** The author's name as it is now; empty when unknown. */
  name: string;
  messageId: string;
  /** The chat's address: the phone number when it is known. */
  chat: Jid;
  kind: string;
  body: string;
  fromMe: boolean;
  status: MessageStatus;
  /** Unix seconds. */
  timestamp: number;
}

/** A place in a list of messages: everything before it is older. */
export interface MessagePlace {
  /** Unix seconds. */
  timestamp: number;
  /** Tells messages of one second apart. */
  seq: number;
}

export interface MessageQuery {
  /** The chat's key; absent: every chat of the line. */
  chatJid?: Jid;
  /**
   * Words that a message must have, each whole or as the beginning of a longer one
   * (core/search-text.ts).
   */
  words?: readonly string[];
  before?: MessagePlace;
  limit: number;
}

const COLUMNS = [
  'm.seq',
  'm.message_id',
  'm.kind',
  'm.body',
  'm.facts',
  'm.from_me',
  'm.status',
  'm.timestamp',
  'c.pn',
  'm.chat_jid',
] as const;

const messagesOf = (db: Db, lineId: string) =>
  db
    .selectFrom('messages as m')
    .leftJoin('chats as c', (join) => join.onRef('c.line_id', '=', 'm.line_id').onRef('c.jid', '=', 'm.chat_jid'))
    .select(COLUMNS)
    .where('m.line_id', '=', lineId);

type Row = Awaited<ReturnType<ReturnType<typeof messagesOf>['execute']>>[number];

function toMessage(row: Row): ListedMessage {
  const facts = JSON.parse(row.facts) as MessageFacts;
  return {
    facts,
    name: facts.pushName,
    messageId: row.message_id,
    chat: row.pn ?? row.chat_jid,
    kind: row.kind,
    body: row.body,
    fromMe: Number(row.from_me) === 1,
    status: row.status as MessageStatus,
    timestamp: Number(row.timestamp),
  };
}

/**
 * A line's messages, newest first. `next` is where the following page begins; null at the end. New
 * messages come before the first page, never into a later one.
 */
export async function listMessages(
  { db, engine }: { db: Db; engine: DatabaseEngine },
  lineId: string,
  query: MessageQuery,
): Promise<{ messages: ListedMessage[]; next: MessagePlace | null }> {
  let select = messagesOf(db, lineId)
    .orderBy('m.timestamp', 'desc')
    .orderBy('m.seq', 'desc')
    .limit(query.limit + 1);
  if (query.chatJid !== undefined) select = select.where('m.chat_jid', '=', query.chatJid);
  if (query.words) select = select.where(matches(engine, lineId, query.words));
  const { before } = query;
  if (before) select = select.where(sql<boolean>`(m.timestamp, m.seq) < (${before.timestamp}, ${before.seq})`);
  const rows = await select.execute();
  const page = rows.slice(0, query.limit);
  const end = page.at(-1);
  const isMore = rows.length > query.limit && end !== undefined;
  return {
    messages: await shownNow(db, lineId, page.map(toMessage)),
    next: isMore ? { timestamp: Number(end.timestamp), seq: Number(end.seq) } : null,
  };
}

/**
 * Words have letters and numbers only (`searchWords`), so they need no escaping in either query
 * language.
 */
function matches(engine: DatabaseEngine, lineId: string, queried: readonly string[]) {
  if (engine === 'sqlite') {
    const text = `line_id : "${lineId}" AND search : (${queried.map((word) => `"${word}" *`).join(' AND ')})`;
    // What came since the last batch is not in the index yet (search-index.ts).
    const words = sql.join(
      queried.map((word) => sql`instr(' ' || t.search, ${` ${word}`}) > 0`),
      sql` and `,
    );
    return sql<boolean>`m.seq in (
      select rowid from messages_search where messages_search match ${text}
      union all
      select t.seq from messages as t
      where t.seq > (select indexed_to from messages_search_mark) and t.line_id = ${lineId} and ${words}
    )`;
  }
  const text = queried.map((word) => `${word}:*`).join(' & ');
  return sql<boolean>`m.search <> '' and (to_tsvector('simple', m.search) || array_to_tsvector(array[m.line_id]))
    @@ (${`'${lineId}'`}::tsquery && to_tsquery('simple', ${text}))`;
}

/**
 * The messages with people's names and addresses of now, not those of the time they were written.
 */
async function shownNow(db: Db, lineId: string, messages: ListedMessage[]): Promise<ListedMessage[]> {
  const people = await peopleKnownNow(
    db,
    lineId,
    messages.flatMap(({ facts }) => peopleIn(facts)),
  );
  return messages.map((message) => {
    const { facts, fromMe } = message;
    const by = <T extends { by: Party }>(mark: T | undefined) => mark && { ...mark, by: people.party(mark.by) };
    return {
      ...message,
      name: (fromMe ? undefined : people.name(facts.sender)) ?? message.name,
      facts: {
        ...facts,
        sender: people.party(facts.sender),
        chat: people.party(facts.chat),
        mentions: mentionedIn(facts).map((one) => people.party(one)),
        ...(facts.edited ? { edited: by(facts.edited) } : {}),
        ...(facts.revoked ? { revoked: by(facts.revoked) } : {}),
      },
    };
  });
}

const peopleIn = (facts: MessageFacts): Party[] => [
  facts.sender,
  facts.chat,
  ...mentionedIn(facts),
  ...(facts.edited ? [facts.edited.by] : []),
  ...(facts.revoked ? [facts.revoked.by] : []),
];

/** A message of the line by its id, with its place; of two with one id, the line's own. */
export async function findListed(
  db: Db,
  lineId: string,
  messageId: string,
): Promise<{ message: ListedMessage; place: MessagePlace } | undefined> {
  const row = await messagesOf(db, lineId)
    .where('m.message_id', '=', messageId)
    .orderBy('m.from_me', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!row) return undefined;
  const [message] = await shownNow(db, lineId, [toMessage(row)]);
  return message && { message, place: { timestamp: Number(row.timestamp), seq: Number(row.seq) } };
}
