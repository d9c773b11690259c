import { expect, test } from 'vitest';
import { forEachStore } from '../../../test/store-harness.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { silentLog } from '../../observe/logger.ts';
import { insertAccount } from '../../store/access/accounts.ts';
import { knownProblems } from '../../store/problems/problems.ts';
import { createClockCheck } from './clock-check.ts';
import { watchProblems } from './watch-problems.ts';

forEachStore((openStore, engine) => {
  test('PostgreSQL says what time it is; SQLite has no other clock than ours', async () => {
    const { store, close } = await openStore();
    try {
      const clock = new ManualClock(Date.UTC(2001, 0, 1));
      const offset = await createClockCheck({ store, clock }).read();
      if (engine === 'sqlite') return expect(offset).toBeUndefined();
      expect(offset?.source).toBe('database');
      expect(offset?.offsetMs).toBeLessThan(-365 * 86_400_000);
    } finally {
      await close();
    }
  });

  test('a clock that is off is a problem after a minute, until it is set right', async () => {
    const { store, close } = await openStore();
    try {
      const clock = new ManualClock();
      await insertAccount(store.db, {
        id: 'acc_a',
        name: 'A',
        plan: 'unlimited',
        subscription: 'active',
        created_at: clock.now(),
      });
      let offsetMs = 600_000;
      const watch = watchProblems({
        ...{ store, clock, log: silentLog, accountId: 'acc_a' },
        nudgeDeliveries: () => {},
        onChange: () => {},
        machine: {
          freeDiskBytes: async () => 1,
          clockCheck: { read: async () => ({ offsetMs, source: 'whatsapp' }) },
        },
      });
      await watch.look();
      expect((await knownProblems(store.db)).map(({ toldAt }) => toldAt)).toEqual([null, null]);
      clock.skip(60_000);
      await watch.look();
      const kept = await knownProblems(store.db);
      expect(kept.map(({ kind, reason }) => `${kind} ${reason}`).toSorted()).toEqual([
        'clock_off ahead',
        'disk_low empty',
      ]);
      expect(kept.every(({ toldAt }) => toldAt !== null)).toBe(true);
      offsetMs = 59_000;
      await watch.look();
      expect((await knownProblems(store.db)).map(({ kind }) => kind)).toEqual(['disk_low']);
      watch.close();
    } finally {
      await close();
    }
  });

  test('what was heard before the clock was set counts no more', async () => {
    const { store, close } = await openStore();
    try {
      const manual = new ManualClock();
      let step = 0;
      const clock = Object.assign(Object.create(manual) as ManualClock, {
        now: () => manual.now() + step,
        monotonic: () => manual.monotonic(),
      });
      const check = createClockCheck({ store, clock });
      check.heard('whatsapp', clock.now() - 3_600_000);
      const offsets = async () => (await check.read())?.source;
      if (engine === 'sqlite') {
        expect(await check.read()).toEqual({ source: 'whatsapp', offsetMs: 3_600_000 });
        step = -3_600_000;
        expect(await offsets()).toBeUndefined();
      }
    } finally {
      await close();
    }
  });
});
