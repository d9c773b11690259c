import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../observe/logger.ts';
import { hot } from '../db/hot.ts';
import type { Store } from '../db/store.ts';

/** How often the number of messages that are not in the index is looked at. */
const LOOK_MS = 2_000;
/** So many wait at least; fewer are found as fast without it. */
const BATCH_MIN = 256;
/** Bounds how long a batch holds the write lock. */
const BATCH_MAX = 512;

const waiting = hot<[], { waiting: number }>(
  'select coalesce((select max(seq) from messages), 0) - indexed_to as waiting from messages_search_mark',
);
const index = hot<[number]>(
  `insert into messages_search (rowid, line_id, search)
  select seq, line_id, search from messages_search_mark cross join messages
  where seq > indexed_to and seq <= indexed_to + ? and search <> ''`,
);
const advance = hot<[number]>(
  `update messages_search_mark
  set indexed_to = min(indexed_to + ?, coalesce((select max(seq) from messages), 0))`,
);

/**
 * Puts the messages that came since into SQLite's full-text index, many at once: one by one, each
 * would write three pages of the index with its own commit. Nothing is lost when it does not
 * happen: a search looks through what lies behind the mark by itself (message-list.ts), and the
 * index is made of the messages, in one transaction with the mark. Answers how many went in.
 */
export async function indexMessages(store: Store, atLeast = BATCH_MIN): Promise<number> {
  let indexed = 0;
  for (;;) {
    const [row] = await waiting.all(store.db);
    const left = row?.waiting ?? 0;
    if (left < atLeast || left <= 0) return indexed;
    await store.transaction(async ({ db }) => {
      await index.run(db, BATCH_MAX);
      await advance.run(db, BATCH_MAX);
    }, 'normal');
    indexed += Math.min(left, BATCH_MAX);
  }
}

/** Does so for as long as the server runs; PostgreSQL indexes its messages itself. */
export function keepIndexing({ store, clock, log }: { store: Store; clock: Clock; log: Log }): {
  close(): Promise<void>;
} {
  let cancel = () => {};
  let isClosed = store.engine !== 'sqlite';
  let running: Promise<void> = Promise.resolve();
  const look = async () => {
    try {
      await indexMessages(store);
    } catch (error) {
      log.warn({ error }, 'messages could not be indexed for the search; the next look does it');
    }
    schedule();
  };
  const schedule = () => {
    if (!isClosed) {
      cancel = clock.after(LOOK_MS, () => {
        running = look();
      });
    }
  };
  schedule();
  return {
    async close() {
      isClosed = true;
      cancel();
      await running;
    },
  };
}
