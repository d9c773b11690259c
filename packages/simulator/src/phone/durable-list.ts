import type { PhoneStore } from './network.ts';

export interface Row<T> {
  /** Grows with every append; a reader that remembers it can go on from there. */
  seq: number;
  key: string;
  value: T;
}

/**
 * A bounded list of JSON values in a phone's store, newest last, found by key. Read once into
 * memory, written through. When a transaction of the store fails, call reload(): memory must not be
 * ahead of the store.
 */
export class DurableList<T> {
  readonly #store: PhoneStore;
  readonly #kind: string;
  readonly #limit: number;
  #rows: Map<string, Row<T>> | undefined;
  #nextSeq = 1;

  constructor(store: PhoneStore, kind: string, limit: number) {
    this.#store = store;
    this.#kind = kind;
    this.#limit = limit;
  }

  get(key: string): Row<T> | undefined {
    return this.#loaded().get(key);
  }

  /** All rows, oldest first. */
  rows(): Row<T>[] {
    return [...this.#loaded().values()];
  }

  /**
   * Adds a value at the end; one with the same key is replaced and moves there. The oldest goes
   * when the list is full.
   */
  append(key: string, value: T): Row<T> {
    const rows = this.#loaded();
    const replaced = rows.get(key);
    const row = { seq: this.#nextSeq++, key, value };
    if (replaced) this.#remove(rows, replaced);
    rows.set(key, row);
    this.#write(row);
    if (rows.size > this.#limit) {
      const [oldest] = rows.values();
      if (oldest) this.#remove(rows, oldest);
    }
    return row;
  }

  /** Changes a value where it is. Nothing happens when the key is gone. */
  update(key: string, change: (value: T) => T): T | undefined {
    const row = this.#loaded().get(key);
    if (!row) return undefined;
    row.value = change(row.value);
    this.#write(row);
    return row.value;
  }

  remove(key: string): void {
    const row = this.#loaded().get(key);
    if (row) this.#remove(this.#loaded(), row);
  }

  /** Gives a value another key, where it is. Nothing happens when the new key is taken. */
  rename(key: string, to: string, change: (value: T) => T): void {
    const rows = this.#loaded();
    const row = rows.get(key);
    if (!row || rows.has(to)) return;
    const renamed = { ...row, key: to, value: change(row.value) };
    this.#write(renamed);
    // A map keeps the order of its keys: it is made again.
    this.#rows = new Map([...rows].map(([name, known]) => (name === key ? [to, renamed] : [name, known])));
  }

  reload(): void {
    this.#rows = undefined;
  }

  #loaded(): Map<string, Row<T>> {
    if (this.#rows) return this.#rows;
    const stored = this.#store
      .list(this.#kind)
      .map(({ id, value }): Row<T> => {
        const { key, value: parsed } = JSON.parse(new TextDecoder().decode(value));
        return { seq: Number(id), key, value: parsed };
      })
      .sort((a, b) => a.seq - b.seq);
    this.#rows = new Map(stored.map((row) => [row.key, row]));
    this.#nextSeq = (stored.at(-1)?.seq ?? 0) + 1;
    return this.#rows;
  }

  #write({ seq, key, value }: Row<T>): void {
    this.#store.set(this.#kind, String(seq), new TextEncoder().encode(JSON.stringify({ key, value })));
  }

  #remove(rows: Map<string, Row<T>>, row: Row<T>): void {
    rows.delete(row.key);
    this.#store.set(this.#kind, String(row.seq), null);
  }
}
