import type { Node } from '@ponte/engine';

/** `<tag name='value' …>` as binaryNodeToString writes it (Baileys WABinary/generic-utils.js). */
const HEADER = /<([^\s<>'/]+) ((?:[^\s=<>']+='[^']*' ?)*)(\/>|>\n)/y;
const ATTRIBUTE = /([^\s=<>']+)='([^']*)'/g;
const HEX = /^[0-9a-f]*$/;

const tabs = (count: number): string => '\t'.repeat(count);

/**
 * A stanza as Baileys says it in its log, as a node again. Bytes and texts become zeros of the same
 * length. What cannot be read for certain (an apostrophe in a name) keeps its tag only.
 */
export function readSaid(said: string): Node {
  const reader = new SaidReader(said);
  const node = reader.node(0);
  if (node && reader.isAtEnd) return node;
  return { tag: /^<([^\s<>'/]+)/.exec(said)?.[1] ?? 'unreadable', attrs: {}, content: new Uint8Array(said.length) };
}

class SaidReader {
  readonly #said: string;
  #at = 0;

  constructor(said: string) {
    this.#said = said;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#said.length;
  }

  /** Undefined when it does not stand there. Children are two tabs deeper than their parent. */
  node(level: number): Node | undefined {
    HEADER.lastIndex = this.#at;
    const header = HEADER.exec(this.#said);
    if (!header) return undefined;
    this.#at = HEADER.lastIndex;
    const tag = header[1] ?? '';
    const attrs: Record<string, string> = {};
    for (const [, name = '', value = ''] of (header[2] ?? '').matchAll(ATTRIBUTE)) attrs[name] = value;
    if (header[3] === '/>') return { tag, attrs };
    const end = `\n${tabs(level)}</${tag}>`;
    const content = this.#skip(`${tabs(level + 2)}<`, 1) ? this.#nodes(level + 2, end) : this.#bytes(level + 1, end);
    return content && { tag, attrs, content };
  }

  #nodes(level: number, end: string): Node[] | undefined {
    const nodes: Node[] = [];
    do {
      const node = this.node(level);
      if (!node) return undefined;
      nodes.push(node);
    } while (!this.#skip(end) && this.#skip(`\n${tabs(level)}<`, 1));
    return this.#said.endsWith(end, this.#at) ? nodes : undefined;
  }

  #bytes(level: number, end: string): Uint8Array | undefined {
    const from = this.#at + level;
    const to = this.#said.indexOf(end, this.#at);
    if (to < 0) return undefined;
    this.#at = to + end.length;
    const text = this.#said.slice(from, to);
    return new Uint8Array(HEX.test(text) ? text.length / 2 : Buffer.byteLength(text));
  }

  /** Goes past this when it stands here, all but `short` of its last characters. */
  #skip(what: string, short = 0): boolean {
    if (!this.#said.startsWith(what, this.#at)) return false;
    this.#at += what.length - short;
    return true;
  }
}
