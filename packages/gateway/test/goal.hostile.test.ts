import { afterEach, expect, test } from 'vitest';
import { startReceiver } from './receiver.ts';
import { openTestSqlite } from './store-harness.ts';
import { until } from './support/until.ts';
import { watchMemory } from './support/watch-memory.ts';
import { attemptLog, createWebhookWorld, guardFor } from './support/webhook-world.ts';

const ENDPOINTS = 50;
/** 20 MiB are ours; the receivers pour in the same process, and hold about as much. */
const GROWTH_MIB_MAX = 40;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

test(`${ENDPOINTS} endpoints that answer without end are cut off, and cost ${GROWTH_MIB_MAX} MiB at most`, {
  timeout: 150_000,
}, async () => {
  const opened = await openTestSqlite();
  closing.push(() => opened.close());
  const world = await createWebhookWorld(opened.store);
  const receiver = await startReceiver({ isForgetful: true, script: () => ({ endless: {} }) });
  closing.push(() => receiver.close());
  const dispatcher = world.dispatcher({ guard: guardFor([receiver.port]) });
  closing.push(() => dispatcher.close(0));
  await dispatcher.start();
  const deliver = async (count: number) => {
    for (let i = 0; i < count; i += 1) {
      const lineId = await world.addLine();
      await world.addWebhook(`${receiver.url}/${i}`, { lineId });
      await world.emitMessages(1, { lineId });
    }
    dispatcher.nudge();
  };
  // The head of the answer says that it was taken, and is all that is waited for.
  const delivered = world.store.db
    .selectFrom('deliveries')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('delivered', 'is not', null);
  const ended = (count: number) =>
    until('every attempt has ended', async () => (await delivered.executeTakeFirstOrThrow()).count >= count, 60_000);
  // What is loaded with the first requests, and what the receivers themselves hold, is not theirs.
  await deliver(ENDPOINTS);
  await ended(ENDPOINTS);
  const grown = watchMemory([process.pid]);
  await deliver(ENDPOINTS);
  await ended(2 * ENDPOINTS);
  const [mib = Number.NaN] = grown();
  process.stdout.write(`hostile: +${mib} MiB with ${ENDPOINTS} endless answers\n`);
  const all = await attemptLog(world.store);
  expect(all).toHaveLength(2 * ENDPOINTS);
  for (const { durationMs: took, responseExcerpt: excerpt } of all) {
    expect(took).toBeLessThan(16_000);
    expect((excerpt ?? '').length).toBeLessThanOrEqual(1_024);
  }
  expect(mib).toBeLessThanOrEqual(GROWTH_MIB_MAX);
});
