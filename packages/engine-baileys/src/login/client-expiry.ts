import { child, intAttr, type Node } from '@ponte/engine';

/**
 * When WhatsApp stops taking the announced version, in milliseconds, as its
 * `<ib><client_expiration t/></ib>` says (whatsapp-rust, zapo): now, when it names no time.
 * Undefined for other stanzas.
 */
export function clientExpiry(node: Node, nowMs: number): number | undefined {
  const expiration = node.tag === 'ib' ? child(node, 'client_expiration') : undefined;
  if (!expiration) return undefined;
  const seconds = intAttr(expiration, 't');
  return seconds === undefined ? nowMs : seconds * 1_000;
}
