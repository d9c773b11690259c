import { afterEach, expect, test } from 'vitest';
import { ok, type ReceiverOptions, startReceiver } from '../../test/receiver.ts';
import { openTestSqlite } from '../../test/store-harness.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { createWebhookWorld, guardFor, plainFormats } from '../../test/support/webhook-world.ts';
import { DELIVERY_SCHEDULE_MS } from '../core/retry.ts';
import { createWebhookTester } from './test-webhook.ts';

const HOUR = 3_600_000;
const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Turns the event loop until the condition holds; the test's own time limit ends it. */
async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

async function setUp(options: ReceiverOptions = {}) {
  const clock = new ManualClock();
  const opened = await openTestSqlite();
  closing.push(() => opened.close());
  const world = await createWebhookWorld(opened.store, clock);
  const receiver = await startReceiver(options);
  closing.push(() => receiver.close());
  const guard = guardFor([receiver.port], clock);
  const run = async () => {
    // What is due is found by its time, not by looking again and again.
    const dispatcher = world.dispatcher({ guard, pollMs: 1e9 });
    closing.push(() => dispatcher.close(0));
    await dispatcher.start();
    return dispatcher;
  };
  const rows = () => world.store.db.selectFrom('deliveries').selectAll().orderBy('event_seq').execute();
  return { clock, world, receiver, guard, run, rows };
}

test('twelve attempts on the published schedule, then dead, then a replay from the start', async () => {
  const { clock, world, receiver, run, rows } = await setUp({ script: () => ({ answer: 404 }) });
  const { id } = await world.addWebhook(receiver.url);
  const dispatcher = await run();
  const [event] = await world.emitMessages(1);
  dispatcher.nudge();
  const gaps: number[] = [];
  for (let attempt = 1; attempt <= DELIVERY_SCHEDULE_MS.length; attempt++) {
    await eventually(async () => (await rows())[0]?.attempts === attempt);
    const waitMs = ((await rows())[0]?.next_at ?? 0) - clock.now();
    gaps.push(waitMs);
    await clock.advance(waitMs - 1);
    expect(receiver.requests.length).toBe(attempt);
    await clock.advance(1);
    await receiver.until(attempt + 1);
  }
  await eventually(async () => (await rows())[0]?.state === 'dead');
  for (const [i, gap] of gaps.entries()) {
    const base = DELIVERY_SCHEDULE_MS[i] ?? 0;
    expect(gap).toBeGreaterThan(base * 0.79);
    expect(gap).toBeLessThan(base * 1.21);
  }
  const ids = receiver.requests.map((r) => [r.headers['webhook-id'], r.headers['x-delivery-id'], r.body]);
  expect(new Set(ids.map(String)).size).toBe(1);
  expect(receiver.requests.map((r) => Number(r.headers['x-delivery-attempt']))).toEqual(
    [...Array(12).keys()].map((i) => i + 1),
  );
  expect(new Set(receiver.requests.map((r) => r.headers['webhook-timestamp'])).size).toBe(12);

  receiver.use(() => ok);
  await world.store.db
    .updateTable('deliveries')
    .set({ state: 'pending', step: 0, next_at: 0, finished_at: null })
    .execute();
  dispatcher.nudge(id);
  await eventually(async () => (await rows())[0]?.state === 'delivered');
  expect(receiver.requests.at(-1)?.headers).toMatchObject({ 'webhook-id': event?.id, 'x-delivery-attempt': '13' });
});

test('a receiver that is down for a day, with ten restarts of ours, gets everything as soon as it is back', async () => {
  const { clock, world, receiver, run, rows } = await setUp({ script: () => ({ answer: 503 }) });
  await world.addWebhook(receiver.url);
  for (let restart = 0; restart < 10; restart++) {
    const dispatcher = await run();
    await world.emitMessages(10, { chats: 5, from: restart * 10 });
    dispatcher.nudge();
    const before = receiver.requests.length;
    for (let step = 0; step < 10; step++) await clock.advance(144 * 6_000);
    await receiver.until(before + 1);
    await dispatcher.close(0);
  }
  expect((await rows()).every((row) => row.state === 'pending')).toBe(true);
  receiver.use(() => ok);
  const seen = receiver.requests.length;
  const dispatcher = await run();
  await world.emitMessages(1, { from: 100 });
  dispatcher.nudge();
  await eventually(async () => {
    await clock.advance(1_000);
    return (await rows()).every((row) => row.state === 'delivered');
  });
  expect(receiver.requests.length - seen).toBe(101);
});

