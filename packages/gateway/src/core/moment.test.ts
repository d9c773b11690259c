import { expect, it } from 'vitest';
import { parseDay, parseMoment } from './moment.ts';

it.each([
  ['2026-02-28T00:00:00Z', Date.UTC(2026, 1, 28)],
  ['2028-02-29T12:30Z', Date.UTC(2028, 1, 29, 12, 30)],
  ['2026-01-01t00:00:00.5z', Date.UTC(2026, 0, 1, 0, 0, 0, 500)],
  ['2026-01-01 02:00:00+02:00', Date.UTC(2026, 0, 1)],
])('%s is a moment', (text, ms) => {
  expect(parseMoment(text)).toBe(ms);
});

it.each([
  '2026-02-30T09:00:00Z',
  '2026-02-29T09:00:00Z',
  '2026-04-31T09:00:00Z',
  '2026-13-01T09:00:00Z',
  '2026-00-10T09:00:00Z',
  '2026-01-00T09:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T09:60:00Z',
  '2026-01-01T09:00:60Z',
  '2026-01-01T09:00:00+24:00',
  '2026-01-01T09:00:00+02:75',
])('%s is in no calendar', (text) => {
  expect(parseMoment(text)).toBe('nowhere');
});

it.each(['2026-01-01', '2026-01-01T09:00:00', 'tomorrow', '1.1.2026', ''])('%j is written otherwise', (text) => {
  expect(parseMoment(text)).toBe('syntax');
});

it('reads days', () => {
  expect([parseDay('2026-01-15'), parseDay('2026-02-30'), parseDay('x')]).toEqual([
    Date.UTC(2026, 0, 15),
    'nowhere',
    'syntax',
  ]);
});
