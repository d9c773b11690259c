import { afterEach, expect, test } from 'vitest';
import { DELIVERY_SCHEDULE_MS, nextAttemptDelayMs } from '../src/core/retry.ts';
import { DISABLE_AFTER_MS } from '../src/webhooks/health.ts';
import { ok, type Script, startReceiver } from './receiver.ts';
import { openTestSqlite } from './store-harness.ts';
import { ManualClock } from './support/manual-clock.ts';
import { SEED, seeded, sized } from './support/seeded.ts';
import { createWebhookWorld, guardFor } from './support/webhook-world.ts';

const HOUR = 3_600_000;
const DELIVERIES = sized('DELIVERIES', 6);
const TRACES = sized('TRACES', 8);
const JITTERS = 5_000;
const DAYS = 13;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

class SeededClock extends ManualClock {
  readonly #random = seeded(SEED);
  override random(): number {
    return this.#random();
  }
}

async function setUp(script: Script) {
  const clock = new SeededClock();
  const opened = await openTestSqlite();
  closing.push(() => opened.close());
  const world = await createWebhookWorld(opened.store, clock);
  const receiver = await startReceiver({ script, isForgetful: true });
  closing.push(() => receiver.close());
  const dispatcher = world.dispatcher({ guard: guardFor([receiver.port], clock), pollMs: 1e9 });
  closing.push(() => dispatcher.close(0));
  await dispatcher.start();
  const { db } = world.store;
  const nextDue = async (): Promise<number | undefined> => {
    const row = await db
      .selectFrom('deliveries as d')
      .innerJoin('webhooks as w', 'w.id', 'd.webhook_id')
      .select((eb) => eb.fn.min('d.next_at').as('next'))
      .where('d.state', '=', 'pending')
      .where('w.status', '=', 'enabled')
      .executeTakeFirst();
    return row?.next === null || row?.next === undefined ? undefined : Number(row.next);
  };
  /** Lets everything that is due be tried and written down; answers when the next one is due. */
  async function settled(): Promise<number | undefined> {
    for (;;) {
      await clock.advance(0);
      const next = await nextDue();
      if (next === undefined || next > clock.now()) return next;
    }
  }
  return { clock, world, receiver, dispatcher, settled };
}

test('the jitter of the schedule is uniform over ±20 %: Kolmogorov–Smirnov at 1 % over 5 000', () => {
  const random = seeded(SEED);
  for (const [step, base] of DELIVERY_SCHEDULE_MS.entries()) {
    const shares = Array.from({ length: JITTERS }, () => {
      const wait = nextAttemptDelayMs(step + 1, random()) ?? 0;
      return (wait / base - 0.8) / 0.4;
    }).sort((a, b) => a - b);
    const distance = Math.max(...shares.map((x, i) => Math.max((i + 1) / JITTERS - x, x - i / JITTERS)));
    expect(distance, `step ${step + 1}`).toBeLessThan(1.63 / Math.sqrt(JITTERS));
  }
});

test(`${DELIVERIES} deliveries that always fail are tried twelve times, each when it is due`, async () => {
  const tried = new Map<string, number[]>();
  const { clock, world, receiver, dispatcher, settled } = await setUp(({ path }) => {
    tried.set(path, [...(tried.get(path) ?? []), clock.now()]);
    return { answer: 404 };
  });
  for (let i = 0; i < DELIVERIES; i += 1) {
    const lineId = await world.addLine();
    await world.addWebhook(`${receiver.url}/${i}`, { lineId });
    await world.emitMessages(1, { lineId });
  }
  dispatcher.nudge();
  const due = new Set<number>([clock.now()]);
  for (let next = await settled(); next !== undefined; next = await settled()) {
    due.add(next);
    await clock.advance(next - clock.now());
  }
  expect(tried.size).toBe(DELIVERIES);
  for (const times of tried.values()) {
    expect(times).toHaveLength(DELIVERY_SCHEDULE_MS.length + 1);
    expect(times.filter((at) => !due.has(at))).toEqual([]);
    for (const [i, base] of DELIVERY_SCHEDULE_MS.entries()) {
      const wait = (times[i + 1] ?? 0) - (times[i] ?? 0);
      expect(wait).toBeGreaterThanOrEqual(Math.floor(base * 0.8));
      expect(wait).toBeLessThanOrEqual(Math.ceil(base * 1.2));
    }
  }
  const states = await world.store.db.selectFrom('deliveries').select(['state', 'attempts']).execute();
  expect(states).toEqual(Array.from({ length: DELIVERIES }, () => ({ state: 'dead', attempts: 12 })));
});

