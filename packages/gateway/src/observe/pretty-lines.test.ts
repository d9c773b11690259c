import { expect, test } from 'vitest';
import { prettyLine } from './pretty-lines.ts';

const line = (fields: Record<string, unknown>) =>
  JSON.stringify({ level: 30, time: '2026-01-02T03:04:05.678Z', process: 'main', pid: 1, ...fields });

test('a line for people has time, level, message and fields', () => {
  const shown = prettyLine(line({ lineId: 'line_1', count: 2, reason: 'two words', msg: 'a line is up' }), false);
  expect(shown).toMatch(/^\d\d:04:05 info {2}a line is up {2}lineId=line_1 {2}count=2 {2}reason="two words"\n$/);
});

test('another process than the main one is named, and a stack stands on lines of its own', () => {
  const error = { type: 'Error', message: 'no', stack: 'Error: no\n    at here' };
  const shown = prettyLine(line({ level: 50, process: 'live-1', error, msg: 'it failed' }), false);
  expect(shown).toContain('ERROR [live-1] it failed  error=\n    Error: no\n        at here\n');
});

test('what is no log line stays as it is', () =>
  expect(prettyLine('(node:1) Warning: x\n')).toBe('(node:1) Warning: x\n'));
