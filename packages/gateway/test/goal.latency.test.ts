import { afterEach, expect, test } from 'vitest';
import { ok, startReceiver } from './receiver.ts';
import { openTestSqlite } from './store-harness.ts';
import { Rig } from './support/rig.ts';
import { sized } from './support/seeded.ts';
import { until } from './support/until.ts';
import { createWebhookWorld, guardFor } from './support/webhook-world.ts';

/*
 * Times, so they are for the report of the goals (`npm run verify`) on a machine that does nothing
 * else; a test suite that shares its machine proves nothing by them.
 */
const isTimed = process.env.VERIFY_TIMING === '1';
const MESSAGES = sized('MESSAGES', 150);
const EVERY_MS = 50;
const BESIDE = sized('BESIDE', 300);
const ENDPOINTS = 10;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const quantile = (values: number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)] ?? Number.NaN;

test.runIf(isTimed)(
  'a message is at the receiver soon: p50 ≤ 40 ms, p99 ≤ 250 ms from the phone',
  {
    timeout: 120_000 + MESSAGES * 4 * EVERY_MS,
  },
  async () => {
    const rig = await Rig.start();
    closing.push(() => rig.close());
    const line = await rig.linkLine('quick', '15551009001');
    await rig.sandbox.phone('15550002222', 'Alice');
    const said = new Map<string, number>();
    const say = async (body: string) => {
      said.set(body, performance.now());
      await rig.sandbox.say('15550002222', line.phone, body);
    };
    for (let i = 0; i < 20; i += 1) await say(`warm ${i}`);
    const began = performance.now();
    for (let i = 0; i < MESSAGES; i += 1) {
      const wait = began + i * EVERY_MS - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      await say(`timed ${i}`);
    }
    const arrived = new Map<string, number>();
    await until('everything is there', () => {
      for (const { body, at } of rig.receiver.requests) {
        const text = /timed \d+/.exec(body)?.[0];
        if (text && !arrived.has(text)) arrived.set(text, at);
      }
      return arrived.size === MESSAGES;
    });
    const took = [...arrived].map(([text, at]) => at - (said.get(text) ?? Number.NaN));
    const [p50, p99] = [quantile(took, 0.5), quantile(took, 0.99)];
    process.stdout.write(`latency: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms over ${MESSAGES} messages\n`);
    expect(p50).toBeLessThanOrEqual(40);
    expect(p99).toBeLessThanOrEqual(250);
  },
);

/** How long events took to healthy endpoints, and all of them, beside this many bad ones. */
async function deliver(hanging: number, failing: number): Promise<{ p99: number; totalMs: number }> {
  const opened = await openTestSqlite();
  const world = await createWebhookWorld(opened.store);
  const arrived = new Map<string, number>();
  const receiver = await startReceiver({
    isForgetful: true,
    script: ({ path, body, at }) => {
      if (path.startsWith('/hangs')) return { hang: 'before_headers' };
      if (path.startsWith('/fails')) return { answer: 500 };
      arrived.set((JSON.parse(body) as { id: string }).id, at);
      return ok;
    },
  });
  const dispatcher = world.dispatcher({ guard: guardFor([receiver.port]) });
  const lines: string[] = [];
  for (let i = 0; i < ENDPOINTS; i += 1) {
    const lineId = await world.addLine();
    lines.push(lineId);
    const kind = i < hanging ? 'hangs' : i < hanging + failing ? 'fails' : 'healthy';
    await world.addWebhook(`${receiver.url}/${kind}${i}`, { lineId });
  }
  await dispatcher.start();
  const healthy = lines.slice(hanging + failing);
  const emitted = new Map<string, number>();
  const began = performance.now();
  for (let i = 0; i < BESIDE; i += 1) {
    for (const bad of lines.slice(0, hanging + failing)) if (i % 10 === 0) await world.emitMessages(1, { lineId: bad });
    const [event] = await world.emitMessages(1, { lineId: healthy[i % healthy.length], from: i });
    emitted.set(event?.id ?? '', performance.now());
    dispatcher.nudge();
  }
  await receiver.until(() => arrived.size >= BESIDE);
  const totalMs = performance.now() - began;
  const took = [...arrived].map(([id, at]) => at - (emitted.get(id) ?? at));
  await dispatcher.close(0);
  await receiver.close();
  await opened.close();
  return { p99: quantile(took, 0.99), totalMs };
}

test.runIf(isTimed)(
  'healthy endpoints do not notice those that hang (2 of 10) and fail (1 of 10): p99 ≤ 2 ×',
  {
    timeout: 120_000 + BESIDE * 200,
  },
  async () => {
    await deliver(0, 0);
    const alone = await deliver(0, 0);
    const beside = await deliver(2, 1);
    process.stdout.write(
      `isolation: p99 ${alone.p99.toFixed(1)} ms alone, ${beside.p99.toFixed(1)} ms beside bad endpoints\n`,
    );
    // A millisecond or two is the noise of the clock, not of neighbours.
    expect(beside.p99).toBeLessThanOrEqual(Math.max(2 * alone.p99, alone.p99 + 5));
  },
);
