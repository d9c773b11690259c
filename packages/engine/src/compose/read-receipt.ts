import type { Jid } from '../address.ts';
import type { Node } from '../node.ts';

/**
 * The `<receipt>` that says messages of one chat were read or played (whatsmeow receipt.go
 * MarkRead). `ids` must not be empty.
 */
export function readReceipt(receipt: {
  chat: Jid;
  ids: readonly string[];
  /** The author; required in groups. */
  sender: Jid | undefined;
  type: 'read' | 'read-self' | 'played' | 'played-self';
  nowSeconds: number;
}): Node {
  const [first, ...others] = receipt.ids;
  if (first === undefined) throw new Error('a receipt needs at least one message id');
  const attrs: Record<string, string> = {
    id: first,
    to: receipt.chat,
    type: receipt.type,
    t: String(receipt.nowSeconds),
  };
  if (receipt.sender !== undefined) attrs.participant = receipt.sender;
  if (others.length === 0) return { tag: 'receipt', attrs };
  return {
    tag: 'receipt',
    attrs,
    content: [{ tag: 'list', attrs: {}, content: others.map((id) => ({ tag: 'item', attrs: { id } })) }],
  };
}
