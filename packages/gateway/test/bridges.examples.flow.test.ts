import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../src/core/clock.ts';
import { bridgesDialect } from '../src/dialects/bridges/dialect.ts';
import { PUBLISHED_EVENTS } from '../src/dialects/bridges/webhook-format.ts';
import { openStore } from '../src/store/db/open.ts';
import { indexMessages } from '../src/store/messages/search-index.ts';
import { CALLS, WEBHOOKS } from './seed-examples/bridges-reference.ts';
import { ALICE, bridgesStory, OWNER, REF } from './support/bridges-story.ts';
import { transcriptOf } from './support/bridges-transcript.ts';
import { BridgesWalk } from './support/bridges-walk.ts';
import { census } from './support/census.ts';
import { Rig } from './support/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
}, 60_000);
afterAll(() => rig?.close());
const dataDir = () => String(rig.environment.DATA_DIR);

test('every example of the published reference is answered as printed, and every webhook is what is printed', async () => {
  const walk = new BridgesWalk(rig, REF);
  let line = '';
  const words = () => [line, ALICE, OWNER, 'Hello!', 'corrected', 'Neighbours'];
  await bridgesStory(rig, walk, {
    async beforeDeletion(lineId) {
      line = lineId;
      await indexAll(rig.database);
      const places = Object.keys(census(dataDir(), words()));
      // What is looked for is there, so that its absence means something.
      for (const table of [
        'lines',
        'messages',
        'events',
        'outbox',
        'contacts',
        'chats',
        'webhooks',
        'line_keys',
        'data_keys',
      ]) {
        expect(
          places.some((place) => place.startsWith(`${table}.`)),
          table,
        ).toBe(true);
      }
      expect(places).toContain('messages_search');
      expect(places.some((place) => place.startsWith('media'))).toBe(true);
    },
  });
  expect(census(dataDir(), words())).toEqual({});
  await expect(rig.world('POST', `/phones/${OWNER}/unlink`, { line_id: line })).rejects.toThrow('not_linked');
  const called = new Set(walk.exchanges.map(({ row }) => row.operation));
  const operations = bridgesDialect.routes.map(({ operation }) => operation);
  expect(operations.filter((operation) => !called.has(operation))).toEqual([]);
  expect(Object.keys(CALLS).filter((operation) => !called.has(operation))).toEqual([]);
  expect([...walk.webhooks.keys()].sort()).toEqual([...PUBLISHED_EVENTS].sort());
  expect(Object.keys(WEBHOOKS).sort()).toEqual([...PUBLISHED_EVENTS].sort());
  const transcript = transcriptOf(walk, { [rig.receiver.url]: 'https://yourbackend.com' });
  await expect(transcript).toMatchFileSnapshot('../../../docs/bridges-transcript.md');
}, 120_000);

/** The index is written in batches, and few messages wait for the next one. */
async function indexAll(database: string): Promise<void> {
  const store = await openStore({ url: `sqlite:${database}`, clock: systemClock });
  try {
    expect(await indexMessages(store, 1)).toBeGreaterThan(0);
  } finally {
    await store.close();
  }
}
