import { isLid, isPn, type MessageStatus, type Party } from '@ponte/engine';
import { canonicalJid } from '../../core/event-keys.ts';
import type { JournalEvent, MessageFacts } from '../../core/events.ts';
import { searchText, textsOf } from '../../core/search-text.ts';
import { storable } from '../../core/storable.ts';
import { lineBytes, lineText, lineWords } from '../db/contents.ts';
import { hot } from '../db/hot.ts';
import type { Tx } from '../db/store.ts';
import { noteRestriction } from '../lines/restrictions.ts';
import { projectChange } from './changes.ts';
import { projectGroup } from './group-names.ts';
import { placeholderOf } from './undecryptable.ts';

/** A new event, with the bytes of its message when it is one. */
export interface Projected {
  event: JournalEvent;
  /** The event's payload as it was written: a message keeps the same text. */
  payload: string;
  proto: Uint8Array | undefined;
}

/** What of a message its row needs beside its facts. */
interface Written {
  proto: Uint8Array | undefined;
  status: MessageStatus;
  nowMs: number;
  /** The facts as JSON, when they have been serialized already. */
  json?: string;
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
  for (const { event, payload, proto } of projected) {
    if (isMessage(event)) {
      const isNew = await projectMessage(tx, lineId, event, { proto, nowMs, json: payload });
      messages.push({ facts: event.payload, isReceived: event.type === 'message.received', isNew });
    } else if (event.type === 'message.undecryptable') {
      if (event.payload.isAnswer) continue;
      const facts = placeholderOf(event.payload);
      const isNew = await insertMessage(tx, lineId, facts, { proto: undefined, nowMs });
      messages.push({ facts, isReceived: true, isNew });
    } else if (event.type === 'message.edited' || event.type === 'message.revoked') {
      await projectChange(tx, lineId, event);
    } else if (event.type === 'group.updated') {
      await projectGroup(tx, lineId, event.payload, nowMs);
    } else if (event.type === 'line.restricted') {
      await noteRestriction(tx.db, lineId, event.payload, event.payload.timestamp);
    }
  }
  const known = await projectChats(tx, lineId, messages, nowMs);
  await projectContacts(tx, lineId, messages, known, nowMs);
}

