import { isLid, isPn, type Jid } from '../address.ts';
import type { Node } from '../node.ts';
import { personJid } from './party.ts';

/** Which number belongs to which LID. */
export interface AddressPair {
  lid: Jid;
  pn: Jid;
}

/**
 * Attributes that name one person twice (Baileys decode-wa-message.js extractAddressingContext,
 * whatsmeow message.go).
 */
const SAME_PERSON: readonly (readonly [string, string])[] = [
  ['from', 'sender_pn'],
  ['from', 'sender_lid'],
  ['participant', 'participant_pn'],
  ['participant', 'participant_lid'],
  ['recipient', 'recipient_pn'],
  ['recipient', 'recipient_lid'],
  ['recipient', 'peer_recipient_pn'],
  ['recipient', 'peer_recipient_lid'],
  ['call-creator', 'caller_pn'],
  ['call-creator', 'caller_lid'],
  ['jid', 'phone_number'],
  ['jid', 'lid'],
];

/** Members of a group stand at `notification > create > group > participant`. */
const DEPTH = 3;

/**
 * Every pair of addresses that the attributes of the stanza and of what is in it disclose. The
 * server vouches for them.
 */
export function addressPairs(node: Node, depth = DEPTH): AddressPair[] {
  const own = SAME_PERSON.flatMap(([one, other]) => {
    const pair = asPair(node.attrs[one], node.attrs[other]);
    return pair ? [pair] : [];
  });
  if (depth === 0 || !Array.isArray(node.content)) return own;
  return [...own, ...node.content.flatMap((part) => addressPairs(part, depth - 1))];
}

/** The two as a pair, whichever is which; undefined unless one is a LID and the other a number. */
export function asPair(one: string | undefined, other: string | undefined): AddressPair | undefined {
  if (one === undefined || other === undefined) return undefined;
  const [a, b] = [personJid(one), personJid(other)];
  if (isLid(a) && isPn(b)) return { lid: a, pn: b };
  return isPn(a) && isLid(b) ? { lid: b, pn: a } : undefined;
}
