import { afterEach, expect, test } from 'vitest';
import { ok, startReceiver } from './receiver.ts';
import { openTestSqlite } from './store-harness.ts';
import { KillableGateway } from './support/killable-gateway.ts';
import { SEED, seeded, sized } from './support/seeded.ts';
import { createWebhookWorld } from './support/webhook-world.ts';

const EVENTS = sized('STRICT_EVENTS', 400);
const ENDPOINTS = 4;
const KILLS = 5;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

test(`strict order under ${KILLS} kill -9: ${EVENTS} events, no inversion and no gap, at endpoints that fail too`, {
  timeout: 120_000 + EVENTS * 40,
}, async () => {
  const opened = await openTestSqlite();
  closing.push(() => opened.close());
  const world = await createWebhookWorld(opened.store);
  const receiver = await startReceiver({ isForgetful: true });
  closing.push(() => receiver.close());
  const random = seeded(SEED);
  const perLine = Math.ceil(EVENTS / ENDPOINTS);
  /** One event of every endpoint fails at its first attempt, and everything behind it waits. */
  const failing = Array.from({ length: ENDPOINTS }, () => Math.floor(random() * perLine));
  const taken = Array.from({ length: ENDPOINTS }, (): number[] => []);
  receiver.use(({ path, body, headers }) => {
    const which = Number(path.slice(1));
    const number = Number((JSON.parse(body) as { data: { content: { body: string } } }).data.content.body);
    if (number === failing[which] && headers['x-delivery-attempt'] === '1') return { answer: 500 };
    taken[which]?.push(number);
    return ok;
  });
  const lines: string[] = [];
  for (let i = 0; i < ENDPOINTS; i += 1) {
    const lineId = await world.addLine();
    lines.push(lineId);
    await world.addWebhook(`${receiver.url}/${i}`, { lineId, strictOrder: true });
  }
  const gateway = new KillableGateway({ url: opened.url, lines, perLine, chats: 1, port: receiver.port }, receiver);
  closing.push(() => gateway.kill());
  gateway.start();
  const arrived = () => taken.reduce((sum, all) => sum + new Set(all).size, 0);
  const shares = Array.from({ length: KILLS }, () => random()).sort((a, b) => a - b);
  for (const share of shares) {
    await receiver.until(() => arrived() >= perLine * ENDPOINTS * share * 0.95);
    await gateway.kill();
    gateway.start();
  }
  await receiver.until(() => arrived() >= perLine * ENDPOINTS);
  for (const all of taken) {
    // A kill may have an event repeated, and nothing but the one before the next.
    const steps = all.filter((number, i) => number !== all[i - 1]);
    expect(steps).toEqual(Array.from({ length: perLine }, (_, i) => i));
    expect(all.length - perLine).toBeLessThanOrEqual(KILLS);
  }
});
