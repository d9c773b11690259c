import type { Party, Self } from '../address.ts';
import { bareJid, formatJid, isLid, isPn, type Jid, parseJid, SERVER_LID, SERVER_PN, sameUser } from '../address.ts';

/**
 * Servers of accounts that a business partner hosts; to all others they are ordinary people
 * (Baileys WABinary/jid-utils).
 */
const HOSTED: Record<string, string> = { hosted: SERVER_PN, 'hosted.lid': SERVER_LID };

/** What may be a handle: WhatsApp's own rules are narrower. */
const USERNAME = /^[\p{L}\p{N}._-]{1,64}$/u;

/** The address without device, agent and hosting: what chats and people are called. */
export function personJid(jid: string): Jid {
  const parts = parseJid(jid);
  const server = parts && HOSTED[parts.server];
  return parts && server !== undefined ? formatJid(parts.user, server) : bareJid(jid);
}

/**
 * The person (or group) behind `jid`, with every other address of the same person that the stanza
 * disclosed. Alternatives may be undefined or of either kind; the first of each kind counts.
 */
export function party(jid: string, ...alternatives: (string | undefined)[]): Party {
  const bare = personJid(jid);
  const known = [bare, ...alternatives.flatMap((other) => (other === undefined ? [] : [personJid(other)]))];
  const result: Party = { jid: bare };
  if (!isLid(bare) && !isPn(bare)) return result;
  const lid = known.find((other) => isLid(other));
  const pn = known.find((other) => isPn(other));
  if (lid !== undefined) result.lid = lid;
  if (pn !== undefined) result.pn = pn;
  return result;
}

/** The person with their handle, when the stanza tells it; of people only. */
export function withUsername(person: Party, username: string | undefined): Party {
  const isPerson = person.lid !== undefined || person.pn !== undefined;
  return isPerson && username !== undefined && USERNAME.test(username) ? { ...person, username } : person;
}

/** True when the address is one of this line's own. */
export function isSelf(jid: string | undefined, self: Self): boolean {
  if (jid === undefined) return false;
  const person = personJid(jid);
  return sameUser(person, self.pn) || sameUser(person, self.lid);
}

/** This line's own account, called by its LID or number as `form` is. */
export function selfParty(self: Self, form: string): Party {
  const jid = self.lid !== undefined && isLid(personJid(form)) ? self.lid : self.pn;
  return party(jid, self.pn, self.lid);
}

/** The party, completed by what the stanza did not say. */
export async function completeParty(
  incomplete: Party,
  pnOf: (lid: Jid) => Promise<Jid | undefined>,
  lidOf: (pn: Jid) => Promise<Jid | undefined>,
): Promise<Party> {
  const { lid, pn } = incomplete;
  if (lid !== undefined && pn === undefined) {
    const found = await pnOf(lid);
    return found === undefined ? incomplete : { ...incomplete, pn: found };
  }
  if (pn !== undefined && lid === undefined) {
    const found = await lidOf(pn);
    return found === undefined ? incomplete : { ...incomplete, lid: found };
  }
  return incomplete;
}
