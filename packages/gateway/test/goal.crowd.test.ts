import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Pacing } from '../src/core/pacing.ts';
import { openTestSqlite, type TestStore } from './store-harness.ts';
import { LineCrowd } from './support/line-crowd.ts';
import { ManualClock, settle } from './support/manual-clock.ts';
import { SEED, seeded, sized } from './support/seeded.ts';

const CUT_LINES = sized('LINES', 100);
const PER_SECOND = 20;
const PACED_LINES = sized('PACED_LINES', 6);
const FLOOD = sized('FLOOD', 30);
/** Beside the flood each line says something so often. */
const EVERY_MS = 4_000;
const STEP_MS = 100;
const PACING: Pacing = { minGapMs: 700, maxGapMs: 1_900, burst: 0, pauseMs: 60_000 };

class SeededClock extends ManualClock {
  readonly #random = seeded(SEED);
  override random(): number {
    return this.#random();
  }
}

let opened: TestStore;
let clock: ManualClock;
let crowd: LineCrowd;
beforeEach(async () => {
  opened = await openTestSqlite();
  clock = new SeededClock();
});
afterEach(async () => {
  await crowd?.close();
  await opened.close();
});

/** The most of these moments within any `windowMs`. */
function mostWithin(moments: number[], windowMs: number): number {
  const sorted = [...moments].sort((a, b) => a - b);
  let first = 0;
  let most = 0;
  for (const [i, at] of sorted.entries()) {
    while (at - (sorted[first] ?? at) >= windowMs) first += 1;
    most = Math.max(most, i - first + 1);
  }
  return most;
}

test(`${CUT_LINES} lines that are cut at once come back ${PER_SECOND} a second at most, and all of them`, {
  timeout: 60_000 + CUT_LINES * 200,
}, async () => {
  crowd = new LineCrowd(opened, clock, PER_SECOND);
  for (let i = 0; i < CUT_LINES; i += 1) await crowd.add();
  const isUp = () => crowd.members.filter(({ engine }) => engine.isOpen).length;
  const first = (CUT_LINES / PER_SECOND) * 1_000 + 1_000;
  await clock.advance(first);
  expect(isUp()).toBe(CUT_LINES);
  const cutAt = clock.monotonic();
  for (const { engine } of crowd.members) engine.drop('connection_lost');
  const allowedMs = (CUT_LINES / PER_SECOND) * 1_000 + 60_000;
  let upAfterMs: number | undefined;
  while (upAfterMs === undefined && clock.monotonic() - cutAt < allowedMs) {
    await clock.advance(1_000);
    if (isUp() >= CUT_LINES * 0.99) upAfterMs = clock.monotonic() - cutAt;
  }
  expect(upAfterMs).toBeLessThanOrEqual(allowedMs);
  await clock.advance(10_000);
  expect(isUp()).toBe(CUT_LINES);
  const moments = crowd.members.flatMap(({ connects }) => connects);
  expect(moments).toHaveLength(2 * CUT_LINES);
  expect(mostWithin(moments, 1_000)).toBeLessThanOrEqual(PER_SECOND);
});

/** In small steps with turns in between, so that the database keeps up with the clock. */
async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += STEP_MS) {
    await clock.advance(STEP_MS);
    // A question of the same connection is answered when what was asked before it is.
    for (let at = 0; at < 3; at += 1) {
      await settle(10);
      await opened.store.db.selectFrom('lines').select('id').limit(1).execute();
    }
  }
}

/** How long each message of every line but the first waited for the wire. */
async function waits(flood: number): Promise<{ others: number[]; flooded: number[] }> {
  clock = new SeededClock();
  crowd = new LineCrowd(opened, clock, 0);
  for (let i = 0; i < PACED_LINES; i += 1) await crowd.add(PACING);
  await clock.advance(1_000);
  const [first, ...rest] = crowd.members;
  for (let i = 0; i < flood; i += 1) await first?.send(`flood ${i}`);
  const sent = new Map<string, number>();
  // As many rounds with the flood as without, whatever it takes.
  const rounds = Math.ceil((FLOOD * PACING.maxGapMs) / EVERY_MS);
  for (let round = 0; round < rounds; round += 1) {
    for (const member of rest) {
      const { messageId, at } = await member.send(`round ${round}`);
      sent.set(messageId, at);
    }
    await pass(EVERY_MS);
  }
  // The last ones have their time, too.
  await pass(2 * EVERY_MS);
  const others = rest.flatMap(({ sends }) => sends.map(({ id, at }) => at - (sent.get(id) ?? Number.NaN)));
  expect(others).toHaveLength(rest.length * rounds);
  return { others, flooded: first?.sends.map(({ at }) => at) ?? [] };
}

const p99 = (values: number[]): number =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] ?? Number.NaN;

test(`a line with ${FLOOD} waiting messages keeps its gap between every two, and ${PACED_LINES - 1} others do not notice`, {
  timeout: 60_000 + PACED_LINES * FLOOD * 100,
}, async () => {
  const alone = await waits(0);
  await crowd.close();
  const { others, flooded } = await waits(FLOOD);
  expect(flooded).toHaveLength(FLOOD);
  const gaps = flooded.slice(1).map((at, i) => at - (flooded[i] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(PACING.minGapMs);
  expect(p99(others)).toBeLessThanOrEqual(p99(alone.others) * 1.1);
});
