import { expect, test } from 'vitest';
import { redacted } from './redacted.ts';

test('what people wrote, who they are and what opens something is told by its length', () => {
  const shown = redacted({
    line_id: 'line_1',
    to: '+15550001111',
    message: 'Hello there',
    status: 'sent',
    timestamp: 5,
    ok: true,
    contacts: [{ name: 'Ana' }],
    data: { body: 'secret text', lat: 52.1, deep: { anything: 'else' } },
    standard_secret: 'whsec_x',
    error: 'not_connected',
    message_id: '3EB0',
  });
  expect(shown).toEqual({
    line_id: 'line_1',
    to: '[12 characters]',
    message: '[11 characters]',
    status: 'sent',
    timestamp: 5,
    ok: true,
    contacts: '[1 entries]',
    data: { body: '[11 characters]', lat: '[a number]', deep: { anything: '[4 characters]' } },
    standard_secret: '[7 characters]',
    error: 'not_connected',
    message_id: '3EB0',
  });
});

test('a body of any depth and size stays small', () => {
  let deep: unknown = 'end';
  for (let i = 0; i < 1_000; i += 1) deep = { a: deep, b: 'x'.repeat(5_000) };
  expect(JSON.stringify(redacted(deep)).length).toBeLessThan(2_000);
  expect(JSON.stringify(redacted({ data: deep })).length).toBeLessThan(2_000);
  expect((redacted(Array.from({ length: 1_000 }, () => 1)) as unknown[]).length).toBe(50);
});
