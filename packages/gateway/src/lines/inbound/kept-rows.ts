import type { InboxEntry } from '@ponte/engine';
import type { Alongside } from '../../store/engine/engine-rows.ts';
import type { PendingInboxRow } from '../../store/engine/inbox.ts';

/** Rows held at most; beyond that they are read from the database, in batches. */
const MAX_ROWS = 256;
/**
 * How long the rows held here stand in for reading the database. No other process writes a line's
 * inbox while this one has the line; if one does, its rows are found then.
 */
const GOOD_FOR_MS = 30_000;

type OnKeeping = (entry: InboxEntry, place: { hash: string; createdAt: number }) => Alongside;

/**
 * Rows of a line's inbox that this process has just made durable, as they came: what it still holds
 * need not be read and opened again. The database stays the truth: nothing is held that is not
 * committed there, and whenever it is not certain that everything that waits is here, nothing is
 * (after a start, a failure, too many rows, half a minute).
 */
export class KeptRows {
  #rows: PendingInboxRow[] = [];
  #onKeeping: OnKeeping | undefined;
  #state: 'none' | 'reading' | 'all' = 'none';
  #readAt = 0;

  /** Who is asked about rows that are being written. */
  listen(onKeeping: OnKeeping): void {
    this.#onKeeping = onKeeping;
  }

  /** A row is being written: what journals it in the same commit, when that is possible. */
  keeping(...row: Parameters<OnKeeping>): Alongside | undefined {
    return this.#onKeeping?.(...row);
  }

  /** Nothing waits. */
  isEmpty(monotonicMs: number): boolean {
    return this.#state === 'all' && this.#rows.length === 0 && monotonicMs - this.#readAt <= GOOD_FOR_MS;
  }

  /** A row that waits was committed. */
  put(row: PendingInboxRow): void {
    if (this.#state === 'none') return;
    if (this.#rows.length >= MAX_ROWS) this.forget();
    else this.#rows.push(row);
  }

  /** The database is about to be asked for what waits; what is committed from here on is kept. */
  beginReading(): void {
    this.#rows = [];
    this.#state = 'reading';
  }

  /** It answered these and had no more: with what was kept meanwhile they are all there is. */
  readAll(rows: readonly PendingInboxRow[], monotonicMs: number): void {
    if (this.#state !== 'reading') return;
    const read = new Set(rows.map(({ seq }) => seq));
    this.#rows = this.#rows.filter(({ seq }) => !read.has(seq));
    this.#state = 'all';
    this.#readAt = monotonicMs;
  }

  /**
   * The oldest rows that wait, which are the caller's from here on: closed, or `forget` follows.
   * Undefined: only the database knows.
   */
  take(limit: number, monotonicMs: number): PendingInboxRow[] | undefined {
    if (this.#state !== 'all') return undefined;
    if (monotonicMs - this.#readAt <= GOOD_FOR_MS) return this.#rows.splice(0, limit);
    this.forget();
    return undefined;
  }

  /** What was taken was not closed, or may not have been: the database is asked. */
  forget(): void {
    this.#rows = [];
    this.#state = 'none';
  }
}
