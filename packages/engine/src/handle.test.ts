import { expect, test } from 'vitest';
import { handleOf, parseHandle } from './handle.ts';

test.each([
  ['@nora.writes', { username: 'nora.writes' }],
  [' @Nora_Writes ', { username: 'nora_writes' }],
  ['@nora.writes#1234', { username: 'nora.writes', key: '1234' }],
])('%s is a handle', (typed, handle) => {
  const kept = parseHandle(typed);
  expect(kept && handleOf(kept)).toEqual(handle);
});

const NO_HANDLES = ['nora', '@no', '@a b c', '@nora#12', '@nora#key', '15550001111', '@15550001111@lid', '@@nora'];
const HALF_ADDRESSES = ['@g.us', '@c.us', '@s.whatsapp.net', '@lid', '@newsletter', '@15550001111'];
const NEVER_GIVEN = ['@www.nora', '@nora.com', '@.nora', '@nora.', '@nora..writes'];
test.each([...NO_HANDLES, ...HALF_ADDRESSES, ...NEVER_GIVEN])('%s is none', (typed) => {
  expect(parseHandle(typed)).toBeUndefined();
});

test.each(['15550001111@s.whatsapp.net', '9007199@lid', '1203@g.us', 'status@broadcast'])('%s is an address', (jid) => {
  expect(handleOf(jid)).toBeUndefined();
});
