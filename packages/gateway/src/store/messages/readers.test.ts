import { expect, test } from 'vitest';
import { forEachStore } from '../../../test/store-harness.ts';
import { insertLine } from '../../../test/support/rows.ts';
import { noteReaders, pruneReaders, type Reading, readersOf } from './readers.ts';

const reading = (reader: string, status: Reading['status'], timestamp: number, messageId = 'M1'): Reading => ({
  ...{ messageId, reader, status, timestamp },
});

forEachStore((open) => {
  test('readers are counted once, whatever comes in whatever order; old ones are forgotten, and there is a bound', async () => {
    const { store, close } = await open();
    try {
      const { db } = store;
      await insertLine(store, 'test', 'acc_1', 'line_1');
      const note = (readings: Reading[], nowMs = 100) => noteReaders(db, 'line_1', readings, nowMs);

      expect((await note([reading('1@lid', 'read', 20), reading('2@lid', 'read', 21)])).get('M1')).toEqual({
        ...{ delivered: 2, read: 2, played: 0 },
      });
      const late = await note([reading('1@lid', 'delivered', 10), reading('3@lid', 'delivered', 11)]);
      expect(late.get('M1')).toEqual({ delivered: 3, read: 2, played: 0 });
      expect((await note([reading('1@lid', 'read', 99)])).get('M1')).toEqual({ delivered: 3, read: 2, played: 0 });
      expect((await note([reading('2@lid', 'played', 30)])).get('M1')).toEqual({ delivered: 3, read: 2, played: 1 });
      expect(await readersOf(db, 'line_1', 'M1')).toEqual([
        { reader: '1@lid', deliveredAt: 10, readAt: 20, playedAt: null },
        { reader: '2@lid', deliveredAt: null, readAt: 21, playedAt: 30 },
        { reader: '3@lid', deliveredAt: 11, readAt: null, playedAt: null },
      ]);
      expect(await readersOf(db, 'line_2', 'M1')).toEqual([]);

      await note(
        Array.from({ length: 2_000 }, (_, n) => reading(`${n}@lid`, 'delivered', 1, 'M2')),
        500,
      );
      const full = await note([reading('newcomer@lid', 'delivered', 2, 'M2')], 500);
      expect(full.get('M2')?.delivered).toBe(2_000);

      while (await store.transaction((tx) => pruneReaders(tx.db, 500), 'normal'));
      expect(await readersOf(db, 'line_1', 'M1')).toEqual([]);
      expect(await readersOf(db, 'line_1', 'M2')).toHaveLength(2_000);
    } finally {
      await close();
    }
  });
});
