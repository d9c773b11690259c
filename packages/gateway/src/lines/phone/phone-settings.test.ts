import { expect, test, vi } from 'vitest';
import { forEachStore } from '../../../test/store-harness.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { insertLine } from '../../../test/support/rows.ts';
import { areSettingsStale, markSettingsStale } from '../../store/messages/archive.ts';
import { PhoneSettings } from './phone-settings.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet } as never;

forEachStore((open) => {
  test('a change that a crash cut off is fetched anew with all others; later ones are fetched alone', async () => {
    const { store, close } = await open();
    try {
      const { db } = store;
      await insertLine(store, 'test', 'acc_1', 'line_1');
      const asked: boolean[] = [];
      const noted: string[] = [];
      const settings = (order: string[]) => {
        const one: PhoneSettings = new PhoneSettings({
          line: { id: 'line_1', accountId: 'acc_1' },
          store,
          clock: new ManualClock(),
          log: quiet,
          stopping: new AbortController().signal,
          engine: () => ({
            account: {
              syncSettings: async ({ isFresh }: { isFresh: boolean }) => {
                asked.push(isFresh);
                one.archived('1@lid', true);
                return {};
              },
            } as never,
          }),
          noteArchived: async (chat) => {
            noted.push(chat);
            return true;
          },
          caughtUp: async () => {
            order.push('caught up');
          },
        });
        return one;
      };
      const isClean = () => vi.waitFor(async () => expect(await areSettingsStale(db, 'line_1')).toBe(false));
      await markSettingsStale(db, 'line_1', true);
      const order: string[] = [];
      const first = settings(order);
      first.wake();
      await isClean();
      expect([asked, noted, order]).toEqual([[true], ['1@lid'], ['caught up']]);
      await markSettingsStale(db, 'line_1', true);
      first.wake();
      await isClean();
      expect([asked, noted, order]).toEqual([[true, false], ['1@lid', '1@lid'], ['caught up']]);
      settings([]).wake();
      await vi.waitFor(() => expect(asked).toEqual([true, false, false]));
    } finally {
      await close();
    }
  });
});
