import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { FakeBroadcastChannel, FakeEventSource, fakeBrowser } from '../../test/fake-browser.ts';
import { joinElection } from './election.ts';
import type { StreamMessage } from './source.ts';

let restore: () => void;
let leaves: (() => void)[];
beforeEach(() => {
  restore = fakeBrowser();
  leaves = [];
});
afterEach(() => {
  for (const leave of leaves) leave();
  restore();
});

/** Moves the clock; posts between pages arrive meanwhile. */
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** A page of the browser: what it heard, and how it goes. */
function page() {
  const heard: StreamMessage[] = [];
  const leave = joinElection((message) => heard.push(message));
  leaves.push(leave);
  const channel = [...FakeBroadcastChannel.open].at(-1);
  return { heard, leave, channel, events: () => heard.flatMap((one) => (one.kind === 'event' ? [one.name] : [])) };
}
const leader = () => {
  expect(FakeEventSource.open).toHaveLength(1);
  return FakeEventSource.open[0] as FakeEventSource;
};
const line = (id: string) => ({ line_id: id, status: 'connected' });

it('opens one connection for all pages, and tells all of them what comes', async () => {
  const pages = [page(), page(), page()];
  expect(FakeEventSource.open).toHaveLength(0);
  await pass(1_000);
  leader().send('line', line('line_1'));
  await pass(0);
  for (const { events } of pages) expect(events()).toEqual(['line']);
});

it('tells a page that joins later the state and the last news of every line', async () => {
  page();
  await pass(1_000);
  leader().send('hello', {});
  leader().send('line', line('line_1'));
  leader().send('line', { ...line('line_1'), status: 'disconnected' });
  const late = page();
  await pass(0);
  expect(late.heard).toEqual([
    { kind: 'state', state: 'live' },
    { kind: 'event', name: 'line', data: { line_id: 'line_1', status: 'disconnected' } },
  ]);
  await pass(1_000);
  leader();
});

it('hands over at once when the leader goes', async () => {
  const first = page();
  await pass(1_000);
  const second = page();
  const before = leader();
  first.leave();
  expect(FakeEventSource.open).toHaveLength(0);
  await pass(400);
  expect(leader()).not.toBe(before);
  leader().send('line', line('line_2'));
  await pass(0);
  expect(second.events()).toEqual(['line']);
  expect(first.events()).toEqual([]);
});

it('replaces a leader that hangs, and is one again when that one wakes up', async () => {
  const first = page();
  await pass(1_000);
  page();
  const slept = leader();
  FakeBroadcastChannel.hung.add(first.channel as FakeBroadcastChannel);
  // The connection of a page that hangs stays open; its pings reach no other page.
  for (let s = 0; s < 40; s += 10) {
    slept.send('ping', {});
    await pass(10_000);
  }
  expect(FakeEventSource.open).toHaveLength(2);
  FakeBroadcastChannel.hung.clear();
  for (const source of [...FakeEventSource.open]) source.send('ping', {});
  await pass(0);
  leader();
});

it('keeps the leader as long as anything is heard of it', async () => {
  page();
  await pass(1_000);
  page();
  const only = leader();
  for (let s = 0; s < 300; s += 10) {
    only.send('ping', {});
    await pass(10_000);
  }
  expect(leader()).toBe(only);
});

it('leaves no timer and no connection when every page is gone', async () => {
  const pages = [page(), page()];
  await pass(1_000);
  for (const { leave } of pages) leave();
  await pass(60_000);
  expect(FakeEventSource.open).toHaveLength(0);
  expect(vi.getTimerCount()).toBe(0);
});
