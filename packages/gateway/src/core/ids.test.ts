import { afterEach, expect, test, vi } from 'vitest';
import { systemClock } from './clock.ts';
import {
  newAccountId,
  newDeliveryId,
  newEventId,
  newKeyId,
  newLineId,
  newOutboxId,
  newSessionId,
  newUserId,
  newWebhookId,
} from './ids.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const at = (ms: number) => vi.spyOn(systemClock, 'now').mockReturnValue(ms);
const ORDERED = { evt: newEventId, dlv: newDeliveryId, out: newOutboxId };
const RANDOM = {
  acc: newAccountId,
  key: newKeyId,
  line: newLineId,
  ses: newSessionId,
  usr: newUserId,
  whk: newWebhookId,
};

test('every id is its prefix and twenty characters of base62, as published', () => {
  for (const [prefix, make] of Object.entries({ ...ORDERED, ...RANDOM })) {
    expect(make()).toMatch(new RegExp(`^${prefix}_[0-9A-Za-z]{20}$`));
  }
});

test('ids of rows that come by the million sort by the time they were made, by their bytes', () => {
  // Around a digit that carries over, and the ends of what the digits hold.
  const times = [0, 1, 61, 62, 3_843, 3_844, 1_777_180_605_123, 1_777_180_605_124, 4_102_444_800_000, 62 ** 8 - 1];
  for (const make of Object.values(ORDERED)) {
    const ids = times.map((ms) => {
      at(ms);
      return make();
    });
    expect([...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))).toEqual(ids);
  }
});

test('two ids of one millisecond differ, and an id that must not be guessed does not tell the time', () => {
  at(1_777_180_605_123);
  const made = Array.from({ length: 1_000 }, newEventId);
  expect(new Set(made).size).toBe(1_000);
  expect(new Set(made.map((id) => id.slice(0, 12))).size).toBe(1);
  for (const make of Object.values(RANDOM)) {
    const starts = Array.from({ length: 100 }, () => make().split('_')[1]?.slice(0, 8));
    expect(new Set(starts).size).toBe(100);
  }
});
