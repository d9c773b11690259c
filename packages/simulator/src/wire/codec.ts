import { inflateSync } from 'node:zlib';
import type { Node } from '@ponte/engine';
import { writeStanza } from './stanza-writer.ts';
import { type DecodedNode, decodeBinaryNode } from './wire-proto.ts';

const INFLATED_MAX_BYTES = 8 * 1024 * 1024;
const DEPTH_MAX = 24;
const FLAG_COMPRESSED = 2;
const LIST_EMPTY = 0;
const LIST_8 = 248;
const LIST_16 = 249;

/** Bytes that are no stanza, or one that is shaped to exhaust the reader. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
}

/** Writes a stanza in WhatsApp's binary form, with the leading flag byte 0 (not compressed). */
export function encodeStanza(node: Node): Uint8Array {
  return writeStanza(node, 0);
}

/**
 * Reads what {@link encodeStanza} or a client wrote; text content comes back as bytes. Throws
 * CodecError, whatever the bytes are.
 */
export function decodeStanza(payload: Uint8Array): Node {
  const flag = payload[0];
  if (flag === undefined) throw new CodecError('an empty frame is no stanza');
  try {
    const body =
      (flag & FLAG_COMPRESSED) === 0
        ? payload.subarray(1)
        : inflateSync(payload.subarray(1), { maxOutputLength: INFLATED_MAX_BYTES });
    new ShapeGuard(body).node(0);
    return toNode(decodeBinaryNode(body));
  } catch (cause) {
    if (cause instanceof CodecError) throw cause;
    throw new CodecError(`a frame of ${payload.length} bytes is no stanza`, { cause });
  }
}

function toNode(node: DecodedNode): Node {
  const attrs: Record<string, string> = {};
  for (const [name, value] of Object.entries(node.attrs)) attrs[name] = isServer(name, value) ? `@${value}` : value;
  const out: Node = { tag: node.tag, attrs };
  if (node.content instanceof Uint8Array || typeof node.content === 'string') out.content = node.content;
  else if (node.content) out.content = node.content.map(toNode);
  return out;
}

// A server's own address has no user. The library leaves its @ out; Baileys, and this network, keep
// it.
function isServer(name: string, value: string): boolean {
  if (value === 's.whatsapp.net' || value === 'g.us') return true;
  return value === 'call' && (name === 'to' || name === 'from');
}

/**
 * Walks the bytes without building anything and refuses deep nesting and lists that claim more
 * entries than bytes are left: the library's decoder allocates what a list claims before it reads
 * it, at every level.
 */
class ShapeGuard {
  readonly #data: Uint8Array;
  #at = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
  }

  node(depth: number): void {
    if (depth > DEPTH_MAX) throw new CodecError(`a stanza is nested deeper than ${DEPTH_MAX}`);
    const size = this.#listSize(this.#byte());
    if (size === 0) throw new CodecError('a stanza with an empty list');
    const attrs = (size - 1) >> 1;
    this.#value(this.#byte());
    for (let i = 0; i < attrs * 2; i++) this.#value(this.#byte());
    if (size % 2 === 1) return;
    const token = this.#byte();
    if (token !== LIST_8 && token !== LIST_16) {
      this.#value(token);
      return;
    }
    const count = this.#listSize(token);
    for (let i = 0; i < count; i++) this.node(depth + 1);
  }

  #listSize(token: number): number {
    const size = token === LIST_8 ? this.#byte() : token === LIST_16 ? this.#number(2) : 0;
    if (size > this.#data.length - this.#at + 1)
      throw new CodecError(`a list claims ${size} entries, more than its bytes`);
    return size;
  }

  #value(token: number): void {
    if (token >= 236 && token <= 239) this.#skip(1);
    else if (token === 252) this.#skip(this.#byte());
    else if (token === 253) this.#skip(this.#number(3) & 0xfffff);
    else if (token === 254) this.#skip(this.#number(4));
    else if (token === 251 || token === 255) this.#skip(this.#byte() & 127);
    else if (token === 250) this.#values(2);
    else if (token === 247) this.#values(1, 2);
    else if (token === 246 || token === 245) this.#jidWithNumbers(token === 246 ? 2 : 4);
    else if (token > 235 && token !== LIST_EMPTY) throw new CodecError(`unknown token ${token}`);
  }

  #values(count: number, skip = 0): void {
    this.#skip(skip);
    for (let i = 0; i < count; i++) this.#simple();
  }

  #jidWithNumbers(numberBytes: number): void {
    this.#simple();
    this.#skip(numberBytes);
    this.#simple();
  }

  // A JID holds no JID: without this rule, JIDs nested in JIDs would be another way to recurse
  // without end.
  #simple(): void {
    const token = this.#byte();
    if (token >= 245 && token <= 250) throw new CodecError('an address inside an address');
    this.#value(token);
  }

  #byte(): number {
    const byte = this.#data[this.#at];
    if (byte === undefined) throw new CodecError('a stanza ends too early');
    this.#at += 1;
    return byte;
  }

  #number(length: number): number {
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + this.#byte();
    return value;
  }

  #skip(length: number): void {
    this.#at += length;
    if (this.#at > this.#data.length) throw new CodecError('a stanza ends too early');
  }
}
