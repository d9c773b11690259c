import type { HistoryChat, HistoryMessage, HistoryPiece, Party } from '@ponte/engine';
import { sql } from 'kysely';
import { canonicalJid } from '../../core/event-keys.ts';
import { factsOf } from '../../core/message-facts.ts';
import { storable } from '../../core/storable.ts';
import type { Tx } from '../db/store.ts';
import { applyMappings } from './address-mappings.ts';
import { noteExpiration } from './chat-expirations.ts';
import { noteGroups } from './chat-groups.ts';
import { addresses, messageRow } from './projections.ts';

/**
 * Puts a piece of the past beside what is known already: messages, chats, contacts. No events and
 * no deliveries: it is what happened before. Doing it again changes nothing, and what the line saw
 * itself is never overwritten by what the phone remembers.
 */
export async function applyHistory(tx: Tx, lineId: string, piece: HistoryPiece, nowMs: number): Promise<void> {
  switch (piece.type) {
    case 'addresses':
      await applyMappings(tx, lineId, piece.pairs);
      break;
    case 'names':
      await notePeople(
        tx,
        lineId,
        piece.names.map(({ person, pushName }) => ({ person, name: null, pushName })),
        nowMs,
      );
      break;
    case 'chat':
      await applyChat(tx, lineId, piece, nowMs);
  }
}

export interface KnownPerson {
  person: Party;
  /** Its name in the address book. */
  name: string | null;
  pushName: string;
}

async function applyChat(
  tx: Tx,
  lineId: string,
  { chat, messages }: { chat: HistoryChat; messages: HistoryMessage[] },
  nowMs: number,
): Promise<void> {
  if (messages.length > 0) {
    const rows = messages.map((message) =>
      messageRow(lineId, factsOf(message), { proto: message.proto, status: message.status, nowMs }),
    );
    await tx.db
      .insertInto('messages')
      .values(rows)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
  await noteChat(tx, lineId, chat, newest(messages), nowMs);
  if (chat.expiration && !chat.isGroup) await noteExpiration(tx, lineId, { chat: chat.chat, ...chat.expiration });
  if (chat.isGroup && chat.name !== '') {
    await noteGroups(tx.db, lineId, [{ jid: chat.chat.jid, subject: chat.name, subjectAt: 0 }], nowMs);
  }
  const people = new Map<string, KnownPerson>();
  for (const { fromMe, sender, pushName } of messages) {
    if (!fromMe) people.set(canonicalJid(sender), { person: sender, name: null, pushName });
  }
  if (!chat.isGroup) {
    const jid = canonicalJid(chat.chat);
    people.set(jid, { person: chat.chat, name: chat.name || null, pushName: people.get(jid)?.pushName ?? '' });
  }
  await notePeople(tx, lineId, [...people.values()], nowMs);
}

const newest = (messages: HistoryMessage[]): HistoryMessage | undefined =>
  messages.reduce<HistoryMessage | undefined>(
    (last, one) => (last && last.timestamp >= one.timestamp ? last : one),
    undefined,
  );

const isNewer = sql`coalesce(excluded.last_message_at, -1) > coalesce(chats.last_message_at, -1)`;

/** The row of a chat. One that is there keeps its state: it is newer than the past. */
async function noteChat(
  tx: Tx,
  lineId: string,
  chat: HistoryChat,
  last: HistoryMessage | undefined,
  nowMs: number,
): Promise<void> {
  await tx.db
    .insertInto('chats')
    .values({
      line_id: lineId,
      jid: canonicalJid(chat.chat),
      ...addresses(chat.chat),
      name: storable(chat.name) || null,
      is_group: chat.isGroup ? 1 : 0,
      archived: chat.isArchived ? 1 : 0,
      unread_count: chat.unread,
      last_message_id: last?.id ?? null,
      last_message_at: last ? last.timestamp * 1_000 : null,
      updated_at: nowMs,
    })
    .onConflict((conflict) =>
      conflict.columns(['line_id', 'jid']).doUpdateSet({
        pn: sql`coalesce(chats.pn, excluded.pn)`,
        lid: sql`coalesce(chats.lid, excluded.lid)`,
        name: sql`coalesce(chats.name, excluded.name)`,
        last_message_id: sql`case when ${isNewer} then excluded.last_message_id else chats.last_message_id end`,
        last_message_at: sql`case when ${isNewer} then excluded.last_message_at else chats.last_message_at end`,
      }),
    )
    .execute();
}

/**
 * Stores people's names. The phone decides the address book's name; a push name that came with a
 * message is newer than the one of the history.
 */
export async function notePeople(tx: Tx, lineId: string, people: KnownPerson[], nowMs: number): Promise<void> {
  // PostgreSQL takes each key once in a statement.
  const known = new Map(people.map((one) => [canonicalJid(one.person), one]));
  if (known.size === 0) return;
  await tx.db
    .insertInto('contacts')
    .values(
      [...known].map(([jid, { person, name, pushName }]) => ({
        line_id: lineId,
        jid,
        ...addresses(person),
        name: name === null ? null : storable(name),
        username: person.username ?? null,
        push_name: storable(pushName) || null,
        updated_at: nowMs,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['line_id', 'jid']).doUpdateSet({
        pn: sql`coalesce(contacts.pn, excluded.pn)`,
        lid: sql`coalesce(contacts.lid, excluded.lid)`,
        name: sql`coalesce(excluded.name, contacts.name)`,
        username: sql`coalesce(excluded.username, contacts.username)`,
        push_name: sql`coalesce(contacts.push_name, excluded.push_name)`,
      }),
    )
    .execute();
}
