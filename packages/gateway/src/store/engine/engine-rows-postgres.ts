import type { Transaction } from 'kysely';
import type { Database } from '../db/schema.ts';
import type { Store } from '../db/store.ts';
import { type EngineRows, type InboxRow, type KeyRow, ROWS_PER_STATEMENT } from './engine-rows.ts';

const slices = <T>(all: T[]): T[][] =>
  Array.from({ length: Math.ceil(all.length / ROWS_PER_STATEMENT) }, (_, i) =>
    all.slice(i * ROWS_PER_STATEMENT, (i + 1) * ROWS_PER_STATEMENT),
  );

async function writeKeys(db: Transaction<Database>, lineId: string, keys: KeyRow[]): Promise<void> {
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

async function writeInbox(db: Transaction<Database>, lineId: string, row: InboxRow): Promise<void> {
  await db
    .insertInto('inbox')
    .values({
      line_id: lineId,
      kind: row.kind,
      hash: row.hash,
      tag: row.tag,
      enc_index: row.encIndex,
      stanza: row.stanza,
      plaintext: row.plaintext,
      failure: row.failure,
      done: 0,
      created_at: row.createdAt,
    })
    .execute();
}

export function createPostgresEngineRows(store: Store, lineId: string): EngineRows {
  // The pool has many connections: without this, a later call could be committed before an earlier
  // one.
  let tail: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = tail.then(work, work);
    // The caller hears of the failure; the next call goes on all the same.
    tail = turn.catch(() => {});
    return turn;
  };
  const ofKind = (kind: string) =>
    store.db.selectFrom('line_keys').select(['id', 'value']).where('line_id', '=', lineId).where('kind', '=', kind);

  return {
    keys: (kind, ids) =>
      inTurn(async () => {
        const found: { id: string; value: Buffer }[] = [];
        for (const slice of slices(ids)) found.push(...(await ofKind(kind).where('id', 'in', slice).execute()));
        return found;
      }),
    keysOfKind: (kind) => inTurn(() => ofKind(kind).execute()),
    write: (keys, inbox) =>
      inTurn(() =>
        store.transaction(async (tx) => {
          await writeKeys(tx.db, lineId, keys);
          if (inbox) await writeInbox(tx.db, lineId, inbox);
        }),
      ),
    inboxRow: (hash) =>
      inTurn(() =>
        store.db
          .selectFrom('inbox')
          .select('plaintext')
          .where('line_id', '=', lineId)
          .where('hash', '=', hash)
          .executeTakeFirst(),
      ),
    deleteKeys: () =>
      inTurn(async () => {
        await store.db.deleteFrom('line_keys').where('line_id', '=', lineId).execute();
      }),
  };
}
