import { afterEach, describe, expect, test } from 'vitest';
import { ok, type Receiver, type ReceiverOptions, startReceiver } from '../../test/receiver.ts';
import { openTestPostgres } from '../../test/store-harness.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { until } from '../../test/support/until.ts';
import { attemptLog, createWebhookWorld, guardFor, type WebhookWorld } from '../../test/support/webhook-world.ts';
import { LANE_LEASE_MS, RENEW_EVERY_MS } from './lanes.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** SQLite has one dispatcher by design. */
describe.runIf(process.env.TEST_DATABASE_URL)('several dispatchers on one PostgreSQL', () => {
  async function setUp(options: ReceiverOptions) {
    const opened = await openTestPostgres();
    closing.push(() => opened.close());
    const world = await createWebhookWorld(opened.store);
    const receiver = await startReceiver(options);
    closing.push(() => receiver.close());
    return { world, receiver };
  }

  async function run(world: WebhookWorld, receiver: Receiver, clock: ManualClock): Promise<void> {
    const dispatcher = world.dispatcher({ guard: guardFor([receiver.port]), clock });
    closing.push(async () => {
      const closed = dispatcher.close(0);
      // What close waits for at most ends with the clock.
      await clock.advance(10_000);
      await closed;
    });
    await dispatcher.start();
  }

  const delivery = (world: WebhookWorld) =>
    world.store.db.selectFrom('deliveries').selectAll().executeTakeFirstOrThrow();
  const hook = (world: WebhookWorld) => world.store.db.selectFrom('webhooks').selectAll().executeTakeFirstOrThrow();

  test('a holder that says nothing loses its webhooks when its lease ends, and what it learns later is not stored', async () => {
    let answerFirst = () => {};
    const { world, receiver } = await setUp({
      script: ({ index }) => (index === 0 ? { answer: 500, whenever: (answer) => (answerFirst = answer) } : ok),
    });
    await world.addWebhook(receiver.url);
    await world.emitMessages(1);
    const stopped = new ManualClock(Date.now());
    await run(world, receiver, stopped);
    await receiver.until(1);
    const healthy = new ManualClock(stopped.now());
    await run(world, receiver, healthy);
    await healthy.advance(LANE_LEASE_MS - 1_000);
    expect(receiver.requests).toHaveLength(1);
    await until('the other one took over', async () => {
      // Soon after the end of the lease it has to happen without any further time.
      if (healthy.monotonic() < LANE_LEASE_MS + 3_000) await healthy.advance(1_000);
      return (await delivery(world)).state === 'delivered';
    });
    expect(receiver.requests).toHaveLength(2);
    answerFirst();
    await receiver.until(() => receiver.active === 0);
    // The first one wakes up and would store its failure with the next turn.
    await stopped.advance(1_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await delivery(world)).toMatchObject({ state: 'delivered', attempts: 1 });
    expect(await hook(world)).toMatchObject({ failing_since: null });
    expect(await attemptLog(world.store)).toMatchObject([{ number: 1, statusCode: 200 }]);
  });

  test('a holder that renews keeps its webhooks however long its attempts last', async () => {
    const { world, receiver } = await setUp({ script: () => ({ hang: 'before_headers' }) });
    await world.addWebhook(receiver.url);
    await world.emitMessages(1);
    const first = new ManualClock(Date.now());
    const second = new ManualClock(first.now());
    await run(world, receiver, first);
    await receiver.until(1);
    await run(world, receiver, second);
    for (let passed = 0; passed < 3 * LANE_LEASE_MS; passed += RENEW_EVERY_MS) {
      const before = Number((await hook(world)).lane_until);
      await first.advance(RENEW_EVERY_MS);
      await until('the lease lasts longer', async () => Number((await hook(world)).lane_until) > before);
      await second.advance(RENEW_EVERY_MS);
    }
    expect(receiver.requests).toHaveLength(1);
    expect(await delivery(world)).toMatchObject({ state: 'pending', attempts: 0 });
  });

  test('a holder that cannot renew takes back what is under way', async () => {
    const { world, receiver } = await setUp({ script: () => ({ hang: 'before_headers' }) });
    const { id } = await world.addWebhook(receiver.url);
    await world.emitMessages(1);
    const clock = new ManualClock(Date.now());
    await run(world, receiver, clock);
    await receiver.until(1);
    await world.store.db.updateTable('webhooks').set({ lane_owner: 'node_other' }).where('id', '=', id).execute();
    await clock.advance(RENEW_EVERY_MS);
    await receiver.until(() => receiver.active === 0);
    expect(await delivery(world)).toMatchObject({ state: 'pending', attempts: 0 });
  });
});
