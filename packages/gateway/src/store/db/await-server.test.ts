import { expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { awaitServer } from './await-server.ts';
import { openStore } from './open.ts';

/** A port without a listener. */
const NOWHERE = 'postgres://nobody@127.0.0.1:1/none';

/** Time that runs a hundred times as fast. */
const hurried = { ...systemClock, monotonic: () => performance.now() * 100, random: () => 0 };

test('a server that is not there is asked again for a time, each time saying so; then it rejects', async () => {
  const store = await openStore({ url: NOWHERE, clock: systemClock });
  const told: unknown[] = [];
  const waiting = awaitServer(store, { withinMs: 60_000, clock: hurried, onWait: (error) => void told.push(error) });
  await expect(waiting).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  expect(told.length).toBeGreaterThanOrEqual(1);
  await store.close();
});
