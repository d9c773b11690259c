import type { Transaction } from 'kysely';
import { hot } from '../db/hot.ts';
import type { Database } from '../db/schema.ts';
import type { Store } from '../db/store.ts';
import { type EngineRows, type InboxRow, type KeyRow, ROWS_PER_STATEMENT } from './engine-rows.ts';

const slices = <T>(all: T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / ROWS_PER_STATEMENT) }, (_, i) =>
    all.slice(i * ROWS_PER_STATEMENT, (i + 1) * ROWS_PER_STATEMENT),
  );

const putKey = hot<[string, string, string, Buffer]>(
  `insert into line_keys (line_id, kind, id, value) values (?, ?, ?, ?)
  on conflict (line_id, kind, id) do update set value = excluded.value`,
);

async function writeKeys(db: Transaction<Database>, lineId: string, keys: KeyRow[]): Promise<void> {
  const puts = keys.flatMap(({ kind, id, value }) => (value === null ? [] : [{ line_id: lineId, kind, id, value }]));
  const [only] = puts;
  if (only && puts.length === 1) await putKey.run(db, lineId, only.kind, only.id, only.value);
  else {
    for (const rows of slices(puts)) {
      await db
        .insertInto('line_keys')
        .values(rows)
        .onConflict((conflict) =>
          conflict.columns(['line_id', 'kind', 'id']).doUpdateSet((eb) => ({ value: eb.ref('excluded.value') })),
        )
        .execute();
    }
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

const putInbox = hot<
  [string, string, string, string, number, Buffer, Buffer | null, string | null, number],
  { seq: number }
>(
  `insert into inbox (line_id, kind, hash, tag, enc_index, stanza, plaintext, failure, done, created_at)
  values (?, ?, ?, ?, ?, ?, ?, ?, 0, ?) returning seq`,
);

async function writeInbox(db: Transaction<Database>, lineId: string, row: InboxRow): Promise<number | undefined> {
  const { kind, hash, tag, encIndex, stanza, plaintext, failure, createdAt } = row;
  const added = await putInbox.first(db, lineId, kind, hash, tag, encIndex, stanza, plaintext, failure, createdAt);
  return added && Number(added.seq);
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
  const writing = <T>(work: (db: Transaction<Database>) => Promise<T>, asked = () => {}): Promise<T> => {
    const turn = reads.then(() => {
      const done = store.transaction((tx) => work(tx.db), 'full', lineId);
      asked();
      return done;
    });
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
    write: (keys, inbox, progress) =>
      writing(async (db) => {
        await writeKeys(db, lineId, keys);
        const seq = inbox && (await writeInbox(db, lineId, inbox));
        if (seq !== undefined) progress?.written(seq);
        return seq;
      }, progress?.asked),
    inboxRow: (hash) => reading(() => readInbox.first(store.db, lineId, hash)),
    deleteKeys: () =>
      writing(async (db) => {
        await db.deleteFrom('line_keys').where('line_id', '=', lineId).execute();
      }),
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
