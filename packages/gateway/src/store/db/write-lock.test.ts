import Sqlite from 'better-sqlite3';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openTestSqlite, type TestStore } from '../../../test/store-harness.ts';
import type { Store } from './store.ts';

let opened: TestStore;
let other: Sqlite.Database;
beforeEach(async () => {
  opened = await openTestSqlite();
  other = new Sqlite(opened.url.slice('sqlite:'.length));
});
afterEach(async () => {
  other.close();
  await opened.close();
});

const ROW = { name: 'a', value: 'b' };
const WRITES: Record<string, (store: Store) => Promise<unknown>> = {
  'a transaction': (store) => store.transaction((tx) => tx.db.insertInto('settings').values(ROW).execute()),
  'a single statement': (store) => store.db.insertInto('settings').values(ROW).execute(),
  'a job': (store) =>
    store.sqlite((raw) => void raw.prepare("insert into settings (name, value) values ('a', 'b')").run(), 'write'),
  'jobs in one batch': (store) =>
    Promise.all([
      store.sqlite((raw) => void raw.prepare("insert into settings (name, value) values ('a', 'b')").run(), 'write'),
      store.sqlite((raw) => void raw.prepare("insert into settings (name, value) values ('c', 'd')").run(), 'write'),
    ]),
};

test.each(Object.keys(WRITES))(
  "%s waits for another process's commit without holding up anything else, and ends with it",
  async (kind) => {
    other.exec('begin immediate');
    let isWritten = false;
    const written = WRITES[kind]?.(opened.store).then(() => {
      isWritten = true;
    });
    // The other one holds the write lock; this process goes on all the same.
    for (let turns = 0; turns < 100; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect(isWritten).toBe(false);
    other.exec('commit');
    await written;
    expect(await opened.store.db.selectFrom('settings').selectAll().where('name', '=', 'a').execute()).toHaveLength(1);
  },
);

test('SQLite itself never sleeps, so the event loop never stands still for another process', async () => {
  expect(await opened.store.sqlite((raw) => raw.pragma('busy_timeout', { simple: true }), 'read')).toBe(0);
});
