import { isLid, isPn, type MessageStatus, type Party } from '@ponte/engine';
import { sql } from 'kysely';
import { canonicalJid } from '../../core/event-keys.ts';
import type { JournalEvent, MessageFacts } from '../../core/events.ts';
import { searchText, textsOf } from '../../core/search-text.ts';
import { storable } from '../../core/storable.ts';
import type { Tx } from '../db/store.ts';
import { noteRestriction } from '../lines/restrictions.ts';
import { projectChange } from './changes.ts';
import { projectGroup } from './group-names.ts';
import { placeholderOf } from './undecryptable.ts';

/** A new event, with the bytes of its message when it is one. */
export interface Projected {
  event: JournalEvent;
  proto: Uint8Array | undefined;
}

type MessageEvent = Extract<JournalEvent, { type: 'message.received' | 'message.sent' }>;
const isMessage = (event: JournalEvent): event is MessageEvent =>
  event.type === 'message.received' || event.type === 'message.sent';

/** A message as its chat and its people are concerned. */
interface Said {
  facts: MessageFacts;
  /** It came in, if only from another device of the account. */
  isReceived: boolean;
  /** False: its row was there before (history, or a place kept for it), and so was it counted. */
  isNew: boolean;
}

/**
 * Keeps the tables of messages, chats and contacts in step with the journal. Only for events that
 * were just appended.
 */
export async function project(tx: Tx, lineId: string, projected: Projected[], nowMs: number): Promise<void> {
  const messages: Said[] = [];
  for (const { event, proto } of projected) {
    if (isMessage(event)) {
      const isNew = await projectMessage(tx, lineId, event, proto, nowMs);
      messages.push({ facts: event.payload, isReceived: event.type === 'message.received', isNew });
    } else if (event.type === 'message.undecryptable') {
      if (event.payload.isAnswer) continue;
      const facts = placeholderOf(event.payload);
      const isNew = await insertMessage(tx, lineId, facts, undefined, nowMs);
      messages.push({ facts, isReceived: true, isNew });
    } else if (event.type === 'message.edited' || event.type === 'message.revoked') {
      await projectChange(tx, lineId, event);
    } else if (event.type === 'group.updated') {
      await projectGroup(tx, lineId, event.payload, nowMs);
    } else if (event.type === 'line.restricted') {
      await noteRestriction(tx.db, lineId, event.payload, event.payload.timestamp);
    }
  }
  await projectChats(tx, lineId, messages, nowMs);
  await projectContacts(tx, lineId, messages, nowMs);
}

/** The row of a message. `timestamp` is Unix seconds, WhatsApp's clock. */
export function messageRow(
  lineId: string,
  facts: MessageFacts,
  rest: { proto: Uint8Array | undefined; status: MessageStatus; nowMs: number },
) {
  return {
    line_id: lineId,
    message_id: facts.messageId,
    chat_jid: canonicalJid(facts.chat),
    sender_jid: canonicalJid(facts.sender),
    from_me: facts.fromMe ? 1 : 0,
    kind: facts.content.kind,
    body: storable(facts.content.body),
    search: searchText(storable(textsOf(facts.content))),
    facts: JSON.stringify(facts),
    proto: rest.proto === undefined ? null : Buffer.from(rest.proto),
    status: rest.status,
    timestamp: facts.timestamp,
    created_at: rest.nowMs,
  };
}

/**
 * The row of a message of ours that is ready to leave: a receipt may overtake the acknowledgement,
 * and a peer may ask for the bytes again before it. Repeatable.
 */
