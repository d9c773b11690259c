import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeEventSource, fakeBrowser } from '../../test/fake-browser.ts';
import { openSource, type StreamMessage } from './source.ts';

let restore: () => void;
let heard: StreamMessage[];
let close: () => void;
beforeEach(() => {
  restore = fakeBrowser();
  heard = [];
  close = openSource((message) => heard.push(message));
});
afterEach(() => {
  close();
  restore();
});
const last = () => FakeEventSource.open.at(-1);

it('opens again later and later while the server is away, at most every 22.5 seconds', () => {
  let opened = 0;
  const waits: number[] = [];
  for (opened = 0; opened < 8; opened += 1) {
    last()?.fail();
    expect(FakeEventSource.open).toHaveLength(0);
    let waited = 0;
    while (FakeEventSource.open.length === 0) {
      vi.advanceTimersByTime(100);
      waited += 100;
    }
    waits.push(waited);
  }
  expect(waits[0]).toBeLessThanOrEqual(1_600);
  expect(Math.max(...waits)).toBeLessThanOrEqual(22_600);
  expect(waits.at(-1)).toBeGreaterThanOrEqual(7_400);
  expect(heard.every((one) => one.kind === 'state' && one.state === 'stale')).toBe(true);
});

it('takes silence for a dead connection, and a ping for life', () => {
  const first = last();
  vi.advanceTimersByTime(20_000);
  first?.send('ping', {});
  vi.advanceTimersByTime(20_000);
  expect(last()).toBe(first);
  vi.advanceTimersByTime(10_000);
  expect(heard.at(-1)).toEqual({ kind: 'state', state: 'stale' });
  expect(last()).not.toBe(first);
});

it('does nothing any more once it is closed', () => {
  last()?.fail();
  close();
  vi.advanceTimersByTime(60_000);
  expect(FakeEventSource.open).toHaveLength(0);
  expect(vi.getTimerCount()).toBe(0);
});