/** The row of a message. `timestamp` is Unix seconds, WhatsApp's clock. */
export function messageRow(lineId: string, facts: MessageFacts, rest: Written) {
  return {
    line_id: lineId,
    message_id: facts.messageId,
    chat_jid: canonicalJid(facts.chat),
    sender_jid: canonicalJid(facts.sender),
    from_me: facts.fromMe ? 1 : 0,
    kind: facts.content.kind,
    body: lineText(lineId, storable(facts.content.body)),
    search: lineWords(lineId, searchText(storable(textsOf(facts.content)))),
    facts: lineText(lineId, rest.json ?? JSON.stringify(facts)),
    proto: rest.proto === undefined ? null : lineBytes(lineId, Buffer.from(rest.proto)),
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
  await putRow(tx, messageRow(lineId, facts, { proto, status: 'pending', nowMs }));
}

async function projectMessage(
  tx: Tx,
  lineId: string,
  event: MessageEvent,
  written: Omit<Written, 'status'>,
): Promise<boolean> {
  const facts = event.payload;
  if (event.type === 'message.sent') {
    const json = lineText(lineId, written.json ?? JSON.stringify(facts));
    const [id, at] = [facts.messageId, facts.timestamp];
    if ((await noteSentInTime.run(tx.db, json, lineId, id, at)) > 0) return false;
    if ((await noteSent.run(tx.db, json, at, lineId, id)) > 0) return false;
  }
  if (await insertMessage(tx, lineId, facts, written)) return true;
  await fillPlace(tx, lineId, facts, written);
  return false;
}

const SENT = `status = case when status in ('pending', 'failed') then 'sent' else status end`;

/**
 * The row that was made when it was ready to leave. Nearly always WhatsApp took it in the same
 * second: a time that is not assigned costs its index nothing.
 */
const noteSentInTime = hot<[string, string, string, number]>(
  `update messages set facts = ?, ${SENT}
  where line_id = ? and message_id = ? and from_me = 1 and timestamp = ?`,
);
const noteSent = hot<[string, number, string, string]>(
  `update messages set facts = ?, timestamp = ?,
    status = case when status in ('pending', 'failed') then 'sent' else status end
  where line_id = ? and message_id = ? and from_me = 1`,
);

type Row = ReturnType<typeof messageRow>;

const insertRow = hot<
  [
    ...[string, string, string, string, number, string, string, string, string],
    ...[Row['proto'], MessageStatus, number, number],
  ]
>(
  `insert into messages (line_id, message_id, chat_jid, sender_jid, from_me, kind, body, search, facts,
    proto, status, timestamp, created_at)
  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  on conflict do nothing`,
);

/** False when there is a row already. */
async function insertMessage(
  tx: Tx,
  lineId: string,
  facts: MessageFacts,
  written: Omit<Written, 'status'>,
): Promise<boolean> {
  return putRow(tx, messageRow(lineId, facts, { ...written, status: facts.fromMe ? 'sent' : 'delivered' }));
}

async function putRow(tx: Tx, row: Row): Promise<boolean> {
  const inserted = await insertRow.run(
    tx.db,
    ...[row.line_id, row.message_id, row.chat_jid, row.sender_jid, row.from_me, row.kind, row.body, row.search],
    ...[row.facts, row.proto, row.status, row.timestamp, row.created_at],
  );
  return inserted > 0;
}

/** A message that could not be read at first has come again, readable. */
async function fillPlace(tx: Tx, lineId: string, facts: MessageFacts, written: Omit<Written, 'status'>): Promise<void> {
  const { kind, body, search, proto, facts: json } = messageRow(lineId, facts, { ...written, status: 'sent' });
  await tx.db
    .updateTable('messages')
    .set({ kind, body, search, proto, facts: json })
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

const IS_NEWEST = 'excluded.last_message_at >= coalesce(chats.last_message_at, 0)';

const putChat = hot<
  [
    ...[string, string, string | null, string | null, string | null, number, number],
    ...[string, number, number, number],
  ]
>(
  `insert into chats (line_id, jid, pn, lid, name, is_group, archived, unread_count,
    last_message_id, last_message_at, updated_at)
  values (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?)
  on conflict (line_id, jid) do update set
    pn = coalesce(chats.pn, excluded.pn),
    lid = coalesce(chats.lid, excluded.lid),
    name = coalesce(chats.name, excluded.name),
    unread_count = case when ? = 1 then 0 else chats.unread_count end + excluded.unread_count,
    last_message_id = case when ${IS_NEWEST} then excluded.last_message_id else chats.last_message_id end,
    last_message_at = case when ${IS_NEWEST} then excluded.last_message_at else chats.last_message_at end,
    updated_at = excluded.updated_at`,
);

/**
 * A chat whose addresses and name are known, which is nearly every time: what is not assigned costs
 * its indexes nothing.
 */
const touchChat = hot<
  [
    ...[number, number, number, string, number, number, number],
    ...[string, string, string | null, string | null, string | null],
  ]
>(
  `update chats set
    unread_count = case when ? = 1 then 0 else unread_count end + ?,
    last_message_id = case when ? >= coalesce(last_message_at, 0) then ? else last_message_id end,
    last_message_at = case when ? > coalesce(last_message_at, -1) then ? else last_message_at end,
    updated_at = ?
  where line_id = ? and jid = ?
    and (pn is not null or cast(? as text) is null)
    and (lid is not null or cast(? as text) is null)
    and (name is not null or cast(? as text) is null)`,
);

/** The same for a chat whose person is a known contact, too, under the same addresses. */
const touchKnown = hot<
  [
    ...[number, number, number, string, number, number, number],
    ...[string, string, string | null, string | null, string | null, string | null],
  ]
>(
  `update chats set
    unread_count = case when ? = 1 then 0 else unread_count end + ?,
    last_message_id = case when ? >= coalesce(last_message_at, 0) then ? else last_message_id end,
    last_message_at = case when ? > coalesce(last_message_at, -1) then ? else last_message_at end,
    updated_at = ?
  where line_id = ? and jid = ?
    and (pn is not null or cast(? as text) is null)
    and (lid is not null or cast(? as text) is null)
    and exists (
      select 1 from contacts c where c.line_id = chats.line_id and c.jid = chats.jid
        and (c.pn is not null or cast(? as text) is null) and (c.lid is not null or cast(? as text) is null))`,
);

/** Answers the chats of people who are known as contacts already, with nothing new about them. */
async function projectChats(tx: Tx, lineId: string, messages: Said[], nowMs: number): Promise<Set<string>> {
  const known = new Set<string>();
  for (const [jid, { facts, name, unread, isReset }] of chatChanges(messages)) {
    const { pn, lid } = addresses(facts.chat);
    const [reset, id, at] = [isReset ? 1 : 0, facts.messageId, facts.timestamp * 1_000] as const;
    const isOurs = facts.fromMe && name === null && isPerson(facts.chat) && facts.chat.username === undefined;
    const touched = [reset, unread, at, id, at, at, nowMs, lineId, jid, pn, lid] as const;
    if (isOurs && (await touchKnown.run(tx.db, ...touched, pn, lid)) > 0) {
      known.add(jid);
      continue;
    }
    const isKnown = await touchChat.run(tx.db, reset, unread, at, id, at, at, nowMs, lineId, jid, pn, lid, name);
    if (isKnown > 0) continue;
    const isGroup = facts.isGroup ? 1 : 0;
    await putChat.run(tx.db, lineId, jid, pn, lid, name, isGroup, unread, id, at, nowMs, reset);
  }
  return known;
}

const isPerson = ({ jid }: Party): boolean => isPn(jid) || isLid(jid);

/** The two addresses of a person, as far as they are known. */
export function addresses(party: Party): { pn: string | null; lid: string | null } {
  return {
    pn: party.pn ?? (isPn(party.jid) ? party.jid : null),
    lid: party.lid ?? (isLid(party.jid) ? party.jid : null),
  };
}

/** `known`: chats of people about whom there is nothing new. */
async function projectContacts(
  tx: Tx,
  lineId: string,
  messages: Said[],
  known: ReadonlySet<string>,
  nowMs: number,
): Promise<void> {
  const people = new Map<string, { party: Party; pushName: string }>();
  for (const { facts } of messages) {
    const { fromMe, isGroup, chat, sender, pushName } = facts;
    if (!fromMe) people.set(canonicalJid(sender), { party: sender, pushName });
    // A person the owner writes to counts as known to the line, even before they answer.
    else if (!isGroup && isPerson(chat) && canonicalJid(chat) !== canonicalJid(sender)) {
      const jid = canonicalJid(chat);
      if (!known.has(jid) && !people.has(jid)) people.set(jid, { party: chat, pushName: '' });
    }
  }
  for (const [jid, { party, pushName }] of people) {
    const { pn, lid } = addresses(party);
    await putContact.run(tx.db, lineId, jid, pn, lid, party.username ?? null, storable(pushName) || null, nowMs);
  }
}

/** Writes nothing when nothing about the person has changed, which is nearly always. */
const putContact = hot<[string, string, string | null, string | null, string | null, string | null, number]>(
  `insert into contacts (line_id, jid, pn, lid, name, username, push_name, updated_at)
  values (?, ?, ?, ?, null, ?, ?, ?)
  on conflict (line_id, jid) do update set
    pn = coalesce(contacts.pn, excluded.pn),
    lid = coalesce(contacts.lid, excluded.lid),
    username = coalesce(excluded.username, contacts.username),
    push_name = coalesce(excluded.push_name, contacts.push_name),
    updated_at = excluded.updated_at
  where (contacts.pn is null and excluded.pn is not null)
    or (contacts.lid is null and excluded.lid is not null)
    or (excluded.username is not null and contacts.username is distinct from excluded.username)
    or (excluded.push_name is not null and contacts.push_name is distinct from excluded.push_name)`,
);
