import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../src/core/clock.ts';
import { newEventId } from '../src/core/ids.ts';
import { createEventFeed, type EventFeed, type FeedReader } from '../src/journal/event-feed.ts';
import { silentLog } from '../src/observe/logger.ts';
import type { Store, Tx } from '../src/store/db/store.ts';
import { forEachStore, openTestPostgres } from './store-harness.ts';
import { createWebhookWorld, type WebhookWorld } from './support/webhook-world.ts';

const closing: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function write(tx: Tx, world: WebhookWorld, name: string): Promise<void> {
  const row = { account_id: world.accountId, line_id: world.lineId, type: 'offline.completed', chat: null };
  await tx.db
    .insertInto('events')
    .values({ ...row, id: newEventId(), dedupe_key: name, payload: JSON.stringify({ name }), created_at: 1 })
    .execute();
}

function openFeed(store: Store): EventFeed {
  const feed = createEventFeed({ store, clock: systemClock, log: silentLog });
  closing.push(() => feed.close());
  return feed;
}

/** Follows until it has `count` events; their names. */
async function take(reader: FeedReader, count: number): Promise<string[]> {
  const names: string[] = [];
  const forever = new AbortController().signal;
  while (names.length < count) {
    await reader.news(forever);
    for (const event of (await reader.read(7)) ?? []) names.push((event.payload as unknown as { name: string }).name);
  }
  return names;
}

forEachStore((openStore) => {
  test('readers that join at any time get every event once and in one order, while several processes write', async () => {
    const opened = await openStore();
    closing.push(() => opened.close());
    const world = await createWebhookWorld(opened.store);
    const writers = [opened.store, await opened.reopen(), await opened.reopen()];
    const feed = openFeed(await opened.reopen());
    const owner = { accountId: world.accountId, mode: 'test' } as const;
    const perWriter = 150;
    const total = writers.length * perWriter;
    const first = await feed.open(owner, 0);
    let written = 0;
    const late: Promise<string[]>[] = [];
    const writing = writers.map(async (store, n) => {
      for (let at = 0; at < perWriter; at += 1) {
        await store.transaction(async (tx) => {
          await write(tx, world, `${n}/${at}`);
          // Others overtake between the number and the commit.
          if (at % 5 === n) await tx.db.selectFrom('lines').select('id').execute();
        }, 'normal');
        written += 1;
        feed.nudge();
        if (written % 90 === 0) late.push(feed.open(owner, 0).then((reader) => take(reader, total)));
      }
    });
    const [names] = await Promise.all([take(first, total), ...writing]);
    expect(new Set(names).size).toBe(total);
    for (const mine of writers.keys()) {
      const own = names?.filter((name) => name.startsWith(`${mine}/`));
      expect(own).toEqual(Array.from({ length: perWriter }, (_, at) => `${mine}/${at}`));
    }
    for (const seen of await Promise.all(late)) expect(seen).toEqual(names);
    expect(late.length).toBe(5);
  });

  test('a reader far behind what is kept in memory reads it from the database, and joins the others', async () => {
    const opened = await openStore();
    closing.push(() => opened.close());
    const world = await createWebhookWorld(opened.store);
    const feed = openFeed(opened.store);
    const owner = { accountId: world.accountId, mode: 'test' } as const;
    const first = await feed.open(owner, 0);
    const count = 2_600;
    for (let from = 0; from < count; from += 200) {
      await opened.store.transaction(async (tx) => {
        for (let at = from; at < from + 200; at += 1) await write(tx, world, String(at));
      }, 'normal');
      feed.nudge();
    }
    const expected = Array.from({ length: count }, (_, at) => String(at));
    expect(await take(first, count)).toEqual(expected);
    const behind = await feed.open(owner, 0);
    expect(await take(behind, count)).toEqual(expected);
    await opened.store.transaction((tx) => write(tx, world, 'live'));
    feed.nudge();
    expect(await Promise.all([take(first, 1), take(behind, 1)])).toEqual([['live'], ['live']]);
  });
});

test.runIf(process.env.TEST_DATABASE_URL)(
  'an event whose number is lower but whose commit is later is not passed over, and a roll-back holds nothing up',
  async () => {
    const opened = await openTestPostgres();
    closing.push(() => opened.close());
    const world = await createWebhookWorld(opened.store);
    const feed = openFeed(await opened.reopen());
    const reader = await feed.open({ accountId: world.accountId, mode: 'test' }, 0);
    const gate = () => {
      const { promise: opens, resolve: open } = Promise.withResolvers<void>();
      return { open, opens };
    };
    const [slowHasNumber, slowMayCommit, failHasNumber, mayFail] = [gate(), gate(), gate(), gate()];
    const slow = opened.store.transaction(async (tx) => {
      await write(tx, world, 'slow');
      slowHasNumber.open();
      await slowMayCommit.opens;
    });
    await slowHasNumber.opens;
    const failing = opened.store
      .transaction(async (tx) => {
        await write(tx, world, 'never');
        failHasNumber.open();
        await mayFail.opens;
        throw new Error('rolled back');
      })
      .catch(() => 'rolled back');
    await failHasNumber.opens;
    await opened.store.transaction((tx) => write(tx, world, 'fast'));
    feed.nudge();
    const both = take(reader, 2);
    // The fast one is committed and can be read, yet no reader may have read past the slow one.
    const visible = await opened.store.db.selectFrom('events').select('dedupe_key').execute();
    expect(visible).toEqual([{ dedupe_key: 'fast' }]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(reader.hasMore).toBe(false);
    slowMayCommit.open();
    await slow;
    mayFail.open();
    expect(await failing).toBe('rolled back');
    feed.nudge();
    expect(await both).toEqual(['slow', 'fast']);
  },
);
