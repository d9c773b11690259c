import type { Jid, Party } from '@ponte/engine';
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { ContactsTable, Database } from '../db/schema.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** A person a line knows, by every address WhatsApp disclosed. */
export interface Contact {
  party: Party;
  /**
   * The name in the address book, else the one the person gave itself; empty when neither is known.
   */
  name: string;
  isBusiness: boolean;
}

/** The addresses of all people in the owner's address book. */
export async function listAddressBook(db: Db, lineId: string): Promise<Contact['party'][]> {
  const rows = await db
    .selectFrom('contacts')
    .selectAll()
    .where('line_id', '=', lineId)
    .where('name', 'is not', null)
    .orderBy('jid')
    .execute();
  return rows.map((row) => toContact(row).party);
}

/** A line's contacts in a stable order, from the one after `after` on. */
export async function listContacts(
  db: Db,
  lineId: string,
  page: { after?: Jid; limit?: number } = {},
): Promise<Contact[]> {
  let query = db.selectFrom('contacts').selectAll().where('line_id', '=', lineId).orderBy('jid');
  if (page.after !== undefined) query = query.where('jid', '>', page.after);
  if (page.limit !== undefined) query = query.limit(page.limit);
  return (await query.execute()).map(toContact);
}

/** A contact by any of its addresses. */
export async function findContact(db: Db, lineId: string, addresses: Jid[]): Promise<Contact | undefined> {
  const row = await db
    .selectFrom('contacts')
    .selectAll()
    .where('line_id', '=', lineId)
    .where((eb) => eb.or([eb('jid', 'in', addresses), eb('pn', 'in', addresses)]))
    .executeTakeFirst();
  return row && toContact(row);
}

/**
 * Notes what WhatsApp said about people that are known; a query about a person does not make them a
 * contact.
 */
export async function noteBusiness(db: Db, lineId: string, addresses: Jid[], isBusiness: boolean): Promise<void> {
  if (addresses.length === 0) return;
  await db
    .updateTable('contacts')
    .set({ is_business: isBusiness ? 1 : 0 })
    .where('line_id', '=', lineId)
    .where('is_business', '=', isBusiness ? 0 : 1)
    .where((eb) => eb.or([eb('jid', 'in', addresses), eb('pn', 'in', addresses)]))
    .execute();
}

/** Who was last known by this username (without the @). */
export async function findByUsername(db: Db, lineId: string, username: string): Promise<Jid | undefined> {
  const row = await db
    .selectFrom('contacts')
    .select(['jid', 'lid'])
    .where('line_id', '=', lineId)
    .where('username', '=', username)
    .orderBy('updated_at', 'desc')
    .executeTakeFirst();
  return row && (row.lid ?? row.jid);
}

/** Notes the usernames of people that are known; a lookup does not make a person a contact. */
export async function noteUsernames(db: Db, lineId: string, people: readonly Party[]): Promise<void> {
  for (const { jid, lid, pn, username } of people) {
    const addresses = [jid, lid, pn].filter((address) => address !== undefined);
    if (username === undefined) continue;
    await db
      .updateTable('contacts')
      .set({ username })
      .where('line_id', '=', lineId)
      .where((eb) => eb.or([eb('jid', 'in', addresses), eb('pn', 'in', addresses), eb('lid', 'in', addresses)]))
      .where((eb) => eb.or([eb('username', 'is', null), eb('username', '!=', username)]))
      .execute();
  }
}

function toContact(row: Selectable<ContactsTable>): Contact {
  const { jid, lid, pn } = row;
  return {
    party: {
      jid,
      ...(lid === null ? {} : { lid }),
      ...(pn === null ? {} : { pn }),
      ...(row.username === null ? {} : { username: row.username }),
    },
    name: row.name ?? row.push_name ?? '',
    isBusiness: Number(row.is_business) === 1,
  };
}
