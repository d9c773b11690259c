/** Just enough ASN.1 in DER (X.690) to write a certificate: nothing is read back. */

const UNIVERSAL = { boolean: 1, integer: 2, bitString: 3, octets: 4, oid: 6, utf8: 12, utcTime: 23, time: 24 } as const;
const SEQUENCE = 0x30;
const SET = 0x31;
const CONTEXT = 0x80;
const CONSTRUCTED = 0x20;

type Der = Uint8Array;

function tagged(tag: number, content: Uint8Array): Der {
  const length = content.length;
  if (length < 128) return Buffer.concat([Uint8Array.of(tag, length), content]);
  const size = length < 0x100 ? 1 : length < 0x10000 ? 2 : 3;
  const prefix = Buffer.alloc(2 + size);
  prefix[0] = tag;
  prefix[1] = 0x80 | size;
  prefix.writeUIntBE(length, 2, size);
  return Buffer.concat([prefix, content]);
}

export const sequence = (...parts: Der[]): Der => tagged(SEQUENCE, Buffer.concat(parts));
export const setOf = (...parts: Der[]): Der => tagged(SET, Buffer.concat(parts));
export const boolean = (value: boolean): Der => tagged(UNIVERSAL.boolean, Uint8Array.of(value ? 0xff : 0));
export const octets = (value: Uint8Array): Der => tagged(UNIVERSAL.octets, value);
export const utf8 = (value: string): Der => tagged(UNIVERSAL.utf8, Buffer.from(value));

/** An unsigned number: a zero byte goes before a first byte that would read as a sign. */
export function integer(value: number | Uint8Array): Der {
  const bytes = typeof value === 'number' ? Uint8Array.of(value) : value;
  const start = bytes.findIndex((byte) => byte !== 0);
  const trimmed = start < 0 ? Uint8Array.of(0) : bytes.subarray(start);
  const isSigned = (trimmed[0] ?? 0) >= 0x80;
  return tagged(UNIVERSAL.integer, isSigned ? Buffer.concat([Uint8Array.of(0), trimmed]) : trimmed);
}

/** Bits in whole bytes, or with `unused` bits left at the end of the last one. */
export function bitString(value: Uint8Array, unused = 0): Der {
  return tagged(UNIVERSAL.bitString, Buffer.concat([Uint8Array.of(unused), value]));
}

/** `1.2.840.10045.4.3.2` */
export function oid(dotted: string): Der {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tagged(UNIVERSAL.oid, Uint8Array.from(bytes));
}

/** A moment, to the second: two-digit years until 2049, four digits after (RFC 5280, 4.1.2.5). */
export function time(ms: number): Der {
  const digits = new Date(ms)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '');
  const isShort = Number(digits.slice(0, 4)) < 2050;
  return isShort
    ? tagged(UNIVERSAL.utcTime, Buffer.from(digits.slice(2)))
    : tagged(UNIVERSAL.time, Buffer.from(digits));
}

/** `[number] EXPLICIT`: wraps a value. */
export const explicit = (number: number, value: Der): Der => tagged(CONTEXT | CONSTRUCTED | number, value);
/** `[number] IMPLICIT` over a primitive: replaces its tag. */
export const implicit = (number: number, content: Uint8Array): Der => tagged(CONTEXT | number, content);
