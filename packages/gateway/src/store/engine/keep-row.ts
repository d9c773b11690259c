import { hot } from '../db/hot.ts';
import type { Store, Tx } from '../db/store.ts';
import type { Alongside, InboxRow, KeyRow } from './engine-rows.ts';

/** Of the inbox, whose order is that of the calls. */
type Place = [lineId: string, kind: string, hash: string, tag: string, encIndex: number];

const putWaiting = hot<[...Place, Buffer, Buffer | null, string | null, number], { seq: number }>(
  `insert into inbox (line_id, kind, hash, tag, enc_index, stanza, plaintext, failure, done, created_at)
  values (?, ?, ?, ?, ?, ?, ?, ?, 0, ?) returning seq`,
);
const putTombstone = hot<[...Place, number]>(
  `insert into inbox (line_id, kind, hash, tag, enc_index, done, created_at) values (?, ?, ?, ?, ?, 1, ?)`,
);

/** What there is to keep of one stanza. */
export interface Keeping {
  lineId: string;
  row: InboxRow;
  alongside: Alongside | undefined;
  writeKeys(tx: Tx): Promise<void>;
}

/**
 * Makes a stanza durable, in one transaction at `full` durability: its keys, and what it is. What
 * can be journaled at once is, and never waits in the inbox: of decrypted mail its tombstone alone
 * is written there (a redelivery is known by its hash), of everything else nothing. When journaling
 * comes to nothing, that alone is taken back and the row waits. Answers its number when it does.
 */
export function keepRow(store: Store, keeping: Keeping): Promise<number | undefined> {
  return store.transaction((tx) => keepIn(tx, keeping), 'full', keeping.lineId);
}

async function keepIn(tx: Tx, { lineId, row, alongside, writeKeys }: Keeping): Promise<number | undefined> {
  const { kind, hash, tag, encIndex, stanza, plaintext, failure, createdAt } = row;
  await writeKeys(tx);
  if (alongside?.isReady()) {
    const refused = await tx.attempt(async () => {
      if (kind === 'sealed') await putTombstone.run(tx.db, lineId, kind, hash, tag, encIndex, createdAt);
      await alongside.journal(tx);
    });
    if (!refused) return undefined;
    alongside.refused(refused.error);
  }
  const added = await putWaiting.first(
    tx.db,
    ...([lineId, kind, hash, tag, encIndex] as const),
    ...([stanza, plaintext, failure, createdAt] as const),
  );
  if (!added) throw new Error('the inbox took no row');
  return Number(added.seq);
}

const putKey = hot<[string, string, string, Buffer]>(
  `insert into line_keys (line_id, kind, id, value) values (?, ?, ?, ?)
  on conflict (line_id, kind, id) do update set value = excluded.value`,
);
const dropKey = hot<[string, string, string]>('delete from line_keys where line_id = ? and kind = ? and id = ?');

/** One by one. */
export async function writeKeysOneByOne({ db }: Tx, lineId: string, keys: readonly KeyRow[]): Promise<void> {
  for (const { kind, id, value } of keys) {
    if (value === null) await dropKey.run(db, lineId, kind, id);
    else await putKey.run(db, lineId, kind, id, value);
  }
}
