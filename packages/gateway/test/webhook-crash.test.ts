import { afterEach, expect, test } from 'vitest';
import { ok, type ReceivedRequest, type Receiver, startReceiver } from './receiver.ts';
import { openTestSqlite } from './store-harness.ts';
import { KillableGateway } from './support/killable-gateway.ts';
import { seeded } from './support/seeded.ts';
import { until } from './support/until.ts';
import { createWebhookWorld } from './support/webhook-world.ts';

/** The measurement of the issue is 50 000; a run of the test suite takes fewer. */
const EVENTS = Number(process.env.CRASH_EVENTS ?? 2_000);
const ENDPOINTS = 20;
const CHATS = 10;
const KILLS = [0.15, 0.4, 0.7];
const SEED = Number(process.env.CRASH_SEED ?? 20261121);

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Success {
  path: string;
  chat: string;
  number: number;
  deliveryId: string;
  eventId: string;
  at: number;
}

function successOf(request: ReceivedRequest): Success {
  const { id, data } = JSON.parse(request.body) as {
    id: string;
    data: { chat: { jid: string }; content: { body: string } };
  };
  return {
    path: request.path,
    chat: data.chat.jid,
    number: Number(data.content.body),
    deliveryId: String(request.headers['x-delivery-id']),
    eventId: id,
    at: request.at,
  };
}

/** Half of the endpoints answer always; the other half fails now and then, in three ways. */
function misbehave(receiver: Receiver, onSuccess: (success: Success) => void): void {
  const random = seeded(SEED);
  receiver.use((request) => {
    const attempt = Number(request.headers['x-delivery-attempt']);
    // From the third attempt on everything gets through, so that the run ends within minutes and
    // not days.
    if (request.path.startsWith('/chaos') && attempt <= 2) {
      const dice = random();
      if (dice < 0.04) return { answer: 500 };
      if (dice < 0.07) return { reset: true };
      if (dice < 0.072) return { hang: 'before_headers' };
    }
    onSuccess(successOf(request));
    return ok;
  });
}

test(`${EVENTS} events to ${ENDPOINTS} endpoints through 500s, resets, timeouts and three kill -9: none lost, none doubled but by a kill, none out of order`, {
  timeout: 120_000 + EVENTS * 40,
}, async () => {
  const opened = await openTestSqlite();
  closing.push(() => opened.close());
  const world = await createWebhookWorld(opened.store);
  const receiver = await startReceiver({ isForgetful: true });
  closing.push(() => receiver.close());
  const successes: Success[] = [];
  const got = new Set<string>();
  misbehave(receiver, (success) => {
    successes.push(success);
    got.add(success.deliveryId);
  });
  const lines: string[] = [];
  for (let i = 0; i < ENDPOINTS; i++) {
    const lineId = await world.addLine();
    lines.push(lineId);
    await world.addWebhook(`${receiver.url}/${i % 2 === 0 ? 'ok' : 'chaos'}${i}`, { lineId });
  }
  const perLine = EVENTS / ENDPOINTS;
  const gateway = new KillableGateway({ url: opened.url, lines, perLine, chats: CHATS, port: receiver.port }, receiver);
  closing.push(() => gateway.kill());
  gateway.start();
  for (const share of KILLS) {
    await receiver.until(() => successes.length >= EVENTS * share);
    await gateway.kill();
    gateway.start();
  }
  await receiver.until(() => got.size >= EVENTS);
  const open = () =>
    opened.store.db.selectFrom('deliveries').select('id').where('state', '!=', 'delivered').limit(1).execute();
  await until('every delivery got through', async () => (await open()).length === 0);
  await gateway.kill();

  // Nothing lost: every event there is, exactly one delivery each, every one of them got through.
  const events = await opened.store.db.selectFrom('events').select('id').execute();
  expect(events.length).toBe(EVENTS);
  const byDelivery = new Map<string, Success[]>();
  for (const success of successes) {
    byDelivery.set(success.deliveryId, [...(byDelivery.get(success.deliveryId) ?? []), success]);
  }
  expect(byDelivery.size).toBe(EVENTS);
  expect(new Set(successes.map((s) => s.eventId)).size).toBe(EVENTS);

  // Doubled only where a kill lies between the two, and then with the same ids.
  const doubled = [...byDelivery.values()].filter((all) => all.length > 1);
  for (const all of doubled) {
    expect(new Set(all.map((s) => s.eventId)).size).toBe(1);
    for (const [i, later] of all.entries()) {
      const earlier = all[i - 1];
      if (earlier) expect(gateway.kills.some(({ from, until }) => earlier.at <= until && from < later.at)).toBe(true);
    }
  }

  // In order, chat by chat, at every endpoint that never failed.
  const last = new Map<string, number>();
  const seen = new Set<string>();
  let inversions = 0;
  for (const { path, chat, number, deliveryId } of successes) {
    if (!path.startsWith('/ok') || seen.has(deliveryId)) continue;
    seen.add(deliveryId);
    const key = `${path} ${chat}`;
    if (number !== (last.get(key) ?? -1) + 1) inversions += 1;
    last.set(key, number);
  }
  expect(inversions).toBe(0);
  process.stdout.write(
    `webhook crash: ${EVENTS} events, ${successes.length} requests taken, ${doubled.length} doubled by ${KILLS.length} kills\n`,
  );
});
