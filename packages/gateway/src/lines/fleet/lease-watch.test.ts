import { expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { LeaseWatch } from './lease-watch.ts';

function watched(hasLines = () => true) {
  const clock = new ManualClock();
  let over = 0;
  const watch = new LeaseWatch(clock, () => {
    over += 1;
  });
  watch.start(hasLines);
  return { clock, watch, isOver: () => over > 0 };
}

test('leases last for what was said, from the time of the question on', async () => {
  const { clock, watch, isOver } = watched();
  const askedAtMs = clock.monotonic();
  // The answer was four seconds under way: that time is not given twice.
  await clock.advance(4_000);
  watch.told(askedAtMs, 8_000);
  await clock.advance(3_750);
  expect(isOver()).toBe(false);
  await clock.advance(500);
  expect(isOver()).toBe(true);
});

test('an answer from before it stood still does not make them last longer', async () => {
  const { clock, watch, isOver } = watched();
  const askedAtMs = clock.monotonic();
  clock.skip(60_000);
  watch.told(askedAtMs, 10_000);
  await clock.advance(0);
  expect(isOver()).toBe(true);
});

test('a worker without a line has nothing to end; one whose main process never speaks has not long', async () => {
  let hasLines = false;
  const { clock, isOver } = watched(() => hasLines);
  await clock.advance(60_000);
  expect(isOver()).toBe(false);
  hasLines = true;
  await clock.advance(250);
  expect(isOver()).toBe(true);
});
