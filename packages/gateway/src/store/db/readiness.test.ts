import { expect, test } from 'vitest';
import { openTestSqlite } from '../../../test/store-harness.ts';
import { ManualClock, settle } from '../../../test/support/manual-clock.ts';
import { createReadiness } from './readiness.ts';
import type { Store } from './store.ts';

const fill = (store: Store) =>
  store.sqlite((raw) => {
    const pages = Number(raw.pragma('page_count', { simple: true }));
    raw.pragma(`max_page_count = ${pages}`);
  }, 'read');
const big = (store: Store) =>
  store.transaction(({ db }) =>
    db
      .insertInto('settings')
      .values({ name: 'big', value: 'x'.repeat(4_000_000) })
      .execute(),
  );

test('a full disk is told as what it is, and the store goes on when there is room again', async () => {
  const { store, close } = await openTestSqlite();
  await fill(store);
  await expect(big(store)).rejects.toMatchObject({ code: 'SQLITE_FULL' });
  // The same again: nothing of the first failure is left behind.
  await expect(big(store)).rejects.toMatchObject({ code: 'SQLITE_FULL' });
  await store.sqlite((raw) => raw.pragma('max_page_count = 1000000'), 'read');
  await big(store);
  await close();
});

test('ready means that a write went through: asked once a second at most, whatever is asked of it', async () => {
  const { store, close } = await openTestSqlite();
  const clock = new ManualClock();
  let writes = 0;
  let isFull = false;
  const counted: Store = {
    ...store,
    transaction: (work, durability) => {
      writes += 1;
      return isFull ? Promise.reject(new Error('disk full')) : store.transaction(work, durability);
    },
  };
  const isReady = createReadiness(counted, clock);
  expect(await Promise.all([isReady(), isReady(), isReady()])).toEqual([true, true, true]);
  expect(writes).toBe(1);
  isFull = true;
  await clock.advance(1_000);
  expect(await isReady()).toBe(false);
  isFull = false;
  expect(await isReady()).toBe(false);
  await clock.advance(1_000);
  expect(await isReady()).toBe(true);
  expect(writes).toBe(3);
  await close();
});

test('a store that does not answer is not ready, and is not asked again beside itself', async () => {
  const { store, close } = await openTestSqlite();
  const clock = new ManualClock();
  let writes = 0;
  const hanging: Store = {
    ...store,
    transaction: () => {
      writes += 1;
      return new Promise<never>(() => {});
    },
  };
  const isReady = createReadiness(hanging, clock);
  for (let asked = 0; asked < 3; asked++) {
    const answer = isReady();
    await settle();
    await clock.advance(2_000);
    expect(await answer).toBe(false);
  }
  expect(writes).toBe(1);
  await close();
});
