import { isLid, isPn, type Jid, phoneOf } from '../address.ts';
import { child, childrenOf, type Node, text } from '../node.ts';
import { personJid } from '../parse/party.ts';

/** What WhatsApp says about a phone number. */
export interface UsyncNumber {
  /** The digits asked for. WhatsApp may know the number by others (Brazil's ninth digit, Mexico's 1): see `pn`. */
  phone: string;
  registered: boolean;
  pn?: Jid;
  lid?: Jid;
  isBusiness: boolean;
}

/** The query that asks which numbers (digits) have WhatsApp, under which addresses, and which are businesses (whatsmeow user.go). */
export function usyncNumbers(phones: readonly string[], sid: string): Node {
  const users = phones.map((phone) => ({
    tag: 'user',
    attrs: {},
    content: [{ tag: 'contact', attrs: {}, content: `+${phone}` }],
  }));
  const protocols = [
    { tag: 'contact', attrs: {} },
    { tag: 'lid', attrs: {} },
    { tag: 'business', attrs: {}, content: [{ tag: 'verified_name', attrs: {} }] },
  ];
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

/** Reads the answer, in the order of `phones`; a number that the answer leaves out is not registered. Matched by the echoed number. */
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
    const addresses = [user.attrs.jid, child(user, 'lid')?.attrs.val].flatMap((jid) => (jid ? [personJid(jid)] : []));
    const pn = addresses.find((jid) => isPn(jid));
    const lid = addresses.find((jid) => isLid(jid));
    if (pn !== undefined) result.pn = pn;
    if (lid !== undefined) result.lid = lid;
    return result;
  });
}

const echoOf = (user: Node): string | undefined => text(child(user, 'contact'))?.replace(/\D/g, '');
