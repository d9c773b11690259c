import { isLid, isPn, type Jid, type Party, phoneOf } from '../address.ts';
import type { Handle } from '../handle.ts';
import { child, childrenOf, type Node, text } from '../node.ts';
import { party, personJid, withUsername } from '../parse/party.ts';

/** What WhatsApp says about a phone number. */
export interface UsyncNumber {
  /**
   * The digits asked for. WhatsApp may know the number by others (Brazil's ninth digit, Mexico's
   * 1): see `pn`.
   */
  phone: string;
  registered: boolean;
  pn?: Jid;
  lid?: Jid;
  username?: string;
  isBusiness: boolean;
}

const BUSINESS: Node = { tag: 'business', attrs: {}, content: [{ tag: 'verified_name', attrs: {} }] };
/** Baileys WAUSync/Protocols, whatsapp-rust #1381. */
const USERNAME: Node = { tag: 'username', attrs: {} };

/**
 * The query that asks which numbers (digits) have WhatsApp, under which addresses, and which are
 * businesses (whatsmeow user.go).
 */
export function usyncNumbers(phones: readonly string[], sid: string): Node {
  const users = phones.map((phone) => ({
    tag: 'user',
    attrs: {},
    content: [{ tag: 'contact', attrs: {}, content: `+${phone}` }],
  }));
  const protocols = [{ tag: 'contact', attrs: {} }, { tag: 'lid', attrs: {} }, BUSINESS, USERNAME];
  return usync(sid, protocols, users);
}

function usync(sid: string, protocols: Node[], users: Node[]): Node {
  return {
    tag: 'iq',
    attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'usync' },
    content: [
      {
        tag: 'usync',
        attrs: { sid, mode: 'query', last: 'true', index: '0', context: 'interactive' },
        content: [
          { tag: 'query', attrs: {}, content: protocols },
          { tag: 'list', attrs: {}, content: users },
        ],
      },
    ],
  };
}

/**
 * Reads the answer, in the order of `phones`; a number that the answer leaves out is not
 * registered. Matched by the echoed number.
 */
export function parseUsyncNumbers(answer: Node, phones: readonly string[]): UsyncNumber[] {
  const users = childrenOf(child(child(answer, 'usync'), 'list'), 'user');
  return phones.map((phone) => {
    const user =
      users.find((candidate) => echoOf(candidate) === phone) ?? users.find((u) => phoneOf(u.attrs.jid) === phone);
    if (!user || child(user, 'contact')?.attrs.type !== 'in') return { phone, registered: false, isBusiness: false };
    const result: UsyncNumber = {
      phone,
      registered: true,
      isBusiness: child(child(user, 'business'), 'verified_name') !== undefined,
    };
    // The answer may be by LID, with the number beside it (whatsmeow user.go, 2026-07).
    const named = [user.attrs.jid, user.attrs.pn_jid, child(user, 'lid')?.attrs.val];
    const addresses = named.flatMap((jid) => (jid ? [personJid(jid)] : []));
    const pn = addresses.find((jid) => isPn(jid));
    const lid = addresses.find((jid) => isLid(jid));
    if (pn !== undefined) result.pn = pn;
    if (lid !== undefined) result.lid = lid;
    const username = usernameIn(user);
    if (username !== undefined) result.username = username;
    return result;
  });
}

const echoOf = (user: Node): string | undefined => text(child(user, 'contact'))?.replace(/\D/g, '');

/**
 * The query for one person's About text and whether it is a business. `proof` is that person's
 * privacy token, for an About not shown to all.
 */
export function usyncPerson(jid: Jid, sid: string, proof: Node | undefined): Node {
  const user = { tag: 'user', attrs: { jid }, content: proof ? [proof] : [] };
  const protocols = [BUSINESS, { tag: 'status', attrs: {} }, USERNAME];
  return usync(sid, protocols, [user]);
}

/**
 * Reads the answer to `usyncPerson`; undefined when it leaves the person out. A hidden About (401)
 * and an empty one are null.
 */
export function parseUsyncPerson(
  answer: Node,
): { about: string | null; isBusiness: boolean; username: string | undefined } | undefined {
  const [user] = childrenOf(child(child(answer, 'usync'), 'list'), 'user');
  if (!user) return undefined;
  const status = child(user, 'status');
  const about = status?.attrs.code === '401' ? undefined : text(status);
  return {
    about: about || null,
    isBusiness: child(child(user, 'business'), 'verified_name') !== undefined,
    username: usernameIn(user),
  };
}

const usernameIn = (user: Node): string | undefined =>
  text(child(user, 'username')) || child(user, 'contact')?.attrs.username || undefined;

/**
 * The query for the holder of a username: the contact is named by it, and by its key when it has
 * one (whatsapp-rust #1381, after WhatsApp Web).
 */
export function usyncUsername({ username, key }: Handle, sid: string): Node {
  const named: Node = { tag: 'contact', attrs: key === undefined ? { username } : { username, pin: key } };
  const protocols = [{ tag: 'contact', attrs: { addressing_mode: 'lid' } }, BUSINESS];
  return usync(sid, protocols, [{ tag: 'user', attrs: {}, content: [named] }]);
}

/**
 * Reads the answer. A person in the answer without an address is found with the key of the username
 * only.
 */
export function parseUsyncUsername(answer: Node): { person: Party } | { needsKey: boolean } {
  const [user] = childrenOf(child(child(answer, 'usync'), 'list'), 'user');
  if (!user || child(user, 'contact')?.attrs.type !== 'in') return { needsKey: false };
  const { jid } = user.attrs;
  if (jid === undefined) return { needsKey: true };
  return { person: withUsername(party(jid, child(user, 'business')?.attrs.pn_jid), usernameIn(user)) };
}
