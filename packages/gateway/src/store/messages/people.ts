import { formatJid, isLid, isPn, type Jid, otherWayToWrite, type Party, phoneOf, SERVER_PN } from '@ponte/engine';
import { hot } from '../db/hot.ts';
import type { Db } from '../db/store.ts';

/** Two addresses of one person. */
interface Pair {
  lid: Jid;
  pn: Jid;
}

const ROWS_PER_INSERT = 200;

/** Notes which number belongs to which LID. A LID has one number: the last one counts. */
export async function learnAddresses(db: Db, lineId: string, pairs: readonly Pair[]): Promise<void> {
  const rows = [...new Map(pairs.map(({ lid, pn }) => [lid, { line_id: lineId, lid, pn }])).values()];
  for (let from = 0; from < rows.length; from += ROWS_PER_INSERT) {
    await db
      .insertInto('addresses')
      .values(rows.slice(from, from + ROWS_PER_INSERT))
      .onConflict((conflict) =>
        conflict.columns(['line_id', 'lid']).doUpdateSet((eb) => ({ pn: eb.ref('excluded.pn') })),
      )
      .execute();
  }
}

/** Notes under which number WhatsApp has one that was asked for by other digits. */
export async function learnAliases(db: Db, lineId: string, aliases: readonly { asked: Jid; pn: Jid }[]): Promise<void> {
  for (const { asked, pn } of aliases) {
    await db
      .insertInto('number_aliases')
      .values({ line_id: lineId, asked, pn })
      .onConflict((conflict) => conflict.columns(['line_id', 'asked']).doUpdateSet({ pn }))
      .execute();
  }
}

/**
 * A number as WhatsApp has it, as far as this line knows: what WhatsApp said when it was asked,
 * else the other spelling when a person is known by that one and none by this. Every other address
 * comes back as it is.
 */
export async function knownNumber(db: Db, lineId: string, jid: Jid): Promise<Jid> {
  const phone = phoneOf(jid);
  if (phone === undefined) return jid;
  const alias = await readAlias.first(db, lineId, jid);
  if (alias) return alias.pn;
  const digits = otherWayToWrite(phone);
  if (digits === undefined) return jid;
  const other = formatJid(digits, SERVER_PN);
  return (await isPerson(db, lineId, jid)) || !(await isPerson(db, lineId, other)) ? jid : other;
}

const readAlias = hot<[string, Jid], { pn: Jid }>('select pn from number_aliases where line_id = ? and asked = ?');

async function isPerson(db: Db, lineId: string, pn: Jid): Promise<boolean> {
  const row = await db
    .selectFrom('chats')
    .select('jid')
    .where('line_id', '=', lineId)
    .where((eb) => eb.or([eb('jid', '=', pn), eb('pn', '=', pn)]))
    .unionAll(db.selectFrom('addresses').select('lid as jid').where('line_id', '=', lineId).where('pn', '=', pn))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** What is known of people now. */
export interface KnownPeople {
  /** The person with every address that is known now. */
  party(of: Party): Party;
  /** What the owner calls them, else what they call themselves; undefined when neither is known. */
  name(of: Party): string | undefined;
}

/** Addresses in one question: far below the parameter limits of both databases. */
const ASKED_MAX = 400;

/** Looks these people up, all at once. */
export async function peopleKnownNow(db: Db, lineId: string, people: readonly Party[]): Promise<KnownPeople> {
  const asked = [...new Set(people.map(keyOf).filter((jid) => isLid(jid) || isPn(jid)))];
  const pns = new Map<Jid, Jid>();
  const names = new Map<Jid, string>();
  for (let from = 0; from < asked.length; from += ASKED_MAX) {
    const some = asked.slice(from, from + ASKED_MAX);
    const contacts = await db
      .selectFrom('contacts')
      .select(['jid', 'pn', 'name', 'push_name'])
      .where('line_id', '=', lineId)
      .where('jid', 'in', some)
      .execute();
    for (const { jid, pn, name, push_name: pushName } of contacts) {
      if (pn !== null) pns.set(jid, pn);
      const called = name ?? pushName;
      if (called) names.set(jid, called);
    }
    const missing = some.filter((jid) => isLid(jid) && !pns.has(jid));
    if (missing.length === 0) continue;
    const rows = await db
      .selectFrom('addresses')
      .select(['lid', 'pn'])
      .where('line_id', '=', lineId)
      .where('lid', 'in', missing)
      .execute();
    for (const { lid, pn } of rows) pns.set(lid, pn);
  }
  return {
    party(of) {
      const pn = of.pn ?? pns.get(keyOf(of));
      return pn === undefined ? of : { ...of, pn };
    },
    name: (of) => names.get(keyOf(of)),
  };
}

const keyOf = (of: Party): Jid => of.lid ?? of.pn ?? of.jid;
