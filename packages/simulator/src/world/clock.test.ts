import { afterEach, expect, test } from 'vitest';
import { SystemClock } from './clock.ts';

const clock = new SystemClock();
afterEach(() => clock.close());

test('advancing runs what became due, earliest first, each at its own time', () => {
  const ran: [string, number][] = [];
  const start = clock.nowMs();
  const note = (name: string) => () => ran.push([name, Math.round((clock.nowMs() - start) / 1000)]);
  clock.after(30_000, note('later'));
  clock.after(10_000, note('first'));
  clock.after(10_000, note('second'));
  clock.after(90_000, note('never'));
  clock.advance(60_000);
  expect(ran).toEqual([
    ['first', 10],
    ['second', 10],
    ['later', 30],
  ]);
  expect(Math.round((clock.nowMs() - start) / 1000)).toBe(60);
});

test('what a due call schedules within the span runs, too, and what is cancelled does not', () => {
  const ran: string[] = [];
  const cancelled = clock.after(5000, () => ran.push('cancelled'));
  clock.after(1000, () => {
    clock.after(1000, () => ran.push('nested'));
    cancelled.cancel();
  });
  clock.advance(10_000);
  expect(ran).toEqual(['nested']);
});

test('time is not turned back', () => {
  expect(() => clock.advance(-1)).toThrow('clock: cannot advance by -1 ms');
  expect(() => clock.advance(Number.NaN)).toThrow(RangeError);
});
