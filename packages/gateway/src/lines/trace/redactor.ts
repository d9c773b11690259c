import { type Node, parseJid, STATUS_BROADCAST } from '@ponte/engine';

/** People and groups that get a name of their own in one trace. */
const NAMES_MAX = 5_000;
const DEPTH_MAX = 8;
const CHILDREN_MAX = 20;
const STANZA_MAX = 4_000;
/** A phone number has at least so many digits in a row. */
const MANY_DIGITS = /\d{7}/;

const WORD = /^[a-z][a-z0-9_:.-]{0,47}$/i;
const COUNT = /^\d{1,6}$/;
const TIME = /^\d{9,17}$/;
const ID = /^[A-Za-z0-9_.:-]{1,64}$/;

/** Attributes that are shown, and what they must look like for it. */
const SHOWN = new Map<string, RegExp>([
  ...['t', 'ts', 'timestamp', 'expiration', 'expiry'].map((name) => [name, TIME] as const),
  ...['code', 'error', 'count', 'v', 'value', 'retry', 'offline', 'index', 'version', 'edit', 'key-index'].map(
    (name) => [name, COUNT] as const,
  ),
  ...['message', 'receipt', 'notification', 'call', 'appdata', 'reason', 'backoff'].map(
    (name) => [name, COUNT] as const,
  ),
  ...['type', 'class', 'xmlns', 'stage', 'category', 'addressing_mode', 'mediatype', 'decrypt-fail'].map(
    (name) => [name, WORD] as const,
  ),
  ...['event', 'state', 'media', 'mode', 'query', 'context', 'polltype', 'event_type', 'last', 'sid'].map(
    (name) => [name, WORD] as const,
  ),
]);

/** Servers, as one part of an address, and what their users are called in a trace. */
const KINDS: Record<string, string> = {
  's.whatsapp.net': 'pn',
  'c.us': 'pn',
  hosted: 'pn',
  lid: 'lid',
  'hosted.lid': 'lid',
  'g.us': 'group',
  newsletter: 'channel',
  broadcast: 'broadcast',
  call: 'call',
  bot: 'bot',
};

/**
 * Writes stanzas in a way that can be shown to strangers: tags, and the attributes that are ids,
 * types, codes and times; of everything else the length. Each address has the same name (`pn-1`,
 * `lid-2`, `group-1`) throughout one trace.
 */
export class Redactor {
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<string, number>();
  /** The digits of all addresses named so far: they are searched for in ids. */
  readonly #users = new Set<string>();

  /** One line of text. */
  write(stanza: Node): string {
    const text = this.#node(stanza, 0);
    return text.length > STANZA_MAX ? `${text.slice(0, STANZA_MAX)} [${text.length - STANZA_MAX} more]` : text;
  }

  #node({ tag, attrs, content }: Node, depth: number): string {
    const name = WORD.test(tag) && !MANY_DIGITS.test(tag) ? tag : `[${tag.length}]`;
    const shown = Object.entries(attrs).map(([key, value]) => ` ${this.#attribute(key, String(value), tag)}`);
    const head = `<${name}${shown.join('')}`;
    if (content === undefined || content === null || content.length === 0) return `${head}/>`;
    if (!Array.isArray(content)) return `${head}>[${lengthOf(content)} bytes]</${name}>`;
    if (depth >= DEPTH_MAX) return `${head}>[${content.length} children]</${name}>`;
    const inside = content.slice(0, CHILDREN_MAX).map((one) => this.#node(one, depth + 1));
    const more = content.length > CHILDREN_MAX ? `[${content.length - CHILDREN_MAX} more]` : '';
    return `${head}>${inside.join('')}${more}</${name}>`;
  }

  #attribute(key: string, value: string, tag: string): string {
    const name = WORD.test(key) && !MANY_DIGITS.test(key) ? key : `[${key.length}]`;
    return `${name}="${this.#value(key, value, tag) ?? `[${value.length}]`}"`;
  }

  /** Undefined: of this only the length is shown. */
  #value(key: string, value: string, tag: string): string | undefined {
    if (value.includes('@')) return this.#address(value);
    if (Object.hasOwn(KINDS, value)) return value;
    if (key === 'id') return this.#id(value);
    // WhatsApp's own words for an error, such as `not-authorized`.
    if (key === 'text' && tag === 'error') return /^[a-z-]{1,40}$/.test(value) ? value : undefined;
    const form = SHOWN.get(key);
    if (!form?.test(value)) return undefined;
    return form !== TIME && MANY_DIGITS.test(value) ? undefined : value;
  }

  #address(value: string): string | undefined {
    const parts = parseJid(value);
    if (!parts) return undefined;
    const kind = Object.hasOwn(KINDS, parts.server) ? KINDS[parts.server] : 'other';
    if (value === STATUS_BROADCAST || (parts.user === '' && kind !== 'other')) return value;
    if (parts.user.length >= 5) this.#remember(parts.user);
    const name = this.#nameOf(`${parts.user}@${parts.server}`, kind ?? 'other');
    return parts.device === 0 ? name : `${name}:${parts.device}`;
  }

  #id(value: string): string | undefined {
    // The number of a group or a person, standing alone.
    if (/^\+?\d{7,}$/.test(value)) return this.#nameOf(value, 'number');
    if (!ID.test(value)) return undefined;
    for (const user of this.#users) if (value.includes(user)) return undefined;
    return value;
  }

  #remember(user: string): void {
    if (this.#users.size < NAMES_MAX) this.#users.add(user);
  }

  #nameOf(whom: string, kind: string): string {
    const known = this.#names.get(whom);
    if (known !== undefined) return known;
    if (this.#names.size >= NAMES_MAX) return `${kind}-x`;
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    const name = `${kind}-${count}`;
    this.#names.set(whom, name);
    return name;
  }
}

const lengthOf = (content: Uint8Array | string): number =>
  typeof content === 'string' ? Buffer.byteLength(content) : content.length;