export async function projectPending(
  tx: Tx,
  lineId: string,
  facts: MessageFacts,
  proto: Uint8Array,
  nowMs: number,
): Promise<void> {
  await tx.db
    .insertInto('messages')
    .values(messageRow(lineId, facts, { proto, status: 'pending', nowMs }))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

async function projectMessage(
  tx: Tx,
  lineId: string,
  event: MessageEvent,
  proto: Uint8Array | undefined,
  nowMs: number,
): Promise<boolean> {
  const facts = event.payload;
  if (event.type === 'message.sent') {
    const row = messageRow(lineId, facts, { proto, status: 'sent', nowMs });
    const updated = await tx.db
      .updateTable('messages')
      .set({
        facts: row.facts,
        timestamp: row.timestamp,
        status: sql`case when status in ('pending', 'failed') then 'sent' else status end`,
      })
      .where('line_id', '=', lineId)
      .where('message_id', '=', facts.messageId)
      .where('from_me', '=', 1)
      .executeTakeFirst();
    if (Number(updated.numUpdatedRows) > 0) return false;
  }
  if (await insertMessage(tx, lineId, facts, proto, nowMs)) return true;
  await fillPlace(tx, lineId, facts, proto, nowMs);
  return false;
}

/** False when there is a row already. */
async function insertMessage(
  tx: Tx,
  lineId: string,
  facts: MessageFacts,
  proto: Uint8Array | undefined,
  nowMs: number,
): Promise<boolean> {
  const status: MessageStatus = facts.fromMe ? 'sent' : 'delivered';
  const inserted = await tx.db
    .insertInto('messages')
    .values(messageRow(lineId, facts, { proto, status, nowMs }))
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return Number(inserted.numInsertedOrUpdatedRows ?? 0) > 0;
}

/** A message that could not be read at first has come again, readable. */
async function fillPlace(
  tx: Tx,
  lineId: string,
  facts: MessageFacts,
  proto: Uint8Array | undefined,
  nowMs: number,
): Promise<void> {
  const { kind, body, search, proto: bytes, facts: json } = messageRow(lineId, facts, { proto, status: 'sent', nowMs });
  await tx.db
    .updateTable('messages')
    .set({ kind, body, search, proto: bytes, facts: json })
    .where('line_id', '=', lineId)
    .where('message_id', '=', facts.messageId)
    .where('chat_jid', '=', canonicalJid(facts.chat))
    .where('sender_jid', '=', canonicalJid(facts.sender))
    .where('kind', '=', 'undecryptable')
    .execute();
}

/** What a batch says about one chat. */
interface ChatChange {
  facts: MessageFacts;
  name: string | null;
  unread: number;
  /** The owner wrote into the chat from a phone: what came before is read. */
  isReset: boolean;
}

function chatChanges(messages: Said[]): Map<string, ChatChange> {
  const changes = new Map<string, ChatChange>();
  for (const { facts, isReceived, isNew } of messages) {
    const jid = canonicalJid(facts.chat);
    const change = changes.get(jid) ?? { facts, name: null, unread: 0, isReset: false };
    if (facts.timestamp >= change.facts.timestamp) change.facts = facts;
    // A chat with one person is called as that person; statuses and lists have many authors.
    const isPerson = isPn(facts.chat.jid) || isLid(facts.chat.jid);
    if (!facts.fromMe && isPerson && facts.pushName !== '') change.name = storable(facts.pushName);
    if (!facts.fromMe) change.unread += isNew ? 1 : 0;
    else if (isReceived) Object.assign(change, { unread: 0, isReset: true });
    changes.set(jid, change);
  }
  return changes;
}

const isNewest = sql`excluded.last_message_at >= coalesce(chats.last_message_at, 0)`;

async function projectChats(tx: Tx, lineId: string, messages: Said[], nowMs: number): Promise<void> {
  for (const [jid, { facts, name, unread, isReset }] of chatChanges(messages)) {
    await tx.db
      .insertInto('chats')
      .values({
        line_id: lineId,
        jid,
        ...addresses(facts.chat),
        name,
        is_group: facts.isGroup ? 1 : 0,
        archived: 0,
        unread_count: unread,
        last_message_id: facts.messageId,
        last_message_at: facts.timestamp * 1_000,
        updated_at: nowMs,
      })
      .onConflict((conflict) =>
        conflict.columns(['line_id', 'jid']).doUpdateSet({
          pn: sql`coalesce(chats.pn, excluded.pn)`,
          lid: sql`coalesce(chats.lid, excluded.lid)`,
          name: sql`coalesce(chats.name, excluded.name)`,
          unread_count: isReset ? unread : sql`chats.unread_count + ${unread}`,
          last_message_id: sql`case when ${isNewest} then excluded.last_message_id else chats.last_message_id end`,
          last_message_at: sql`case when ${isNewest} then excluded.last_message_at else chats.last_message_at end`,
          updated_at: nowMs,
        }),
      )
      .execute();
  }
}

const isPerson = ({ jid }: Party): boolean => isPn(jid) || isLid(jid);

/** The two addresses of a person, as far as they are known. */
export function addresses(party: Party): { pn: string | null; lid: string | null } {
  return {
    pn: party.pn ?? (isPn(party.jid) ? party.jid : null),
    lid: party.lid ?? (isLid(party.jid) ? party.jid : null),
  };
}

async function projectContacts(tx: Tx, lineId: string, messages: Said[], nowMs: number): Promise<void> {
  const people = new Map<string, { party: Party; pushName: string }>();
  for (const { facts } of messages) {
    const { fromMe, isGroup, chat, sender, pushName } = facts;
    if (!fromMe) people.set(canonicalJid(sender), { party: sender, pushName });
    // Whoever the owner writes to is somebody the line knows, before there is an answer.
    else if (!isGroup && isPerson(chat) && canonicalJid(chat) !== canonicalJid(sender)) {
      const jid = canonicalJid(chat);
      if (!people.has(jid)) people.set(jid, { party: chat, pushName: '' });
    }
  }
  for (const [jid, { party, pushName }] of people) {
    await tx.db
      .insertInto('contacts')
      .values({
        line_id: lineId,
        jid,
        ...addresses(party),
        name: null,
        username: party.username ?? null,
        push_name: storable(pushName) || null,
        updated_at: nowMs,
      })
      .onConflict((conflict) =>
        conflict.columns(['line_id', 'jid']).doUpdateSet({
          pn: sql`coalesce(contacts.pn, excluded.pn)`,
          lid: sql`coalesce(contacts.lid, excluded.lid)`,
          username: sql`coalesce(excluded.username, contacts.username)`,
          push_name: sql`coalesce(excluded.push_name, contacts.push_name)`,
          updated_at: nowMs,
        }),
      )
      .execute();
  }
}
