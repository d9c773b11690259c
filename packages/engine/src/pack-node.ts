import type { Node } from './node.ts';

/** `[tag, attrs, content?]`; bytes are `{b: base64}`. */
type Packed = [string, Record<string, string>, (string | { b: string } | Packed[])?];

/**
 * A stanza as bytes for the inbox: UTF-8 JSON, the same for every engine, readable by any later
 * version.
 */
export function packNode(node: Node): Uint8Array {
  return Buffer.from(JSON.stringify(toPacked(node)), 'utf8');
}

/** The stanza that `packNode` wrote. Throws when the bytes are something else. */
export function unpackNode(packed: Uint8Array): Node {
  return fromPacked(JSON.parse(Buffer.from(packed).toString('utf8')));
}

function toPacked({ tag, attrs, content }: Node): Packed {
  if (content === undefined) return [tag, attrs];
  if (typeof content === 'string') return [tag, attrs, content];
  if (content instanceof Uint8Array) return [tag, attrs, { b: Buffer.from(content).toString('base64') }];
  return [tag, attrs, content.map(toPacked)];
}

function fromPacked(packed: unknown): Node {
  if (!Array.isArray(packed) || typeof packed[0] !== 'string' || typeof packed[1] !== 'object') {
    throw new Error('these bytes are no packed stanza');
  }
  const [tag, attrs, content] = packed as Packed;
  if (content === undefined || content === null) return { tag, attrs };
  if (typeof content === 'string') return { tag, attrs, content };
  if (Array.isArray(content)) return { tag, attrs, content: content.map(fromPacked) };
  return { tag, attrs, content: Buffer.from(content.b, 'base64') };
}