interface Attempt {
  at: number;
  ok: boolean;
}

/** The rule, told by the attempts alone: five days on end, no silence of two days in between. */
function hasFailedForFiveDays(attempts: Attempt[]): boolean {
  const last = attempts.at(-1);
  if (!last || last.ok) return false;
  let since = last.at;
  for (const [i, one] of [...attempts.entries()].reverse().slice(1)) {
    const next = attempts[i + 1];
    if (one.ok || !next || next.at - one.at > 48 * HOUR) break;
    since = one.at;
  }
  return last.at - since >= DISABLE_AFTER_MS;
}

test(`${TRACES} endpoints that come and go: switched off at the attempt that ends five days of failures, and no other`, {
  timeout: 60_000 + TRACES * 5_000,
}, async () => {
  const random = seeded(SEED);
  /** When each endpoint changes: it is up first, then down, and so on. */
  const changes = Array.from({ length: TRACES }, () => {
    const at = [0];
    while ((at.at(-1) ?? 0) < DAYS * 24 * HOUR) at.push((at.at(-1) ?? 0) + (1 + random() * 170) * HOUR);
    return at;
  });
  const attempts = Array.from({ length: TRACES }, (): Attempt[] => []);
  const { clock, world, receiver, dispatcher, settled } = await setUp(({ path }) => {
    const which = Number(path.slice(1));
    const passed = (changes[which] ?? []).filter((at) => at <= clock.now() - began).length;
    const isUp = passed % 2 === 1;
    attempts[which]?.push({ at: clock.now(), ok: isUp });
    return isUp ? ok : { answer: 500 };
  });
  const began = clock.now();
  const end = began + DAYS * 24 * HOUR;
  /** Each line says something now and then, when what it said before has come to its end. */
  const lines: { lineId: string; speaksAt: number }[] = [];
  for (let i = 0; i < TRACES; i += 1) {
    const lineId = await world.addLine();
    lines.push({ lineId, speaksAt: began + random() * 20 * HOUR });
    await world.addWebhook(`${receiver.url}/${i}`, { lineId, events: ['message.received'] });
  }
  const isWaiting = async (lineId: string) => {
    const pending = world.store.db.selectFrom('deliveries as d').innerJoin('events as e', 'e.seq', 'd.event_seq');
    const row = pending.select('d.id').where('e.line_id', '=', lineId).where('d.state', '=', 'pending');
    return (await row.executeTakeFirst()) !== undefined;
  };
  while (clock.now() < end) {
    const next = await settled();
    const to = Math.min(end, next ?? end, ...lines.map(({ speaksAt }) => Math.ceil(speaksAt)));
    await clock.advance(Math.max(0, to - clock.now()));
    for (const line of lines) {
      if (line.speaksAt > clock.now()) continue;
      line.speaksAt = clock.now() + (1 + random() * 20) * HOUR;
      if (await isWaiting(line.lineId)) continue;
      await world.emitMessages(1, { lineId: line.lineId });
      dispatcher.nudge();
    }
  }
  const webhooks = await world.store.db.selectFrom('webhooks').select(['id', 'url', 'status']).execute();
  let off = 0;
  for (const { id, url, status } of webhooks) {
    const all = attempts[Number(new URL(url).pathname.slice(1))] ?? [];
    const ends = all.findIndex((_, i) => hasFailedForFiveDays(all.slice(0, i + 1)));
    expect([url, status]).toEqual([url, ends === -1 ? 'enabled' : 'disabled']);
    if (ends === -1) continue;
    off += 1;
    // What was under way at that moment may still come in; nothing is begun after it.
    expect(all.slice(ends + 1).filter(({ at }) => at > (all[ends]?.at ?? 0))).toEqual([]);
    const last = await world.store.db
      .selectFrom('deliveries')
      .select(['state', 'attempts'])
      .where('webhook_id', '=', id)
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow();
    // What waits is kept; only what had used up its attempts by then is dead.
    expect(last.state).toBe(last.attempts === 12 ? 'dead' : 'pending');
  }
  const told = await world.store.db.selectFrom('events').select('id').where('type', '=', 'webhook.disabled').execute();
  expect(told).toHaveLength(off);
  expect(off).toBeGreaterThan(0);
  expect(off).toBeLessThan(TRACES);
});
