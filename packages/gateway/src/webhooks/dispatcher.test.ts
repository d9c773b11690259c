import { afterEach, describe, expect, test } from 'vitest';
import { ok, type Receiver, type ReceiverOptions, startReceiver } from '../../test/receiver.ts';
import { forEachStore, type TestStore } from '../../test/store-harness.ts';
import { attemptLog, createWebhookWorld, guardFor, type WebhookWorld } from '../../test/support/webhook-world.ts';
import type { Dispatcher } from './dispatcher.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Polls a condition on the database until it holds; the test's own time limit ends it. */
async function eventually<T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const states = (world: WebhookWorld) => world.store.db.selectFrom('deliveries').selectAll().orderBy('seq').execute();
const allAre = (state: string) => (rows: { state: string }[]) => rows.every((row) => row.state === state);

forEachStore((openStore) => {
  async function setUp(options: ReceiverOptions = {}) {
    const opened: TestStore = await openStore();
    closing.push(() => opened.close());
    const world = await createWebhookWorld(opened.store);
    const receiver = await startReceiver(options);
    closing.push(() => receiver.close());
    return { opened, world, receiver };
  }

  async function run(world: WebhookWorld, receivers: Receiver[], options = {}): Promise<Dispatcher> {
    const dispatcher = world.dispatcher({ guard: guardFor(receivers.map((r) => r.port)), ...options });
    closing.push(() => dispatcher.close(0));
    await dispatcher.start();
    return dispatcher;
  }

  test('an event reaches its webhook with the published headers, and is delivered once', async () => {
    const { world, receiver } = await setUp();
    await world.addWebhook(`${receiver.url}/hook?x=1`, { headers: { 'X-Mine': 'yes' } });
    const dispatcher = await run(world, [receiver]);
    const [event] = await world.emitMessages(1);
    dispatcher.nudge();
    const [request] = await receiver.until(1);
    const [row] = await eventually(() => states(world), allAre('delivered'));
    expect(request?.path).toBe('/hook?x=1');
    expect(JSON.parse(request?.body ?? '')).toMatchObject({
      id: event?.id,
      event: 'message.received',
      line_id: world.lineId,
    });
    expect(request?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'Ponte-Webhooks/1',
      'x-delivery-id': row?.id,
      'x-delivery-attempt': '1',
      'x-customer-ref': `ref-${world.lineId}`,
      'x-mine': 'yes',
      'webhook-id': event?.id,
    });
    expect(row).toMatchObject({ attempts: 1 });
    expect(await attemptLog(world.store)).toMatchObject([
      { number: 1, statusCode: 200, errorClass: null, responseExcerpt: '{"ok":true}' },
    ]);
  });

  test('every attempt is counted once, with the time it took', async () => {
    const { world, receiver } = await setUp({ script: ({ index }) => ({ answer: index === 0 ? 500 : 200 }) });
    await world.addWebhook(receiver.url);
    await world.emitMessages(3, { chats: 3 });
    await run(world, [receiver]);
    const counted = () => world.store.db.selectFrom('webhook_traffic').selectAll().orderBy('step').execute();
    const rows = await eventually(counted, ([hour]) => Number(hour?.delivered) + Number(hour?.failed) >= 3);
    const took = (await attemptLog(world.store)).reduce((sum, { durationMs }) => sum + durationMs, 0);
    const asked = { delivered: 2, failed: 1, answer_ms: took };
    expect(
      rows.map(({ delivered, failed, answer_ms }) => ({
        delivered: Number(delivered),
        failed: Number(failed),
        answer_ms: Number(answer_ms),
      })),
    ).toEqual([asked, asked]);
  });

  test('what was there before the start is delivered without a nudge', async () => {
    const { world, receiver } = await setUp();
    await world.addWebhook(receiver.url);
    await world.emitMessages(100, { chats: 7 });
    await run(world, [receiver]);
    await receiver.until(100);
    await eventually(() => states(world), allAre('delivered'));
    expect(receiver.requests.length).toBe(100);
  });

  test('order holds per chat, and at most eight requests are under way', async () => {
    const { world, receiver } = await setUp({ script: ({ index }) => ({ answer: 200, afterMs: index % 3 }) });
    await world.addWebhook(receiver.url);
    const dispatcher = await run(world, [receiver]);
    for (let i = 0; i < 10; i++) {
      await world.emitMessages(60, { chats: 12, from: i * 60 });
      dispatcher.nudge();
    }
    await receiver.until(600);
    const perChat = new Map<string, number[]>();
    for (const { body } of receiver.requests) {
      const { data } = JSON.parse(body);
      perChat.set(data.chat.jid, [...(perChat.get(data.chat.jid) ?? []), Number(data.content.body)]);
    }
    expect(perChat.size).toBe(12);
    for (const numbers of perChat.values()) expect(numbers).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(receiver.mostActive).toBeGreaterThan(1);
    expect(receiver.mostActive).toBeLessThanOrEqual(8);
  });

  test('two dispatchers on one database deliver each event once, in order', async ({ skip }) => {
    const { world, receiver } = await setUp();
    // SQLite has one dispatcher by design: the next one takes everything over.
    if (world.store.engine === 'sqlite') return skip();
    await world.addWebhook(receiver.url);
    const first = await run(world, [receiver]);
    const second = await run(world, [receiver]);
    for (let i = 0; i < 10; i++) {
      await world.emitMessages(30, { chats: 3, from: i * 30 });
      first.nudge();
      second.nudge();
    }
    await receiver.until(300);
    await eventually(() => states(world), allAre('delivered'));
    expect(receiver.requests.length).toBe(300);
    const ofChat = receiver.requests.map((r) => JSON.parse(r.body).data).filter((d) => d.chat.jid.startsWith('chat0'));
    expect(ofChat.map((d) => Number(d.content.body))).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  describe('what becomes of an answer', () => {
    test('every status from 200 to 599: 2xx is success, 410 the end, everything else is tried again, no redirect is followed', async () => {
      const { world, receiver } = await setUp({
        script: ({ path }) => ({ answer: Number(path.slice(1)), headers: { location: '/followed' }, body: 'x' }),
      });
      const codes = Array.from({ length: 400 }, (_, i) => 200 + i);
      const ids = new Map<string, number>();
      for (const code of codes) {
        ids.set((await world.addWebhook(`${receiver.url}/${code}`, { events: ['message.received'] })).id, code);
      }
      await world.emitMessages(1);
      await run(world, [receiver]);
      const rows = await eventually(
        () => states(world),
        (all) => all.every((row) => row.attempts > 0),
      );
      for (const row of rows) {
        const code = ids.get(row.webhook_id) ?? 0;
        const expected = code < 300 ? 'delivered' : code === 410 ? 'dead' : 'pending';
        expect(row.state, String(code)).toBe(expected);
      }
      expect(new Set(receiver.requests.map((r) => r.path)).size).toBe(400);
    });

    test('410 ends the endpoint, tells the other webhooks, and keeps what waits', async () => {
      const { world, receiver } = await setUp({ script: ({ path }) => (path === '/gone' ? { answer: 410 } : ok) });
      const gone = await world.addWebhook(`${receiver.url}/gone`, { strictOrder: true });
      await world.addWebhook(`${receiver.url}/other`, { events: ['webhook.disabled'] });
      await world.emitMessages(3);
      await run(world, [receiver]);
      const told = await receiver.until((all) => all.some((r) => r.path === '/other'));
      expect(JSON.parse(told.find((r) => r.path === '/other')?.body ?? '')).toMatchObject({
        event: 'webhook.disabled',
        data: { webhookId: gone.id, reason: 'gone' },
      });
      const hook = await world.store.db
        .selectFrom('webhooks')
        .selectAll()
        .where('id', '=', gone.id)
        .executeTakeFirstOrThrow();
      expect(hook).toMatchObject({ status: 'disabled', disabled_reason: 'gone' });
      const rows = (await states(world)).filter((row) => row.webhook_id === gone.id);
      expect(rows.map((row) => row.state)).toEqual(['dead', 'pending', 'pending']);
      expect(receiver.requests.filter((r) => r.path === '/gone').length).toBe(1);
    });

    test('Retry-After lengthens the wait', async () => {
      const { world, receiver } = await setUp({ script: () => ({ answer: 503, headers: { 'retry-after': '3600' } }) });
      await world.addWebhook(receiver.url);
      await world.emitMessages(1);
      await run(world, [receiver]);
      const [row] = await eventually(
        () => states(world),
        (rows) => rows[0]?.attempts === 1,
      );
      expect(Number(row?.next_at) - Date.now()).toBeGreaterThan(3_590_000);
    });

    test('a reset and a refused target are failures with their class in the log', async () => {
      const { world, receiver } = await setUp({ script: () => ({ reset: true }) });
      await world.addWebhook(receiver.url);
      await world.addWebhook('http://127.0.0.1:1/');
      await world.emitMessages(1);
      await run(world, [receiver]);
      await eventually(
        () => states(world),
        (rows) => rows.every((row) => row.attempts === 1),
      );
      const log = await world.store.db.selectFrom('attempts').select('error_class').execute();
      expect(log.map((row) => row.error_class).sort()).toEqual(['blocked', 'closed']);
    });

    test('what a format does not render is skipped, and an expired event is not sent', async () => {
      const { world, receiver } = await setUp();
      await world.addWebhook(receiver.url);
      await world.emit('picture.updated', [
        { of: { jid: 'a@s.whatsapp.net' }, removed: true, pictureId: null, timestamp: 1 },
      ]);
      await world.emit('typing', [
        { chat: { jid: 'a@s.whatsapp.net' }, sender: { jid: 'a@s.whatsapp.net' }, state: 'composing', mode: 'text' },
      ]);
      await world.store.db
        .updateTable('deliveries')
        .set({ expires_at: 1 })
        .where('expires_at', 'is not', null)
        .execute();
      await run(world, [receiver]);
      const rows = await eventually(
        () => states(world),
        (all) => all.every((row) => row.finished_at !== null),
      );
      expect(rows.map((row) => row.state)).toEqual(['skipped', 'expired']);
      expect(receiver.requests).toEqual([]);
    });
  });

  test('an endpoint that is down gets few requests, and everything at once when it is back', async () => {
    let down = true;
    const { world, receiver } = await setUp({ script: () => (down ? { answer: 500 } : ok) });
    await world.addWebhook(receiver.url);
    await world.emitMessages(200, { chats: 20 });
    await run(world, [receiver]);
    await receiver.until(8);
    // Five failures of different deliveries close the circuit: from then on one probe at a time, a
    // quarter of a second apart.
    expect(receiver.requests.length).toBeLessThan(20);
    down = false;
    const before = receiver.requests.length;
    await eventually(() => states(world), allAre('delivered'));
    expect(receiver.requests.length - before).toBeLessThanOrEqual(201);
  });

  test('endpoints that hang use up their own slots only: the others get theirs at once', async () => {
    const { world, receiver } = await setUp({
      script: ({ path }) => (path.startsWith('/hang') ? { hang: 'before_headers' } : ok),
    });
    for (let i = 0; i < 10; i++) await world.addWebhook(`${receiver.url}/hang${i}`);
    for (let i = 0; i < 5; i++) await world.addWebhook(`${receiver.url}/ok${i}`);
    // Far fewer slots than the hanging ones could take: without a share of their own they would
    // hold them all for fifteen seconds.
    const dispatcher = await run(world, [receiver], { slots: { trusted: 16, suspect: 8 } });
    await world.emitMessages(40, { chats: 40 });
    dispatcher.nudge();
    const isHealthy = (r: { path: string }) => r.path.startsWith('/ok');
    await receiver.until((all) => all.filter(isHealthy).length === 5 * 40);
    // None of the hanging requests has ended meanwhile: that takes fifteen seconds each.
    expect((await states(world)).every((row) => row.attempts <= 1)).toBe(true);
    expect(
      await world.store.db.selectFrom('attempts').selectAll().where('error_class', 'is not', null).execute(),
    ).toEqual([]);
    expect(receiver.requests.filter((r) => !isHealthy(r)).length).toBeLessThan(100);
  });

  test('strict order waits for the failed one, whatever chat it is of', async () => {
    let failures = 1;
    const { world, receiver } = await setUp({ script: () => (failures-- > 0 ? { answer: 500 } : ok) });
    await world.addWebhook(receiver.url, { strictOrder: true });
    await world.emitMessages(20, { chats: 20 });
    const dispatcher = await run(world, [receiver]);
    const rows = await eventually(
      () => states(world),
      (all) => all[0]?.attempts === 1,
    );
    expect(receiver.requests.length).toBe(1);
    expect(rows.slice(1).every((row) => row.attempts === 0)).toBe(true);
    // Its time comes.
    await world.store.db
      .updateTable('deliveries')
      .set({ next_at: 1 })
      .where('seq', '=', rows[0]?.seq ?? 0)
      .execute();
    dispatcher.nudge(rows[0]?.webhook_id ?? '');
    await eventually(() => states(world), allAre('delivered'));
    expect(receiver.mostActive).toBe(1);
    const order = receiver.requests.slice(1).map((r) => JSON.parse(r.body).data.chat.jid);
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => `chat${i}@s.whatsapp.net`));
  });

  test('a shutdown loses nothing: what was under way is delivered by the next run', async () => {
    const { world, receiver } = await setUp({ script: () => ({ hang: 'before_headers' }) });
    await world.addWebhook(receiver.url);
    await world.emitMessages(30, { chats: 30 });
    const first = await run(world, [receiver]);
    await receiver.until(8);
    await first.close(0);
    expect((await states(world)).every((row) => row.state === 'pending' && row.attempts === 0)).toBe(true);
    receiver.use(() => ok);
    await run(world, [receiver]);
    await eventually(() => states(world), allAre('delivered'));
  });

  test('a webhook that is deleted while its request is under way leaves the others alone', async () => {
    const { world, receiver } = await setUp({
      script: ({ path }) => (path === '/slow' ? { answer: 200, afterMs: 50 } : ok),
    });
    const slow = await world.addWebhook(`${receiver.url}/slow`);
    await world.addWebhook(`${receiver.url}/other`);
    await world.emitMessages(1);
    const dispatcher = await run(world, [receiver]);
    await receiver.until(2);
    await world.store.db.deleteFrom('webhooks').where('id', '=', slow.id).execute();
    await eventually(
      () => states(world),
      (rows) => rows.length === 1 && rows[0]?.state === 'delivered',
    );
    await receiver.until(() => receiver.active === 0);
    await world.emitMessages(1);
    dispatcher.nudge();
    await eventually(
      () => states(world),
      (rows) => rows.length === 2 && allAre('delivered')(rows),
    );
  });
});
