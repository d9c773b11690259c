import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../../test/store-harness.ts';
import { hot } from './hot.ts';

const put = hot<[string, string]>('insert into settings (name, value) values (?, ?)');
const change = hot<[string]>('update settings set value = ?');
const read = hot<[string], { name: string; value: string }>(
  'select name, value from settings where name >= ? order by name',
);
const own = hot<[], { said: string }>({ sqlite: "select 'sqlite' as said", postgres: "select 'postgres' as said" });

forEachStore((open, engine) => {
  let opened: TestStore;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(() => opened.close());

  test('a hand-written statement answers rows and counts, in a transaction and outside of one', async () => {
    const { store } = opened;
    expect(await put.run(store.db, 'a', '1')).toBe(1);
    await store.transaction(async (tx) => {
      await put.run(tx.db, 'b', 'nul \\0 is text');
      expect(await change.run(tx.db, '2')).toBe(2);
    });
    expect(await read.all(store.db, 'a')).toEqual([
      { name: 'a', value: '2' },
      { name: 'b', value: '2' },
    ]);
    expect(await read.first(store.db, 'b')).toEqual({ name: 'b', value: '2' });
    expect(await read.first(store.db, 'c')).toBeUndefined();
    expect(await own.first(store.db)).toEqual({ said: engine });
  });

  test('it is refused on a transaction that is over, and taken back with one that fails', async () => {
    const { store } = opened;
    const over = await store.transaction(async (tx) => tx.db);
    await expect(put.run(over, 'late', '')).rejects.toThrow('that is over');
    const failing = store.transaction(async (tx) => {
      await put.run(tx.db, 'lost', '');
      throw new Error('rolled back');
    });
    await expect(failing).rejects.toThrow('rolled back');
    expect(await read.all(store.db, '')).toEqual([]);
  });
});
