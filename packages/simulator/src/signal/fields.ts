import { SignalError } from './signal-error.ts';

/**
 * The few protobuf features that Signal's messages and our stored records use: varints up to 2^53
 * and byte strings. Unknown fields of other wire types are skipped.
 */
export type FieldValue = number | Uint8Array;
export type Fields = Map<number, FieldValue[]>;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Writes fields in the given order; undefined values are left out. */
export function encodeFields(fields: [number, FieldValue | undefined][]): Uint8Array {
  const out: Uint8Array[] = [];
  for (const [number, value] of fields) {
    if (value === undefined) continue;
    if (typeof value === 'number') {
      out.push(varint(number * 8 + VARINT), varint(value));
    } else {
      out.push(varint(number * 8 + BYTES), varint(value.length), value);
    }
  }
  return Uint8Array.from(Buffer.concat(out));
}

/**
 * Reads fields; throws SignalError('malformed') for truncated input. Byte values are views of
 * `bytes`.
 */
export function decodeFields(bytes: Uint8Array): Fields {
  const fields: Fields = new Map();
  let offset = 0;
  const take = (length: number): Uint8Array => {
    if (offset + length > bytes.length) throw new SignalError('malformed');
    offset += length;
    return bytes.subarray(offset - length, offset);
  };
  const readVarint = (): number => {
    let value = 0;
    for (let factor = 1; factor <= 2 ** 49; factor *= 128) {
      const byte = take(1)[0] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
    throw new SignalError('malformed');
  };
  while (offset < bytes.length) {
    const tag = readVarint();
    const number = Math.floor(tag / 8);
    const type = tag % 8;
    if (type === VARINT) push(fields, number, readVarint());
    else if (type === BYTES) push(fields, number, take(readVarint()));
    else if (type === FIXED64) take(8);
    else if (type === FIXED32) take(4);
    else throw new SignalError('malformed');
  }
  return fields;
}

/** The last byte string of a field (protobuf's rule for a field that is given twice). */
export function bytesField(fields: Fields, number: number): Uint8Array | undefined {
  const value = fields.get(number)?.at(-1);
  return value instanceof Uint8Array ? value : undefined;
}

export function numberField(fields: Fields, number: number): number | undefined {
  const value = fields.get(number)?.at(-1);
  return typeof value === 'number' ? value : undefined;
}

/** All byte strings of a repeated field. */
export function repeatedBytes(fields: Fields, number: number): Uint8Array[] {
  return (fields.get(number) ?? []).filter((value) => value instanceof Uint8Array);
}

/** A field that must be there; throws SignalError('malformed') otherwise. */
export function required<T>(value: T | undefined): T {
  if (value === undefined) throw new SignalError('malformed');
  return value;
}

function push(fields: Fields, number: number, value: FieldValue): void {
  const list = fields.get(number);
  if (list) list.push(value);
  else fields.set(number, [value]);
}

function varint(value: number): Uint8Array {
  const out: number[] = [];
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
  return Uint8Array.from(out);
}
