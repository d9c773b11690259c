import type { EngineEvent, InboxEntry } from '@ponte/engine';
import type { Tx } from '../../store/db/store.ts';
import type { Alongside } from '../../store/engine/engine-rows.ts';

export interface RowsAlongParts<T> {
  /** Nothing waits in the inbox, and nothing of it is being journaled. */
  isFree(): boolean;
  decode(entry: InboxEntry): Promise<EngineEvent[]>;
  /** Inside the transaction; `source` names the row. */
  journal(tx: Tx, events: EngineEvent[], source: string): Promise<T>;
  /** After the commit. */
  tell(done: T, createdAt: number): void;
  /** What journaling came to nothing for; the row waits for its turn. */
  onRefused(error: unknown): void;
}

/**
 * Rows that are journaled in the commit that makes them durable. Decoded while they wait for it;
 * what is not decoded by then, and everything behind a row that waits, waits in the inbox. So the
 * order stays that of the wire.
 */
export class RowsAlong<T> {
  readonly #parts: RowsAlongParts<T>;
  /** Rows on their way into the store; `waits`: as a row of the inbox. */
  readonly #underWay = new Set<{ waits: boolean }>();

  constructor(parts: RowsAlongParts<T>) {
    this.#parts = parts;
  }

  take(entry: InboxEntry, { hash, createdAt }: { hash: string; createdAt: number }): Alongside {
    const { isFree, decode, journal, tell, onRefused } = this.#parts;
    const row = { waits: false };
    const isBehind = () => [...this.#underWay].some((other) => other !== row && other.waits);
    let events: EngineEvent[] | undefined;
    let done: T | undefined;
    if (isFree() && !isBehind()) {
      decode(entry).then(
        (decoded) => {
          events = decoded;
        },
        // The loop decodes it again, and deals with what is wrong with it.
        onRefused,
      );
    }
    this.#underWay.add(row);
    return {
      isReady: () => {
        row.waits = events === undefined || !isFree() || isBehind();
        return !row.waits;
      },
      journal: async (tx) => {
        done = await journal(tx, events ?? [], `inbox ${hash}`);
      },
      refused: (error) => {
        row.waits = true;
        onRefused(error);
      },
      settled: (end) => {
        this.#underWay.delete(row);
        if (end === 'journaled' && done !== undefined) tell(done, createdAt);
      },
    };
  }
}
