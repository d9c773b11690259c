import { sql } from 'kysely';
import type { Tx } from '../db/store.ts';
import { learnAddresses } from './people.ts';

/** Two addresses of one person, as WhatsApp disclosed them. */
export interface AddressMapping {
  lid: string;
  pn: string;
}

/**
 * Notes all of these, and moves what is stored under one of the numbers to the person's LID. One
 * query for all of them: the line does not know most people of a large group.
 */
export async function applyMappings(tx: Tx, lineId: string, mappings: readonly AddressMapping[]): Promise<void> {
  if (mappings.length === 0) return;
  await learnAddresses(tx.db, lineId, mappings);
  const known = await storedUnder(tx, lineId, [...new Set(mappings.flatMap(({ lid, pn }) => [lid, pn]))]);
  for (const mapping of mappings) {
    if (known.has(mapping.lid) || known.has(mapping.pn)) await applyMapping(tx, lineId, mapping);
  }
}

/** Addresses in one question: far below the parameter limits of both databases. */
const ASKED_MAX = 400;

async function storedUnder(tx: Tx, lineId: string, addresses: string[]): Promise<Set<string>> {
  const known = new Set<string>();
  for (let from = 0; from < addresses.length; from += ASKED_MAX) {
    const some = addresses.slice(from, from + ASKED_MAX);
    for (const table of ['chats', 'contacts'] as const) {
      const rows = await tx.db
        .selectFrom(table)
        .select('jid')
        .where('line_id', '=', lineId)
        .where('jid', 'in', some)
        .execute();
      for (const { jid } of rows) known.add(jid);
    }
  }
  return known;
}

/**
 * Moves what is stored under a phone number to the person's LID, and notes the number beside the
 * LID. Cheap when nothing is stored under the number. The journal keeps the addresses that were
 * known when an event happened.
 */
export async function applyMapping(tx: Tx, lineId: string, { lid, pn }: AddressMapping): Promise<void> {
  await learnAddresses(tx.db, lineId, [{ lid, pn }]);
  for (const table of ['chats', 'contacts'] as const) {
    await tx.db
      .updateTable(table)
      .set({ pn })
      .where('line_id', '=', lineId)
      .where('jid', '=', lid)
      .where('pn', 'is', null)
      .execute();
  }
  await moveContact(tx, lineId, { lid, pn });
  const chat = await tx.db
    .selectFrom('chats')
    .selectAll()
    .where('line_id', '=', lineId)
    .where('jid', '=', pn)
    .executeTakeFirst();
  if (!chat) return;
  await moveMessages(tx, lineId, { lid, pn });
  const target = await tx.db
    .selectFrom('chats')
    .select(['unread_count', 'last_message_at', 'last_message_id', 'name'])
    .where('line_id', '=', lineId)
    .where('jid', '=', lid)
    .executeTakeFirst();
  if (!target) {
    await tx.db
      .updateTable('chats')
      .set({ jid: lid, lid, pn })
      .where('line_id', '=', lineId)
      .where('jid', '=', pn)
      .execute();
    return;
  }
  const last = Number(chat.last_message_at ?? 0) > Number(target.last_message_at ?? 0) ? chat : target;
  await tx.db
    .updateTable('chats')
    .set({
      unread_count: Number(chat.unread_count) + Number(target.unread_count),
      last_message_id: last.last_message_id,
      last_message_at: last.last_message_at,
      name: target.name ?? chat.name,
    })
    .where('line_id', '=', lineId)
    .where('jid', '=', lid)
    .execute();
  await tx.db.deleteFrom('chats').where('line_id', '=', lineId).where('jid', '=', pn).execute();
}

async function moveContact(tx: Tx, lineId: string, { lid, pn }: AddressMapping): Promise<void> {
  const ofLine = tx.db
    .selectFrom('contacts')
    .select(['name', 'push_name', 'username', 'is_business'])
    .where('line_id', '=', lineId);
  const contact = await ofLine.where('jid', '=', pn).executeTakeFirst();
  if (!contact) return;
  const target = await ofLine.where('jid', '=', lid).executeTakeFirst();
  if (!target) {
    await tx.db
      .updateTable('contacts')
      .set({ jid: lid, lid, pn })
      .where('line_id', '=', lineId)
      .where('jid', '=', pn)
      .execute();
    return;
  }
  await tx.db
    .updateTable('contacts')
    .set({
      name: target.name ?? contact.name,
      push_name: target.push_name ?? contact.push_name,
      username: target.username ?? contact.username,
      is_business: Math.max(Number(target.is_business), Number(contact.is_business)),
    })
    .where('line_id', '=', lineId)
    .where('jid', '=', lid)
    .execute();
  await tx.db.deleteFrom('contacts').where('line_id', '=', lineId).where('jid', '=', pn).execute();
}

async function moveMessages(tx: Tx, lineId: string, { lid, pn }: AddressMapping): Promise<void> {
  // A message that is stored under both addresses already stays where it is: its id is unique per
  // sender.
  const twins = tx.db
    .selectFrom('messages as twin')
    .select('twin.message_id')
    .where('twin.line_id', '=', lineId)
    .where('twin.sender_jid', '=', lid);
  await tx.db
    .updateTable('messages')
    .set({ chat_jid: lid, sender_jid: sql`case when sender_jid = ${pn} then ${lid} else sender_jid end` })
    .where('line_id', '=', lineId)
    .where('chat_jid', '=', pn)
    .where('message_id', 'not in', twins)
    .execute();
}
