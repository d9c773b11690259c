import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DISABLE_AFTER_MS, HEALTHY, type Health, healthAfter } from './health.ts';

const HOUR = 3_600_000;

/**
 * Whether a run of failures alone, without a silence of two days, has lasted five days at the end
 * of the trace.
 */
function isFailingForFiveDays(trace: { at: number; ok: boolean }[]): boolean {
  const last = trace.at(-1);
  if (!last || last.ok) return false;
  let since = last.at;
  for (let i = trace.length - 2; i >= 0; i--) {
    const entry = trace[i];
    const next = trace[i + 1];
    if (!entry || !next || entry.ok || next.at - entry.at > 48 * HOUR) break;
    since = entry.at;
  }
  return last.at - since >= DISABLE_AFTER_MS;
}

test('1 000 random traces: switched off exactly when every attempt failed for five days on end', () => {
  const step = fc.record({
    waitHours: fc.double({ min: 0, max: 60, noNaN: true }),
    ok: fc.double({ min: 0, max: 1, noNaN: true }).map((p) => p > 0.93),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let at = 1_000;
      let health: Health = HEALTHY;
      const trace: { at: number; ok: boolean }[] = [];
      for (const { waitHours, ok } of steps) {
        at += Math.round(waitHours * HOUR);
        trace.push({ at, ok });
        const next = healthAfter(health, ok, at);
        expect(next.disable).toBe(isFailingForFiveDays(trace));
        health = next;
      }
    }),
    { numRuns: 1_000 },
  );
});

test('a delivery that fails to its end in a quiet week does not switch its webhook off', () => {
  let health: Health = HEALTHY;
  for (const hours of [0, 0.1, 1, 5, 15, 29, 49, 76]) health = healthAfter(health, false, hours * HOUR);
  expect(healthAfter(health, false, 30 * 24 * HOUR)).toEqual({
    failingSince: 30 * 24 * HOUR,
    lastFailureAt: 30 * 24 * HOUR,
    disable: false,
  });
});
