/** A field of a protobuf message that has a length: text, bytes or another message. */
export interface ProtoField {
  number: number;
  bytes: Uint8Array;
}

const VARINT = 0;
const FIXED64 = 1;
const LENGTH = 2;
const FIXED32 = 5;
/** Ten groups of seven bits hold 64. */
const VARINT_MAX_BYTES = 10;

/**
 * Reads the fields of one protobuf message as its bytes arrive, so that a message of any size is
 * never in memory whole; numbers are passed over. Throws when it is none, when it ends within a
 * field, or when one field is larger than `maxFieldBytes`.
 */
export async function* protoFields(
  source: AsyncIterable<Uint8Array>,
  maxFieldBytes: number,
): AsyncGenerator<ProtoField> {
  const queue = new ByteQueue();
  for await (const piece of source) {
    queue.push(piece);
    for (let field = nextField(queue, maxFieldBytes); field; field = nextField(queue, maxFieldBytes)) {
      if (field.bytes) yield { number: field.number, bytes: field.bytes };
    }
  }
  if (queue.length > 0) throw new Error('the message ends within a field');
}

/** The next whole field, taken from the queue; undefined while it has not arrived. */
function nextField(
  queue: ByteQueue,
  maxFieldBytes: number,
): { number: number; bytes: Uint8Array | undefined } | undefined {
  const key = queue.varint(0);
  if (!key) return undefined;
  const number = Math.floor(key.value / 8);
  const wire = key.value % 8;
  if (wire === LENGTH) {
    const length = queue.varint(key.bytes);
    if (!length) return undefined;
    if (length.value > maxFieldBytes) throw new Error('a field is too large');
    const head = key.bytes + length.bytes;
    if (queue.length < head + length.value) return undefined;
    queue.take(head);
    return { number, bytes: queue.take(length.value) };
  }
  const rest = wire === FIXED64 ? 8 : wire === FIXED32 ? 4 : wire === VARINT ? queue.varint(key.bytes)?.bytes : -1;
  if (rest === -1) throw new Error('this is no protobuf message');
  if (rest === undefined || queue.length < key.bytes + rest) return undefined;
  queue.take(key.bytes + rest);
  return { number, bytes: undefined };
}

/**
 * Bytes that arrived and were not taken yet, in one piece of memory that grows with the largest
 * field.
 */
class ByteQueue {
  #buffer = Buffer.alloc(64 * 1024);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  push(piece: Uint8Array): void {
    if (this.#end + piece.length > this.#buffer.length) {
      const needed = this.length + piece.length;
      const target = needed > this.#buffer.length / 2 ? Buffer.alloc(needed * 2) : this.#buffer;
      this.#buffer.copy(target, 0, this.#start, this.#end);
      this.#end = this.length;
      this.#start = 0;
      this.#buffer = target;
    }
    this.#buffer.set(piece, this.#end);
    this.#end += piece.length;
  }

  /** A copy of the first bytes, which leave the queue. */
  take(length: number): Uint8Array {
    const bytes = Uint8Array.prototype.slice.call(this.#buffer, this.#start, this.#start + length);
    this.#start += length;
    return bytes;
  }

  /**
   * The number at an offset; undefined while it has not arrived. Numbers above 2^53 are of no use
   * here and not exact.
   */
  varint(offset: number): { value: number; bytes: number } | undefined {
    let value = 0;
    for (let i = 0; i < VARINT_MAX_BYTES; i++) {
      if (offset + i >= this.length) return undefined;
      const byte = this.#buffer[this.#start + offset + i] ?? 0;
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return { value, bytes: i + 1 };
    }
    throw new Error('this is no protobuf message');
  }
}
