import { expect, test } from 'vitest';
import { readTraceparent, traceIdOf, writeTraceparent } from './trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

test('a traceparent is read and written as the specification has it', () => {
  const text = `00-${TRACE}-${SPAN}-01`;
  expect(readTraceparent(text)).toEqual({ traceId: TRACE, spanId: SPAN, flags: 1 });
  expect(writeTraceparent({ traceId: TRACE, spanId: SPAN, flags: 1 })).toBe(text);
  expect(traceIdOf(text)).toBe(TRACE);
  // Flags that this version does not know are not passed on.
  expect(writeTraceparent({ traceId: TRACE, spanId: SPAN, flags: 0xff })).toBe(text);
});

test('of a later version the fields that it shares with this one', () => {
  expect(readTraceparent(`01-${TRACE}-${SPAN}-00-more`)).toEqual({ traceId: TRACE, spanId: SPAN, flags: 0 });
});

test.each([
  undefined,
  12,
  ['00'],
  '',
  `00-${TRACE}-${SPAN}`,
  `00-${TRACE}-${SPAN}-01-more`,
  `ff-${TRACE}-${SPAN}-01`,
  `00-${'0'.repeat(32)}-${SPAN}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  `01-${TRACE}-${SPAN}-01-${'x'.repeat(300)}`,
])('%s is none', (text) => {
  expect(readTraceparent(text)).toBeUndefined();
});
