import { expect, test } from 'vitest';
import { otherWayToWrite } from './number-aliases.ts';

test.each([
  ['5511987654321', '551187654321'],
  ['5215512345678', '525512345678'],
  ['5491123456789', '541123456789'],
])('%s is also written %s', (long, short) => {
  expect(otherWayToWrite(long)).toBe(short);
  expect(otherWayToWrite(short)).toBe(long);
});

test.each(['15550001111', '34600000000', '551132345678', '55', ''])('%s is written in one way', (phone) => {
  expect(otherWayToWrite(phone)).toBeUndefined();
});
