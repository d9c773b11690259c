import type { ClientVersion } from '@ponte/engine';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../test/store-harness.ts';
import { ManualClock, settle } from '../../test/support/manual-clock.ts';
import { until } from '../../test/support/until.ts';
import { LIVE_NETWORK, parseVersion, versionOnPage } from '../core/client-version.ts';
import { silentLog } from '../observe/logger.ts';
import { changeVersionRecord } from '../store/access/version-record.ts';
import { openVersionDesk, type VersionDesk, type VersionDeskOptions } from './version-desk.ts';

const BUILT_IN: ClientVersion = [2, 3000, 1_000];
const version = (revision: number): ClientVersion => [2, 3000, revision];
const LIVE = { mode: 'live', accountId: 'acc_1' } as const;
const SANDBOX = { mode: 'test', accountId: 'acc_1' } as const;
const DAY_MS = 86_400_000;

test('a version is read from a page of WhatsApp’s form, and from the command line', () => {
  expect(versionOnPage('x={\\"client_revision\\":1053512345,\\"tier\\":1}')).toEqual(version(1053512345));
  expect(versionOnPage('{"client_revision": 1053512345}')).toEqual(version(1053512345));
  expect(versionOnPage('<html>client_revision</html>')).toBeUndefined();
  expect(parseVersion(' 2.3000.1053512345 ')).toEqual(version(1053512345));
  for (const bad of ['2.3000', '2.3000.x', '2.3000.1.2', '']) expect(parseVersion(bad), bad).toBeUndefined();
});

forEachStore((open) => {
  let opened: TestStore;
  let clock: ManualClock;
  let desk: VersionDesk;
  let page: number | Error;
  let sandboxPage: number;
  let asked: string[];
  let changes: [string, number | undefined][];
  let hasLiveLines: boolean;

  beforeEach(async () => {
    opened = await open();
    clock = new ManualClock();
    page = 2_000;
    sandboxPage = 7_000;
    asked = [];
    changes = [];
    hasLiveLines = true;
  });
  afterEach(async () => {
    desk.close();
    await opened.close();
  });

  const openDesk = async (more: Partial<VersionDeskOptions> = {}) => {
    desk = await openVersionDesk({
      ...{ store: opened.store, clock, log: silentLog, environment: undefined, builtIn: BUILT_IN },
      fetchLive: async () => {
        asked.push('live');
        if (page instanceof Error) throw page;
        return version(page);
      },
      fetchSandbox: async (accountId) => {
        asked.push(accountId);
        return version(sandboxPage);
      },
      hasLiveLines: () => hasLiveLines,
      onChange: (network, next) => changes.push([network, next[2]]),
      ...more,
    });
    return desk;
  };
  const announced = async () => (await desk.versionFor(LIVE))?.[2];

  test('the first live line waits for WhatsApp’s word; it is kept, and asked for again a day later', async () => {
    await openDesk();
    expect(await announced()).toBe(2_000);
    expect(desk.known()).toMatchObject({ source: 'whatsapp', fetchedAt: clock.now(), problem: null });
    expect(await announced()).toBe(2_000);
    expect(asked).toEqual(['live']);
    desk.close();
    await openDesk();
    expect(await announced()).toBe(2_000);
    expect(asked).toEqual(['live']);
    page = 3_000;
    await clock.advance(DAY_MS * 1.2);
    await until('the next look', async () => {
      await clock.advance(10_000);
      return desk.known().version[2] === 3_000;
    });
    expect(asked).toEqual(['live', 'live']);
    expect(changes.at(-1)).toEqual([LIVE_NETWORK, 3_000]);
  });

  test('without live lines nobody is asked', async () => {
    hasLiveLines = false;
    await openDesk();
    await clock.advance(3 * DAY_MS);
    await settle();
    expect(asked).toEqual([]);
    expect(desk.known()).toMatchObject({ source: 'built_in', version: BUILT_IN });
  });

  test('a page that says nothing leaves the last good version, and is left alone for an hour', async () => {
    await openDesk();
    await announced();
    page = new Error('answered HTTP 429');
    await clock.advance(DAY_MS * 1.2);
    expect(await announced()).toBe(2_000);
    expect(desk.known().problem).toBe('answered HTTP 429');
    const before = asked.length;
    for (let line = 0; line < 5; line++) expect(await announced()).toBe(2_000);
    expect(asked.length).toBe(before);
  });

  test('a thousand refusals of one version are one question; the newer version goes to all', async () => {
    await openDesk();
    await announced();
    page = 2_500;
    for (let line = 0; line < 1_000; line++) desk.refused(LIVE_NETWORK, version(2_000));
    await until('the newer one', () => desk.known().version[2] === 2_500);
    expect(asked).toEqual(['live', 'live']);
    expect(changes).toEqual([
      [LIVE_NETWORK, 2_000],
      [LIVE_NETWORK, 2_500],
    ]);
    // The newer one is refused, too, and the page knows no other: nothing more is tried.
    for (let line = 0; line < 10; line++) desk.refused(LIVE_NETWORK, version(2_500));
    await settle();
    await until('asked', () => asked.length === 3);
    await clock.advance(60_000);
    for (let line = 0; line < 10; line++) desk.refused(LIVE_NETWORK, version(2_500));
    await settle();
    expect(asked.length).toBe(3);
    expect(changes.length).toBe(2);
  });

  test('the operator goes before everybody, without a restart; the environment before WhatsApp', async () => {
    await openDesk({ environment: version(1_500) });
    expect(await announced()).toBe(1_500);
    expect(desk.known().source).toBe('environment');
    expect(asked).toEqual([]);
    await changeVersionRecord(opened.store, () => ({ override: version(1_700) }));
    await until('it is seen', async () => {
      await clock.advance(10_000);
      return desk.known().source === 'operator';
    });
    expect(changes).toEqual([[LIVE_NETWORK, 1_700]]);
  });

  test('an older word of WhatsApp does not go before the built-in version', async () => {
    page = 500;
    await openDesk();
    expect(await announced()).toBe(BUILT_IN[2]);
    expect(desk.known().source).toBe('built_in');
  });

  test('of the ends that WhatsApp names for a version, the soonest counts, and for that version only', async () => {
    await openDesk();
    await announced();
    const end = clock.now() + 5 * DAY_MS;
    desk.expires(LIVE_NETWORK, version(2_000), end);
    await until('kept', () => desk.known().expiresAt === end);
    desk.expires(LIVE_NETWORK, version(2_000), end + DAY_MS);
    await settle();
    expect(desk.known().expiresAt).toBe(end);
    await changeVersionRecord(opened.store, () => ({ override: version(2_001) }));
    await until('another version', async () => {
      await clock.advance(10_000);
      return desk.known().source === 'operator';
    });
    expect(desk.known().expiresAt).toBeNull();
  });

  test('test lines take theirs from the page of their own simulated network', async () => {
    await openDesk();
    expect((await desk.versionFor(SANDBOX))?.[2]).toBe(7_000);
    sandboxPage = 7_100;
    desk.refused('test:acc_1', version(7_000));
    await until('changed', () => changes.length === 1);
    expect(changes).toEqual([['test:acc_1', 7_100]]);
    expect((await desk.versionFor(SANDBOX))?.[2]).toBe(7_100);
    expect(asked).toEqual(['acc_1', 'acc_1']);
  });
});
