import { proto } from '../baileys.ts';

/** Field numbers: `Message.deviceSentMessage`, and the message inside it. */
const DEVICE_SENT = 31;
const SENT_MESSAGE = 2;
const LENGTH = 2;
const FIXED = new Map([
  [1, 8],
  [5, 4],
]);

/**
 * Numbers of the fields of a message that are newer than the library's schema, also those of a copy
 * for the own devices. Decoding leaves such fields out without a word.
 */
export function unknownFields(message: Uint8Array): number[] {
  return fieldsOf(message).flatMap(({ number, whole, content }) => {
    if (number === DEVICE_SENT) {
      const inner = fieldsOf(content).find((field) => field.number === SENT_MESSAGE);
      return inner ? unknownFields(inner.content) : [];
    }
    return isKnown(whole) ? [] : [number];
  });
}

function isKnown(field: Uint8Array): boolean {
  try {
    return Object.keys(proto.Message.decode(field)).length > 0;
  } catch {
    return true;
  }
}

interface Field {
  number: number;
  whole: Uint8Array;
  content: Uint8Array;
}

/**
 * The fields of one level with their contents; what comes after something that is no field is left
 * out.
 */
export function fieldsOf(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const key = varint(bytes, at);
    const wire = key.value % 8;
    const length = wire === LENGTH ? varint(bytes, key.end) : undefined;
    const start = length?.end ?? key.end;
    const end = length
      ? start + length.value
      : wire === 0
        ? varint(bytes, key.end).end
        : start + (FIXED.get(wire) ?? Number.NaN);
    if (!(end > at) || end > bytes.length) return fields;
    fields.push({
      number: Math.floor(key.value / 8),
      whole: bytes.subarray(at, end),
      content: bytes.subarray(start, end),
    });
    at = end;
  }
  return fields;
}

function varint(bytes: Uint8Array, from: number): { value: number; end: number } {
  let value = 0;
  for (let i = 0; i < 10 && from + i < bytes.length; i++) {
    const byte = bytes[from + i] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, end: from + i + 1 };
  }
  return { value: 0, end: Number.NaN };
}
