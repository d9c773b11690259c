import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTestSqlite, type TestStore } from '../../../test/store-harness.ts';
import type { RawSqlite } from './raw-sqlite.ts';

let opened: TestStore;
beforeEach(async () => {
  opened = await openTestSqlite();
});
afterEach(() => opened.close());

const put = (name: string) => (raw: RawSqlite) => {
  raw.prepare("insert into settings (name, value) values (?, '')").run(name);
};
const names = async () =>
  (await opened.store.db.selectFrom('settings').select('name').orderBy('name').execute()).map((row) => row.name);

test('jobs that wait together share a transaction; one that throws takes back its own changes only', async () => {
  const { store } = opened;
  let begun = 0;
  const counting = (name: string) => (raw: RawSqlite) => {
    if (raw.inTransaction) begun += 1;
    put(name)(raw);
  };
  const results = await Promise.allSettled([
    store.sqlite(counting('a'), 'write'),
    store.sqlite(counting('b'), 'write'),
    store.sqlite((raw) => {
      put('c')(raw);
      throw new Error('mine');
    }, 'write'),
    store.sqlite(counting('a'), 'write'),
    store.sqlite(counting('d'), 'write'),
  ]);
  expect(results.map((result) => result.status)).toEqual([
    'fulfilled',
    'fulfilled',
    'rejected',
    'rejected',
    'fulfilled',
  ]);
  expect(begun).toBe(4);
  expect(await names()).toEqual(['a', 'b', 'd']);
});

test('jobs run in the order of the calls, and a read sees what was written before it', async () => {
  const { store } = opened;
  const count = (raw: RawSqlite) => raw.prepare('select count(*) from settings').pluck().get();
  const seen = [store.sqlite(put('a'), 'write'), store.sqlite(count, 'read'), store.sqlite(put('b'), 'write')];
  expect(await Promise.all([...seen, store.sqlite(count, 'read')])).toEqual([undefined, 1, undefined, 2]);
});

test('a job never runs inside a transaction that is under way', async () => {
  const { store } = opened;
  let job: Promise<unknown> | undefined;
  const failing = store.transaction(async (tx) => {
    await tx.db.insertInto('settings').values({ name: 'lost', value: '' }).execute();
    job = store.sqlite(put('kept'), 'write');
    await tx.db.insertInto('settings').values({ name: 'lost too', value: '' }).execute();
    throw new Error('rolled back');
  });
  await expect(failing).rejects.toThrow('rolled back');
  await job;
  expect(await names()).toEqual(['kept']);
});

test('what waits when the store is closed is refused, not lost in silence', async () => {
  const store = await opened.reopen();
  await store.close();
  await expect(store.sqlite(put('late'), 'write')).rejects.toThrow();
  expect(await names()).toEqual([]);
});
