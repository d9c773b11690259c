import type { Node } from '../node.ts';

/**
 * The `<ack>` that takes a received stanza off the server's queue (whatsmeow receipt.go sendAck).
 */
export function ackFor(node: Node): Node {
  const { id, from, participant, recipient, type } = node.attrs;
  const attrs: Record<string, string> = { class: node.tag };
  if (id !== undefined) attrs.id = id;
  if (from !== undefined) attrs.to = from;
  if (participant !== undefined) attrs.participant = participant;
  if (recipient !== undefined) attrs.recipient = recipient;
  if (type !== undefined && node.tag !== 'message') attrs.type = type;
  return { tag: 'ack', attrs };
}
