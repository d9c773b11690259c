import Sqlite from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openTestSqlite } from '../../../test/store-harness.ts';

test("waiting for another process's commit holds up nothing else, and ends with it", async () => {
  const opened = await openTestSqlite();
  const other = new Sqlite(opened.url.slice('sqlite:'.length));
  try {
    other.exec('begin immediate');
    const written = opened.store.transaction((tx) =>
      tx.db.insertInto('settings').values({ name: 'a', value: 'b' }).execute(),
    );
    // The other one holds the write lock; this process goes on all the same.
    for (let turns = 0; turns < 20; turns++) await new Promise((resolve) => setTimeout(resolve, 1));
    other.exec('commit');
    await written;
    expect(await opened.store.db.selectFrom('settings').selectAll().where('name', '=', 'a').execute()).toHaveLength(1);
  } finally {
    other.close();
    await opened.close();
  }
});
