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
