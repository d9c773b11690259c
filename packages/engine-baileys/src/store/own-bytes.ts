/**
 * The same bytes in memory of their own. Short buffers are cut from slabs of 64 KiB that live as
 * long as the last of them: a line that keeps one key for days must not keep a slab with it.
 */
export function ownBytes(bytes: Uint8Array): Buffer {
  const own = Buffer.alloc(bytes.length);
  own.set(bytes);
  return own;
}

/** Every byte string inside, in memory of its own; objects are changed in place. */
export function withOwnBytes<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const [name, inner] of Object.entries(value)) {
    if (inner instanceof Uint8Array) Reflect.set(value, name, ownBytes(inner));
    else withOwnBytes(inner);
  }
  return value;
}
