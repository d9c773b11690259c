import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTestPostgres, type TestStore } from '../../test/store-harness.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { until } from '../../test/support/until.ts';
import { systemClock } from '../core/clock.ts';
import { silentLog } from '../observe/logger.ts';
import { takePlaces } from '../store/access/rate-windows.ts';
import type { LimitClass, RateLimiter } from './rate-limit.ts';
import { createSharedRateLimiter, type SharedLimiterOptions } from './shared-rate-limit.ts';

const rule = (max: number, windowMs = 60_000) => ({ max, windowMs });

describe.runIf(process.env.TEST_DATABASE_URL)('budgets of a fleet', () => {
  let opened: TestStore;
  beforeEach(async () => {
    opened = await openTestPostgres();
  });
  afterEach(() => opened.close());

  const node = (limits: SharedLimiterOptions['limits'], nodes = 3): RateLimiter =>
    createSharedRateLimiter({
      ...{ clock: systemClock, log: silentLog, limits },
      nodes: () => nodes,
      takePlaces: (bucket, want) => takePlaces(opened.store.db, bucket, want),
    });
  const allowed = async (nodes: RateLimiter[], limit: LimitClass, times: number) => {
    const verdicts = await Promise.all(
      Array.from({ length: times }, async (_, i) => nodes[i % nodes.length]?.take(limit, 'key_one')),
    );
    return verdicts.filter((verdict) => verdict?.allowed).length;
  };

  test('a small one is exact, however many nodes are asked at once', async () => {
    const nodes = [1, 2, 3].map(() => node({ provision: rule(10) }));
    expect(await allowed(nodes, 'provision', 45)).toBe(10);
    expect(await allowed(nodes, 'provision', 9)).toBe(0);
    expect(await nodes[0]?.take('provision', 'key_other')).toMatchObject({ allowed: true, remaining: 9 });
  });

  test('who is refused hears when the next place gets free, and gets it then', async () => {
    const [a, b] = [node({ api: rule(2, 300) }), node({ api: rule(2, 300) })];
    expect(await allowed([a, b], 'api', 2)).toBe(2);
    const refused = await a.take('api', 'key_one');
    expect(refused).toMatchObject({ allowed: false, remaining: 0, limit: 2 });
    expect(refused.resetMs).toBeGreaterThan(0);
    expect(refused.resetMs).toBeLessThanOrEqual(300);
    await until('a place is free', async () => (await b.take('api', 'key_one')).allowed);
  });

  test('a large one is never exceeded, and at most one in twenty goes unused', async () => {
    const nodes = [1, 2, 3].map(() => node({ sandbox: rule(3_000) }));
    let passed = 0;
    for (let round = 0; round < 40; round += 1) passed += await allowed(nodes, 'sandbox', 90);
    expect(passed).toBeLessThanOrEqual(3_000);
    expect(passed).toBeGreaterThanOrEqual(2_850);
  });

  test('a batch takes all of its places or is refused', async () => {
    const a = node({ api: rule(10) });
    expect(await a.take('api', 'k', 6)).toMatchObject({ allowed: true, remaining: 4 });
    expect(await a.take('api', 'k', 6)).toMatchObject({ allowed: false });
    expect(await a.take('api', 'k', 11)).toMatchObject({ allowed: false });
  });
});

test('while the count is away each node allows its share, and nothing that provisions', async () => {
  const clock = new ManualClock();
  let asked = 0;
  const limiter = createSharedRateLimiter({
    ...{ clock, log: silentLog, limits: { api: rule(30), provision: rule(10) } },
    nodes: () => 3,
    async takePlaces() {
      asked += 1;
      throw new Error('away');
    },
  });
  const verdicts = [];
  for (let i = 0; i < 15; i += 1) verdicts.push((await limiter.take('api', 'k')).allowed);
  expect(verdicts.filter(Boolean)).toHaveLength(10);
  expect(asked).toBe(1);
  await expect(limiter.take('provision', 'k')).rejects.toMatchObject({ code: 'unavailable' });
});
