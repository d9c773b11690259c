import { expect, test } from 'vitest';
import type { PendingInboxRow } from '../../store/engine/inbox.ts';
import { KeptRows } from './kept-rows.ts';

const row = (seq: number): PendingInboxRow => ({
  seq,
  createdAt: 1,
  entry: { kind: 'stanza', stanza: Buffer.of(seq), tag: 'receipt' },
});
const seqs = (rows: PendingInboxRow[] | undefined) => rows?.map(({ seq }) => seq);

/** Everything that waits is known: nothing. */
function whole(): KeptRows {
  const kept = new KeptRows();
  kept.beginReading();
  kept.readAll([], 1_000);
  return kept;
}

test('before the database was read to its end it is asked, whatever was kept', () => {
  const kept = new KeptRows();
  kept.put(row(1));
  expect(kept.take(64, 1_000)).toBeUndefined();
  kept.beginReading();
  kept.put(row(2));
  expect(kept.take(64, 1_000)).toBeUndefined();
});

test('what is committed while the database is read is there once, whichever of the two saw it', () => {
  const kept = new KeptRows();
  kept.beginReading();
  kept.put(row(2));
  kept.put(row(3));
  kept.readAll([row(1), row(2)], 1_000);
  expect(seqs(kept.take(64, 1_000))).toEqual([3]);
  expect(seqs(kept.take(64, 1_000))).toEqual([]);
});

test('rows come in their order, and each once', () => {
  const kept = whole();
  for (const seq of [1, 2, 3]) kept.put(row(seq));
  expect(seqs(kept.take(2, 1_000))).toEqual([1, 2]);
  kept.put(row(4));
  expect(seqs(kept.take(64, 1_000))).toEqual([3, 4]);
});

test('after a failure, too many rows or half a minute the database is asked again', () => {
  const failed = whole();
  failed.put(row(1));
  failed.forget();
  failed.put(row(2));
  expect(failed.take(64, 1_000)).toBeUndefined();

  const full = whole();
  for (let seq = 1; seq <= 257; seq += 1) full.put(row(seq));
  expect(full.take(64, 1_000)).toBeUndefined();

  const old = whole();
  old.put(row(1));
  expect(seqs(old.take(64, 31_000))).toEqual([1]);
  expect(old.take(64, 31_001)).toBeUndefined();
});

test('nothing waits once everything is taken, for as long as that is certain', () => {
  const kept = whole();
  expect(kept.isEmpty(1_000)).toBe(true);
  kept.put(row(1));
  expect(kept.isEmpty(1_000)).toBe(false);
  kept.take(64, 1_000);
  expect(kept.isEmpty(1_000)).toBe(true);
  expect(kept.isEmpty(31_001)).toBe(false);
});
