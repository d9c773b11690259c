import type { Node } from '@ponte/engine';

/**
 * The server's own address. The empty user matters: Baileys compares notifications' `from` with
 * exactly this text.
 */
export const SERVER_JID = '@s.whatsapp.net';

/** A stanza element. Attributes that are undefined are left out. */
export function el(
  tag: string,
  attrs: Record<string, string | undefined> = {},
  content?: Node[] | Uint8Array | string,
): Node {
  const node: Node = { tag, attrs: definedOnly(attrs) };
  if (content !== undefined) node.content = content;
  return node;
}

export function definedOnly(attrs: Record<string, string | undefined>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const key in attrs) {
    const value = attrs[key];
    if (value !== undefined) out[key] = value;
  }
  return out;
}

/**
 * An unsigned number in `length` big-endian bytes, as key ids (3) and registration ids (4) are
 * sent.
 */
export function bigEndian(value: number, length: number): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0; i < length; i++) out[i] = Math.floor(value / 256 ** (length - 1 - i)) % 256;
  return out;
}

export function readBigEndian(bytes: Uint8Array | undefined): number | undefined {
  if (!bytes || bytes.length === 0 || bytes.length > 6) return undefined;
  let value = 0;
  for (const byte of bytes) value = value * 256 + byte;
  return value;
}
