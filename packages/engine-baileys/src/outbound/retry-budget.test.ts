import { expect, test } from 'vitest';
import { RetryBudget } from './retry-budget.ts';

const DAY = 24 * 60 * 60;

test('a chat that asks for many messages again gets 20, then 10 a minute; others are not held up', () => {
  let now = 1_700_000_000_000;
  const budget = new RetryBudget(() => now);
  const served = (chat: string, times: number) =>
    Array.from({ length: times }, () => budget.take(chat, now / 1_000 - 60, false)).filter(Boolean).length;
  expect([served('a@lid', 100), served('b@lid', 5)]).toEqual([20, 5]);
  now += 60_000;
  expect(served('a@lid', 100)).toBe(10);
  now += 3_600_000;
  expect(served('a@lid', 100)).toBe(20);
});

test('messages of more than two weeks and statuses of more than a day are not sent again', () => {
  const now = 1_700_000_000;
  const budget = new RetryBudget(() => now * 1_000);
  const takes = (ageSeconds: number, isStatus: boolean) => budget.take('c@lid', now - ageSeconds, isStatus);
  expect([takes(13 * DAY, false), takes(15 * DAY, false)]).toEqual([true, false]);
  expect([takes(DAY - 60, true), takes(DAY + 60, true)]).toEqual([true, false]);
});
