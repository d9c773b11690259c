import type { Party, Self } from '../address.ts';
import { isGroup, parseJid, SERVER_BROADCAST } from '../address.ts';
import type { EngineEvent } from '../events.ts';
import { child, childrenOf, intAttr, type Node } from '../node.ts';
import { isSelf, party, selfParty } from './party.ts';

type Receipt = Extract<EngineEvent, { type: 'receipt' }>;

/**
 * What a receipt's type says about the message. Types that are absent say nothing: `inactive` (an
 * idle companion has it; WhatsApp's own apps show no tick for it), `retry`, `server-error`,
 * `peer_msg`, `hist_sync` (whatsmeow types/presence.go, Baileys generics.js).
 */
const STATUS: Record<string, Receipt['status']> = {
  '': 'delivered',
  sender: 'sent',
  read: 'read',
  'read-self': 'read',
  played: 'played',
  'played-self': 'played',
};

/**
 * Reads a `<receipt>`: for one message, for several (`<list>`), or for several people of a group
 * (`<participants>`). Receipts without a meaning for a message's status give nothing.
 */
export function parseReceipt(node: Node, self: Self): Receipt[] {
  const { id, from, type, participant, recipient } = node.attrs;
  const status = STATUS[type ?? ''];
  if (from === undefined || status === undefined) return [];
  const timestamp = intAttr(node, 't') ?? 0;
  const groups = childrenOf(node, 'participants');
  if (groups.length > 0) return groups.flatMap((group) => grouped(group, party(from), status, timestamp, self));
  if (id === undefined) return [];
  const ids = [id, ...childrenOf(child(node, 'list'), 'item').flatMap((item) => item.attrs.id ?? [])];
  if (isShared(from)) {
    if (participant === undefined) return [];
    const by = reader(participant, self, node.attrs.participant_pn, node.attrs.participant_lid);
    return [{ type: 'receipt', ids, chat: party(from), by, status, timestamp }];
  }
  const by = reader(from, self, node.attrs.sender_pn, node.attrs.sender_lid);
  if (!isSelf(from, self)) return [{ type: 'receipt', ids, chat: by, by, status, timestamp }];
  const alternatives = [node.attrs.recipient_pn, node.attrs.recipient_lid];
  const chat = recipient === undefined ? by : party(recipient, ...alternatives);
  return [{ type: 'receipt', ids, chat, by, status, timestamp }];
}

function grouped(group: Node, chat: Party, status: Receipt['status'], timestamp: number, self: Self): Receipt[] {
  const id = group.attrs.key;
  if (id === undefined) return [];
  return childrenOf(group, 'user').flatMap((user): Receipt[] => {
    if (user.attrs.jid === undefined) return [];
    const by = reader(user.attrs.jid, self, user.attrs.participant_pn, user.attrs.participant_lid);
    return [{ type: 'receipt', ids: [id], chat, by, status, timestamp: intAttr(user, 't') ?? timestamp }];
  });
}

function reader(jid: string, self: Self, ...alternatives: (string | undefined)[]): Party {
  return isSelf(jid, self) ? selfParty(self, jid) : party(jid, ...alternatives);
}

const isShared = (jid: string): boolean => isGroup(jid) || parseJid(jid)?.server === SERVER_BROADCAST;
