import { expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { createConnectGate } from './connect-gate.ts';

/** When each of so many lines gets its turn, in milliseconds. */
async function turns(clock: ManualClock, count: number, perSecond: number): Promise<number[]> {
  const gate = createConnectGate(perSecond, clock);
  const startedAt = clock.monotonic();
  const at: number[] = [];
  const { signal } = new AbortController();
  for (let index = 0; index < count; index += 1) {
    void gate.turn(signal).then(() => at.push(clock.monotonic() - startedAt));
  }
  await clock.advance(60_000);
  return at;
}

it('lets lines in one after the other, at the wanted pace whatever is drawn', async () => {
  const clock = new ManualClock();
  for (const [drawn, gapMs] of [
    [0, 50],
    [0.5, 55],
    [0.999, 60],
  ] as const) {
    clock.randomValue = drawn;
    const at = await turns(clock, 5, 20);
    expect(at).toHaveLength(5);
    const gaps = at.slice(1).map((time, index) => time - (at[index] ?? 0));
    for (const gap of gaps) expect(Math.abs(gap - gapMs)).toBeLessThan(2);
  }
});

it('has five hundred cut lines through within thirty seconds at twenty a second', async () => {
  const clock = new ManualClock();
  clock.randomValue = 0.999;
  const at = await turns(clock, 500, 20);
  expect(at).toHaveLength(500);
  expect(at.at(-1)).toBeLessThan(30_000);
});

it('holds nobody up without a limit', async () => {
  const gate = createConnectGate(0, new ManualClock());
  await gate.turn(new AbortController().signal);
});
