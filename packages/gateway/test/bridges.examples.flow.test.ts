import { afterAll, beforeAll, expect, test } from 'vitest';
import { bridgesDialect } from '../src/dialects/bridges/dialect.ts';
import { PUBLISHED_EVENTS } from '../src/dialects/bridges/webhook-format.ts';
import { CALLS, WEBHOOKS } from './seed-examples/bridges-reference.ts';
import { bridgesStory, REF } from './support/bridges-story.ts';
import { transcriptOf } from './support/bridges-transcript.ts';
import { BridgesWalk } from './support/bridges-walk.ts';
import { Rig } from './support/rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
}, 60_000);
afterAll(() => rig?.close());

test('every example of the published reference is answered as printed, and every webhook is what is printed', async () => {
  const walk = new BridgesWalk(rig, REF);
  await bridgesStory(rig, walk, () => {});
  const called = new Set(walk.exchanges.map(({ row }) => row.operation));
  const operations = bridgesDialect.routes.map(({ operation }) => operation);
  expect(operations.filter((operation) => !called.has(operation))).toEqual([]);
  expect(Object.keys(CALLS).filter((operation) => !called.has(operation))).toEqual([]);
  expect([...walk.webhooks.keys()].sort()).toEqual([...PUBLISHED_EVENTS].sort());
  expect(Object.keys(WEBHOOKS).sort()).toEqual([...PUBLISHED_EVENTS].sort());
  const transcript = transcriptOf(walk, { [rig.receiver.url]: 'https://yourbackend.com' });
  await expect(transcript).toMatchFileSnapshot('../../../docs/bridges-transcript.md');
}, 120_000);
