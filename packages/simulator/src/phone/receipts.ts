import { child, childrenOf, type Jid, type Node } from '@ponte/engine';
import type { Envelope } from './envelope.ts';
import { isShared } from './shared-chat.ts';

/**
 * `<ack>` for a pushed stanza: it leaves the server's queue. Attributes as Baileys stanza-ack.js
 * copies them.
 */
export function ackOf(node: Node, own: Jid, error?: number): Node {
  const { id, from, participant, recipient, type } = node.attrs;
  const attrs: Record<string, string> = { id: id ?? '', to: from ?? '', class: node.tag };
  if (error !== undefined) attrs.error = String(error);
  if (participant !== undefined) attrs.participant = participant;
  if (recipient !== undefined) attrs.recipient = recipient;
  if (type !== undefined) attrs.type = type;
  if (node.tag === 'message') attrs.from = own;
  return { tag: 'ack', attrs };
}

/**
 * What the server is told about one received message: `sender` for copies of own messages,
 * `peer_msg` between own devices.
 */
export function deliveryReceipt(envelope: Envelope): Node {
  const { messageId, device, chatJid, isFromMe, isPeer } = envelope;
  if (isPeer) return receipt(messageId, device, { type: 'peer_msg' });
  if (isShared(chatJid)) {
    return receipt(messageId, chatJid, { participant: device, ...(isFromMe ? { type: 'sender' } : {}) });
  }
  return isFromMe ? receipt(messageId, device, { type: 'sender', recipient: chatJid }) : receipt(messageId, device, {});
}

/**
 * A receipt a person causes (read, played) or that was held back (delivered), for one or more
 * messages of one sender.
 */
export function receiptFor(
  messageIds: string[],
  to: { chatJid: Jid; senderJid: Jid },
  type: 'delivered' | 'read' | 'played',
  t: number,
): Node {
  const [first = '', ...more] = messageIds;
  const attrs: Record<string, string> = type === 'delivered' ? {} : { type, t: String(t) };
  if (isShared(to.chatJid)) attrs.participant = to.senderJid;
  const node = receipt(first, to.chatJid, attrs);
  if (more.length > 0) {
    node.content = [{ tag: 'list', attrs: {}, content: more.map((id) => ({ tag: 'item', attrs: { id } })) }];
  }
  return node;
}

/**
 * Who of a group has a message: one member with one or more messages (`participant`, `<list>`), or
 * several members at once, as the server sums up what came while the author was away
 * (`<participants key><user jid t/>`: whatsmeow receipt.go, handleGroupedReceipt).
 */
export function memberReceipts(node: Node): { member: Jid; id: string }[] {
  const { participant } = node.attrs;
  if (participant !== undefined) return idsOf(node).map((id) => ({ member: participant, id }));
  return childrenOf(node, 'participants').flatMap((group) =>
    childrenOf(group, 'user').map((user) => ({ member: user.attrs.jid ?? '', id: group.attrs.key ?? '' })),
  );
}

/** The message ids a receipt speaks of. */
export function idsOf(node: Node): string[] {
  const items = childrenOf(child(node, 'list'), 'item').map((item) => item.attrs.id ?? '');
  return [node.attrs.id ?? '', ...items].filter((id) => id !== '');
}

function receipt(id: string, to: Jid, attrs: Record<string, string>): Node {
  return { tag: 'receipt', attrs: { id, to, ...attrs } };
}
