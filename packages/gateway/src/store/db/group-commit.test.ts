import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, openTestSqlite, type TestStore } from '../../../test/store-harness.ts';
import { createGroupCommit, type GroupConnection } from './group-commit.ts';
import type { RawSqlite } from './raw-sqlite.ts';
import type { Durability, Store } from './store.ts';

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

test('what waits at one moment shares one commit, as durable as its most demanding member', async () => {
  const said: string[] = [];
  const say = (word: string) => async () => void said.push(word);
  const connection: GroupConnection = {
    begin: async (durability) => void said.push(`begin ${durability}`),
    commit: say('commit'),
    rollback: say('rollback'),
    savepoint: say('savepoint'),
    release: say('release'),
    rollbackToSavepoint: say('back'),
    isOpen: () => true,
    transaction: () => {
      throw new Error('not used');
    },
  };
  const group = createGroupCommit({ alone: (work) => work(connection), monotonic: () => 0 });
  const member = (name: string, durability: Durability) =>
    new Promise((resolve, reject) => {
      const run = async () => {
        said.push(name);
        if (name === 'mine') throw new Error('mine');
      };
      const end = (word: string) => () => void said.push(`${name} ${word}`);
      const isReadOnly = false;
      group.add({
        ...{ durability, isReadOnly, run },
        resolve: () => resolve(end('told')()),
        reject: (error) => reject(error),
      });
    });
  await Promise.allSettled([member('a', 'normal'), member('mine', 'normal'), member('b', 'full')]);
  expect(said).toEqual([
    ...['begin full', 'savepoint', 'a', 'release', 'savepoint', 'mine', 'back', 'savepoint', 'b', 'release', 'commit'],
    ...['a told', 'b told'],
  ]);
});

test('a full disk ends its own work; what shared the transaction with it is written all the same', async () => {
  const { store } = opened;
  const pages = await store.sqlite((raw) => {
    const count = Number(raw.pragma('page_count', { simple: true }));
    raw.pragma(`max_page_count = ${count + 2}`);
    return count;
  }, 'read');
  const large = Buffer.alloc(64 * 4_096).toString('base64');
  const ends = await Promise.allSettled([
    store.transaction((tx) => putRow(tx, 'before')),
    store.transaction((tx) => putRow(tx, 'too large', large)),
    store.transaction((tx) => putRow(tx, 'after')),
  ]);
  expect(pages).toBeGreaterThan(0);
  expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(await names()).toEqual(['after', 'before']);
});

async function putRow(tx: Parameters<Parameters<Store['transaction']>[0]>[0], name: string, value = '') {
  await tx.db.insertInto('settings').values({ name, value }).execute();
}

forEachStore((open) => {
  let shared: TestStore;
  beforeEach(async () => {
    shared = await open();
  });
  afterEach(() => shared.close());

  test('transactions that belong together share a commit; one that throws takes back its own changes only', async () => {
    const { store } = shared;
    const followed: string[] = [];
    const write = (name: string) =>
      store.transaction(
        async (tx) => {
          tx.onCommit(() => followed.push(name));
          await putRow(tx, name);
          if (name === 'mine') throw new Error('mine');
          return name;
        },
        'full',
        'line_a',
      );
    const ends = await Promise.allSettled(['a', 'mine', 'a', 'b'].map(write));
    expect(ends.map((end) => (end.status === 'fulfilled' ? end.value : 'rejected'))).toEqual([
      'a',
      'rejected',
      'rejected',
      'b',
    ]);
    expect(followed).toEqual(['a', 'b']);
    const rows = await store.db.selectFrom('settings').select('name').orderBy('name').execute();
    expect(rows.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test('a transaction is told of its end only when another process can read what it wrote', async () => {
    const other = await shared.reopen();
    const seen = await Promise.all(
      ['a', 'b', 'c'].map(async (name) => {
        await shared.store.transaction((tx) => putRow(tx, name), 'full', 'line_a');
        return other.db.selectFrom('settings').select('name').where('name', '=', name).executeTakeFirst();
      }),
    );
    expect(seen).toEqual([{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
  });
});

test('a patient member goes with the next commit of others, in the order of the calls, and alone when none comes', async () => {
  const { store } = opened;
  const order: string[] = [];
  const commits: string[] = [];
  const write = (name: string, patienceMs?: number) =>
    store
      .transaction(
        async (tx) => {
          order.push(name);
          await tx.db.insertInto('settings').values({ name, value: '' }).execute();
        },
        'normal',
        undefined,
        patienceMs,
      )
      .then(() => commits.push(name));
  const patient = write('patient', 60_000);
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual([]);
  await Promise.all([patient, write('other')]);
  expect(order).toEqual(['patient', 'other']);
  expect(commits).toEqual(['patient', 'other']);
  await write('alone', 1);
  // While others are under way, a group of patient members alone is not begun either.
  const first = write('first');
  const waits = write('waits', 60_000);
  await first;
  await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([waits, write('last')]);
  expect(await names()).toEqual(['alone', 'first', 'last', 'other', 'patient', 'waits']);
});
