import { expect, test } from 'vitest';
import type { TargetPool } from '../net/guarded-fetch.ts';
import type { DueDelivery } from '../store/webhooks/delivery-queue.ts';
import type { Endpoint } from '../store/webhooks/webhooks.ts';
import { Lane } from './lane.ts';

const NOW = { wall: 1_000, monotonic: 1_000 };
const MARGIN_MS = 20_000;

function aLane(): Lane {
  const webhook = { id: 'whk_1', strictOrder: false, failingSince: null };
  const lane = new Lane({ webhook } as unknown as Endpoint, {} as TargetPool);
  lane.leaseUntil = 60_000;
  return lane;
}
const delivery = (seq: number) => ({ seq, eventSeq: seq, orderKey: null, nextAt: 0 }) as unknown as DueDelivery;

test('a delivery whose outcome was stored while the next ones were read is not sent again by what was read before', () => {
  const lane = aLane();
  lane.beginReading();
  lane.fill([delivery(1), delivery(2)], false, NOW);
  const first = lane.next(NOW, MARGIN_MS);
  expect(first?.seq).toBe(1);

  lane.beginReading();
  const readBeforeTheOutcome = [delivery(1), delivery(2), delivery(3)];
  if (first) lane.settled(first);
  lane.fill(readBeforeTheOutcome, false, NOW);
  expect(lane.next(NOW, MARGIN_MS)?.seq).toBe(2);
  expect(lane.next(NOW, MARGIN_MS)?.seq).toBe(3);
  expect(lane.next(NOW, MARGIN_MS)).toBeUndefined();
});

test('one that is due again later comes back with a later reading', () => {
  const lane = aLane();
  lane.beginReading();
  lane.fill([delivery(1)], false, NOW);
  const first = lane.next(NOW, MARGIN_MS);
  if (first) lane.settled(first);
  lane.beginReading();
  lane.fill([delivery(1)], false, NOW);
  expect(lane.next(NOW, MARGIN_MS)?.seq).toBe(1);
});

test('new deliveries go behind what waits, each once, and never one whose outcome is stored', () => {
  const lane = aLane();
  lane.beginReading();
  lane.fill([delivery(1), delivery(2)], false, NOW);
  expect(lane.isBehind).toBe(true);
  lane.retriesDue = false;
  expect(lane.isBehind).toBe(false);
  const first = lane.next(NOW, MARGIN_MS);
  const second = lane.next(NOW, MARGIN_MS);

  lane.beginReading();
  if (first) lane.settled(first);
  // Commits that became visible late: numbers that were read before come along.
  expect(lane.append([delivery(1), delivery(2), delivery(4), delivery(3)], NOW, 10)).toBe(true);
  expect(lane.append([delivery(3), delivery(5)], NOW, 10)).toBe(true);
  expect(second?.seq).toBe(2);
  const rest = [1, 2, 3, 4].map(() => lane.next(NOW, MARGIN_MS)?.seq);
  expect(rest).toEqual([3, 4, 5, undefined]);
});

test('a lane that would hold too much takes nothing of it, and is read when there is room', () => {
  const lane = aLane();
  lane.beginReading();
  lane.fill([delivery(1)], false, NOW);
  lane.retriesDue = false;
  expect(lane.append([delivery(2), delivery(3)], NOW, 2)).toBe(false);
  expect(lane.isBehind).toBe(true);
  expect(lane.next(NOW, MARGIN_MS)?.seq).toBe(1);
  expect(lane.next(NOW, MARGIN_MS)).toBeUndefined();
  expect(lane.wantsReading(NOW)).toBe(true);
});
