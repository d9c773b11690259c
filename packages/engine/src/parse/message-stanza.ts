import type { Party, Self } from '../address.ts';
import { isGroup, isNewsletter, parseJid, SERVER_BROADCAST, STATUS_BROADCAST } from '../address.ts';
import { intAttr, type Node } from '../node.ts';
import { isSelf, party, personJid, selfParty, withUsername } from './party.ts';

const PERSON_SERVERS = new Set(['s.whatsapp.net', 'lid', 'hosted', 'hosted.lid']);

/** Who wrote what where, as the envelope says: everything about a message but its content. */
export interface MessageStanza {
  id: string;
  chat: Party;
  sender: Party;
  fromMe: boolean;
  isGroup: boolean;
  /** Empty when the sender did not give one. */
  pushName: string;
  /** Unix seconds. */
  timestamp: number;
}

/**
 * Reads a `<message>`'s addressing (Baileys decode-wa-message.js decodeMessageNode, whatsmeow
 * message.go parseMessageSource). Undefined when it lacks an id or a usable sender, or claims to be
 * ours without coming from us.
 */
export function parseMessageStanza(node: Node, self: Self): MessageStanza | undefined {
  const { id, from } = node.attrs;
  if (id === undefined || from === undefined) return undefined;
  const people = parsePeople(node, from, self);
  if (!people) return undefined;
  return {
    id,
    ...people,
    isGroup: isGroup(from),
    pushName: node.attrs.notify ?? '',
    timestamp: intAttr(node, 't') ?? 0,
  };
}

function parsePeople(
  { attrs }: Node,
  from: string,
  self: Self,
): { chat: Party; sender: Party; fromMe: boolean } | undefined {
  const server = parseJid(from)?.server ?? '';
  if (PERSON_SERVERS.has(server)) {
    const { recipient } = attrs;
    const fromMe = isSelf(from, self);
    if (!fromMe) {
      if (recipient !== undefined && !isSelf(recipient, self)) return undefined;
      const sender = withUsername(party(from, attrs.sender_pn, attrs.sender_lid), attrs.sender_username);
      return { chat: sender, sender, fromMe };
    }
    const sender = selfParty(self, from);
    if (recipient === undefined) return { chat: sender, sender, fromMe };
    const alternatives = [attrs.recipient_pn, attrs.recipient_lid, attrs.peer_recipient_pn, attrs.peer_recipient_lid];
    const username = attrs.recipient_username ?? attrs.peer_recipient_username;
    return { chat: withUsername(party(recipient, ...alternatives), username), sender, fromMe };
  }
  if (isNewsletter(from)) return { chat: party(from), sender: party(from), fromMe: false };
  const { participant } = attrs;
  if (participant === undefined || !(isGroup(from) || server === SERVER_BROADCAST)) return undefined;
  const fromMe = isSelf(participant, self);
  const sender = fromMe
    ? selfParty(self, participant)
    : withUsername(party(participant, attrs.participant_pn, attrs.participant_lid), attrs.participant_username);
  // A message sent through a broadcast list belongs to the chat with its sender.
  const isList = server === SERVER_BROADCAST && personJid(from) !== STATUS_BROADCAST;
  return { chat: isList && !fromMe ? sender : party(from), sender, fromMe };
}
