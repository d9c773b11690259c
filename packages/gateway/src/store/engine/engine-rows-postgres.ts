import { hot } from '../db/hot.ts';
import type { Store, Tx } from '../db/store.ts';
import { type EngineRows, type KeyRow, ROWS_PER_STATEMENT } from './engine-rows.ts';
import { keepRow, writeKeysOneByOne } from './keep-row.ts';

const slices = <T>(all: T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / ROWS_PER_STATEMENT) }, (_, i) =>
    all.slice(i * ROWS_PER_STATEMENT, (i + 1) * ROWS_PER_STATEMENT),
  );

async function writeKeys(tx: Tx, lineId: string, keys: KeyRow[]): Promise<void> {
  const { db } = tx;
  if (keys.length === 1) return writeKeysOneByOne(tx, lineId, keys);
  const puts = keys.flatMap(({ kind, id, value }) => (value === null ? [] : [{ line_id: lineId, kind, id, value }]));
  for (const rows of slices(puts)) {
    await db
      .insertInto('line_keys')
      .values(rows)
      .onConflict((conflict) =>
        conflict.columns(['line_id', 'kind', 'id']).doUpdateSet((eb) => ({ value: eb.ref('excluded.value') })),
      )
      .execute();
  }
  const removed = new Map<string, string[]>();
  for (const { kind, id, value } of keys) {
    if (value === null) removed.set(kind, [...(removed.get(kind) ?? []), id]);
  }
  for (const [kind, ids] of removed) {
    for (const slice of slices(ids)) {
      await db
        .deleteFrom('line_keys')
        .where('line_id', '=', lineId)
        .where('kind', '=', kind)
        .where('id', 'in', slice)
        .execute();
    }
  }
}

/**
 * The pool has many connections: without turns, a later call could be committed before an earlier
 * one. Writes follow each other in the line's own group commit; a read waits for the writes before
 * it, and a write for the reads before it.
 */
export function createPostgresEngineRows(store: Store, lineId: string): EngineRows {
  let writes: Promise<unknown> = Promise.resolve();
  let reads: Promise<unknown> = Promise.resolve();
  const reading = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = writes.then(work);
    const before = reads;
    reads = turn.then(
      () => before,
      () => before,
    );
    return turn;
  };
  const writing = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = reads.then(work);
    const before = writes;
    // A failure is reported to its caller; the next call is not affected.
    writes = turn.then(
      () => before,
      () => before,
    );
    return turn;
  };
  const ofKind = (kind: string) =>
    store.db.selectFrom('line_keys').select(['id', 'value']).where('line_id', '=', lineId).where('kind', '=', kind);

  return {
    keys: (kind, ids) =>
      reading(async () => {
        const found: { id: string; value: Buffer }[] = [];
        for (const slice of slices(ids)) found.push(...(await keysOf(store, lineId, kind, slice)));
        return found;
      }),
    keysOfKind: (kind) => reading(() => ofKind(kind).execute()),
    write: (keys) => writing(() => store.transaction((tx) => writeKeys(tx, lineId, keys), 'full', lineId)),
    keep: (keys, row, alongside) =>
      writing(() => keepRow(store, { lineId, row, alongside, writeKeys: (tx) => writeKeys(tx, lineId, keys) })),
    inboxRow: (hash) => reading(() => readInbox.first(store.db, lineId, hash)),
    deleteKeys: () =>
      writing(() =>
        store.transaction(
          async ({ db }) => void (await db.deleteFrom('line_keys').where('line_id', '=', lineId).execute()),
          'full',
          lineId,
        ),
      ),
  };
}

const readInbox = hot<[string, string], { plaintext: Buffer | null }>(
  'select plaintext from inbox where line_id = ? and hash = ?',
);
const readKey = hot<[string, string, string], { id: string; value: Buffer }>(
  'select id, value from line_keys where line_id = ? and kind = ? and id = ?',
);

/** One key at a time is what nearly every message asks for. */
async function keysOf(store: Store, lineId: string, kind: string, ids: string[]) {
  const [only] = ids;
  if (ids.length === 1 && only !== undefined) return readKey.all(store.db, lineId, kind, only);
  return store.db
    .selectFrom('line_keys')
    .select(['id', 'value'])
    .where('line_id', '=', lineId)
    .where('kind', '=', kind)
    .where('id', 'in', ids)
    .execute();
}
