import type { PhoneStore } from '../src/phone/network.ts';

/**
 * A store in memory for tests: a transaction that throws leaves nothing behind, as the real one.
 */
export function memoryStore(): PhoneStore & { sizeBytes(kind: string, id: string): number } {
  let rows = new Map<string, Uint8Array>();
  const key = (kind: string, id: string) => `${kind}\n${id}`;
  return {
    get: (kind, id) => rows.get(key(kind, id)),
    set(kind, id, value) {
      if (value === null) rows.delete(key(kind, id));
      else rows.set(key(kind, id), Uint8Array.from(value));
    },
    list: (kind) =>
      [...rows]
        .filter(([name]) => name.startsWith(`${kind}\n`))
        .map(([name, value]) => ({ id: name.slice(kind.length + 1), value })),
    transaction(work) {
      const before = new Map(rows);
      try {
        return work();
      } catch (error) {
        rows = before;
        throw error;
      }
    },
    sizeBytes: (kind, id) => rows.get(key(kind, id))?.length ?? 0,
  };
}
