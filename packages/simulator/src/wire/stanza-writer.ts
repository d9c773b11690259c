import type { Node } from '@ponte/engine';
import { TOKENS } from './tokens.ts';

const LIST_EMPTY = 0;
const LIST_8 = 248;
const LIST_16 = 249;
const JID_PAIR = 250;
const AD_JID = 247;
const HEX_8 = 251;
const BINARY_8 = 252;
const BINARY_20 = 253;
const BINARY_32 = 254;
const NIBBLE_8 = 255;
/** Longer texts are not packed (whatsmeow binary/token PackedMax, Baileys TAGS.PACKED_MAX). */
const PACKED_MAX_CHARS = 127;
const PACKED_ODD = 0x80;

const NIBBLES = /^[0-9.-]+$/;
const HEX = /^[0-9A-F]+$/;
const NIBBLE_DIGITS = '0123456789-.';
const HEX_DIGITS = '0123456789ABCDEF';

/** Addresses of WhatsApp; text with any other server stays text (a name may have an @). */
const JID = /^([^@:]*)(?::([1-9]\d{0,2}))?@(s\.whatsapp\.net|lid|g\.us|broadcast|newsletter|call|hosted|hosted\.lid)$/;
/** Byte of an AD_JID that stands for the server (whatsmeow types/jid.go ActualAgent). */
const DOMAINS: Readonly<Record<string, number>> = { 's.whatsapp.net': 0, lid: 1, hosted: 128, 'hosted.lid': 129 };

const UTF8 = new TextEncoder();

/**
 * Writes a stanza in WhatsApp's binary form, without the flag byte. Attributes that are addresses
 * are written as addresses, not as text (JID_PAIR; AD_JID for a device): whatsmeow reads `from`,
 * `participant` and the like from nothing else.
 */
export function writeStanza(node: Node, leading: number): Uint8Array {
  const writer = new StanzaWriter();
  writer.byte(leading);
  writer.node(node);
  return writer.written();
}

class StanzaWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  node({ tag, attrs, content }: Node): void {
    const entries = Object.entries(attrs);
    this.#listSize(1 + entries.length * 2 + (content === undefined ? 0 : 1));
    this.#text(tag);
    for (const [name, value] of entries) {
      this.#text(name);
      this.#value(value);
    }
    if (content === undefined) return;
    if (typeof content === 'string') this.#binary(UTF8.encode(content));
    else if (content instanceof Uint8Array) this.#binary(content);
    else {
      this.#listSize(content.length);
      for (const one of content) this.node(one);
    }
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #value(value: string): void {
    const [, user, device, server = ''] = JID.exec(value) ?? [];
    if (user === undefined) {
      this.#text(value);
      return;
    }
    const domain = device === undefined ? undefined : DOMAINS[server];
    if (domain !== undefined && Number(device) < 256) {
      this.byte(AD_JID);
      this.byte(domain);
      this.byte(Number(device));
      this.#text(user);
      return;
    }
    this.byte(JID_PAIR);
    const name = device === undefined ? user : `${user}:${device}`;
    if (name === '') this.byte(LIST_EMPTY);
    else this.#text(name);
    this.#text(server);
  }

  #text(value: string): void {
    const token = TOKENS.get(value);
    if (token) this.#raw(token);
    else if (value.length > PACKED_MAX_CHARS) this.#binary(UTF8.encode(value));
    else if (NIBBLES.test(value)) this.#packed(NIBBLE_8, NIBBLE_DIGITS, value);
    else if (HEX.test(value)) this.#packed(HEX_8, HEX_DIGITS, value);
    else this.#binary(UTF8.encode(value));
  }

  #packed(kind: number, digits: string, value: string): void {
    const isOdd = value.length % 2 === 1;
    this.byte(kind);
    this.byte(Math.ceil(value.length / 2) | (isOdd ? PACKED_ODD : 0));
    for (let i = 0; i < value.length; i += 2) {
      const low = i + 1 < value.length ? digits.indexOf(value.charAt(i + 1)) : 15;
      this.byte((digits.indexOf(value.charAt(i)) << 4) | low);
    }
  }

  #listSize(size: number): void {
    if (size === 0) this.byte(LIST_EMPTY);
    else if (size < 256) this.#number(LIST_8, size, 1);
    else if (size < 65_536) this.#number(LIST_16, size, 2);
    else throw new RangeError(`a stanza cannot have a list of ${size} entries`);
  }

  #binary(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length < 256) this.#number(BINARY_8, length, 1);
    else if (length < 2 ** 20) this.#number(BINARY_20, length, 3);
    else this.#number(BINARY_32, length, 4);
    this.#raw(bytes);
  }

  #number(token: number, value: number, length: number): void {
    this.byte(token);
    for (let i = length - 1; i >= 0; i--) this.byte(Math.floor(value / 256 ** i) % 256);
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #reserve(extra: number): void {
    const needed = this.#length + extra;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.written());
    this.#bytes = grown;
  }
}