test('an endpoint that failed for five days on end is disabled at its next failure, and says so', async () => {
  const { clock, world, receiver, run, rows } = await setUp({
    script: ({ path }) => (path === '/bad' ? { answer: 500 } : ok),
  });
  const bad = await world.addWebhook(`${receiver.url}/bad`);
  await world.addWebhook(`${receiver.url}/told`, { events: ['webhook.disabled'] });
  const since = clock.now() - 121 * HOUR;
  await world.store.db
    .updateTable('webhooks')
    .set({ failing_since: since, last_failure_at: clock.now() - HOUR })
    .where('id', '=', bad.id)
    .execute();
  const dispatcher = await run();
  await world.emitMessages(1);
  dispatcher.nudge();
  const told = await receiver.until((all) => all.some((r) => r.path === '/told'));
  expect(JSON.parse(told.at(-1)?.body ?? '').data).toEqual({
    webhookId: bad.id,
    reason: 'failing',
    failingSince: since,
    mode: 'test',
  });
  expect((await rows())[0]).toMatchObject({ state: 'pending', attempts: 1 });
});

test('an answer that does not end in fifteen seconds is a timeout, whatever its status', async () => {
  const { clock, world, receiver, run, rows } = await setUp({
    script: ({ index }) => ({ hang: index === 0 ? 'in_body' : 'before_headers' }),
  });
  await world.addWebhook(receiver.url);
  await world.emitMessages(2, { chats: 2 });
  await run();
  await receiver.until(2);
  await clock.advance(14_999);
  expect((await rows()).every((row) => row.attempts === 0)).toBe(true);
  await clock.advance(1);
  await eventually(async () => (await rows()).every((row) => row.attempts === 1));
  const log = await world.store.db.selectFrom('attempts').selectAll().orderBy('status_code').execute();
  expect(log.map((row) => row.error_class)).toEqual(['timeout', 'timeout']);
  expect(log.map((row) => row.status_code).sort()).toEqual([200, null]);
  expect(log.every((row) => Math.abs(row.duration_ms - 15_000) < 20)).toBe(true);
});

test('in a rotation deliveries carry both signatures, the legacy header the old one until the grace ends', async () => {
  const { clock, world, receiver, run } = await setUp();
  const { id, secret } = await world.addWebhook(receiver.url);
  const { rotateSecret } = await import('../store/webhooks/webhooks.ts');
  const { legacySignature } = await import('./signature.ts');
  const target = { accountId: world.accountId, mode: 'test', id } as const;
  const fresh = await rotateSecret(world.store.db, world.box, target, clock.now() + 24 * HOUR);
  const dispatcher = await run();
  const deliver = async (count: number) => {
    await world.emitMessages(1);
    dispatcher.nudge();
    const all = await receiver.until(count);
    return all[count - 1];
  };
  const during = await deliver(1);
  expect(String(during?.headers['webhook-signature']).split(' ').length).toBe(2);
  expect(during?.headers['x-wazion-bridge-signature']).toBe(legacySignature(during?.body ?? '', secret));
  await clock.advance(24 * HOUR);
  const after = await deliver(2);
  expect(String(after?.headers['webhook-signature']).split(' ').length).toBe(1);
  expect(after?.headers['x-wazion-bridge-signature']).toBe(legacySignature(after?.body ?? '', fresh?.secret ?? ''));
});

test('a test delivery answers what came back, is signed, is not in the log, and is limited to ten a minute', async () => {
  const { clock, world, receiver, guard, rows } = await setUp({ script: () => ({ answer: 418, body: 'teapot' }) });
  const { id, secret } = await world.addWebhook(receiver.url);
  const { legacySignature } = await import('./signature.ts');
  const test = createWebhookTester({ store: world.store, ring: world.ring, formats: plainFormats, clock, guard });
  const target = { accountId: world.accountId, mode: 'test', id } as const;
  expect(await test(target)).toEqual({
    ok: false,
    statusCode: 418,
    durationMs: 0,
    responseExcerpt: 'teapot',
    errorClass: null,
  });
  const [request] = receiver.requests;
  expect(JSON.parse(request?.body ?? '')).toMatchObject({ event: 'webhook.test' });
  expect(request?.headers['x-wazion-bridge-signature']).toBe(legacySignature(request?.body ?? '', secret));
  receiver.use(() => ok);
  for (let i = 0; i < 9; i++) expect(await test(target)).toMatchObject({ ok: true, statusCode: 200 });
  await expect(test(target)).rejects.toMatchObject({ code: 'rate_limited', details: { retryAfterSeconds: 60 } });
  await clock.advance(60_000);
  expect(await test(target)).toMatchObject({ ok: true });
  expect(await test({ ...target, accountId: 'acc_other' })).toBeUndefined();
  expect(await rows()).toEqual([]);
});
