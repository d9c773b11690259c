/**
 * A WhatsApp stanza, as every WhatsApp Web client library decodes it (Baileys `BinaryNode` and
 * zapo's nodes have this same shape). Everything WhatsApp-specific that is not bound to one library
 * works on this type.
 */
export interface Node {
  tag: string;
  attrs: Record<string, string>;
  content?: Node[] | Uint8Array | string | undefined;
}

/** The child nodes; an empty list when the content is text, bytes or absent. */
export function children(node: Node | undefined): Node[] {
  return Array.isArray(node?.content) ? node.content : [];
}

/** The first child with this tag. */
export function child(node: Node | undefined, tag: string): Node | undefined {
  return children(node).find((c) => c.tag === tag);
}

/** All children with this tag, in order. */
export function childrenOf(node: Node | undefined, tag: string): Node[] {
  return children(node).filter((c) => c.tag === tag);
}

/** Content as bytes; text is taken as UTF-8. Undefined when the node holds children or nothing. */
export function bytes(node: Node | undefined): Uint8Array | undefined {
  if (node?.content instanceof Uint8Array) return node.content;
  return typeof node?.content === 'string' ? new TextEncoder().encode(node.content) : undefined;
}

/** Content as UTF-8 text. Undefined when the node holds children or nothing. */
export function text(node: Node | undefined): string | undefined {
  if (typeof node?.content === 'string') return node.content;
  return node?.content instanceof Uint8Array ? new TextDecoder().decode(node.content) : undefined;
}

/** An integer attribute. Undefined when absent or not a whole number. */
export function intAttr(node: Node | undefined, name: string): number | undefined {
  const raw = node?.attrs[name];
  return raw !== undefined && /^-?\d{1,15}$/.test(raw) ? Number(raw) : undefined;
}
