import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../core/clock.ts';
import { addressBucket, createRateLimiter, createSlidingWindow } from './rate-limit.ts';

function steppedClock(): Clock & { move(ms: number): void } {
  let now = 1_000;
  return {
    now: () => now,
    monotonic: () => now,
    after: () => () => {},
    sleep: () => Promise.resolve(),
    random: () => 0.5,
    move: (ms) => {
      now += ms;
    },
  };
}

describe('the sliding window', () => {
  it('never lets more than max through in any window, and lets everything else through (model)', () => {
    const steps = fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 40 }), key: fc.constantFrom('a', 'b') }), {
      maxLength: 400,
    });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 7 }), (requests, max) => {
        const clock = steppedClock();
        const window = createSlidingWindow({ rule: { max, windowMs: 100 }, clock });
        const passed: Record<string, number[]> = { a: [], b: [] };
        for (const { waitMs, key } of requests) {
          clock.move(waitMs);
          const recent = (passed[key] ?? []).filter((at) => at > clock.now() - 100);
          const verdict = window.take(key);
          expect(verdict.allowed).toBe(recent.length < max);
          if (verdict.allowed) passed[key]?.push(clock.now());
          expect(verdict.remaining).toBe(max - recent.length - (verdict.allowed ? 1 : 0));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('keeps its word: a request after resetMs passes, one a millisecond earlier does not', () => {
    const clock = steppedClock();
    const window = createSlidingWindow({ rule: { max: 2, windowMs: 60_000 }, clock });
    window.take('k');
    clock.move(10_000);
    window.take('k');
    const refused = window.take('k');
    expect(refused).toMatchObject({ allowed: false, remaining: 0, resetMs: 50_000 });
    clock.move(refused.resetMs - 1);
    expect(window.take('k').allowed).toBe(false);
    clock.move(1);
    expect(window.take('k').allowed).toBe(true);
  });

  it('remembers a bounded number of keys', () => {
    const window = createSlidingWindow({ rule: { max: 5, windowMs: 1_000 }, clock: steppedClock(), maxKeys: 50 });
    for (let i = 0; i < 1_000; i += 1) window.take(`key-${i}`);
    expect(window.size()).toBe(50);
  });

  it('forgets old instants, so that a busy key stays small', () => {
    const clock = steppedClock();
    const window = createSlidingWindow({ rule: { max: 120, windowMs: 100 }, clock });
    for (let i = 0; i < 10_000; i += 1) {
      clock.move(1);
      expect(window.take('k').allowed).toBe(true);
    }
  });

  it('has no limit at 0', () => {
    const window = createSlidingWindow({ rule: { max: 0, windowMs: 1_000 }, clock: steppedClock() });
    for (let i = 0; i < 1_000; i += 1) expect(window.take('k').allowed).toBe(true);
  });
});

describe('the published limits', () => {
  it.each([
    ['provision', 10],
    ['proxy', 120],
    ['api', 120],
    ['ip', 300],
  ] as const)('%s allows exactly %i a minute and keeps subjects and classes apart', (limit, max) => {
    const clock = steppedClock();
    const limiter = createRateLimiter({ clock });
    for (let i = 0; i < max; i += 1) expect(limiter.take(limit, 'one').allowed).toBe(true);
    expect(limiter.take(limit, 'one').allowed).toBe(false);
    expect(limiter.take(limit, 'two').allowed).toBe(true);
    expect(limiter.take(limit === 'ip' ? 'api' : 'ip', 'one').allowed).toBe(true);
  });
});

describe('address buckets', () => {
  it('counts an IPv6 /64 as one and knows an IPv4 address in IPv6 clothes', () => {
    expect(addressBucket('2001:db8:1:2::1')).toBe(addressBucket('2001:db8:1:2:ffff::9'));
    expect(addressBucket('2001:db8:1:2::1')).not.toBe(addressBucket('2001:db8:1:3::1'));
    expect(addressBucket('::ffff:10.0.0.1')).toBe(addressBucket('10.0.0.1'));
    expect(addressBucket('10.0.0.1')).not.toBe(addressBucket('10.0.0.2'));
  });
});
