import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { LocalBusHub } from '../../bus/local-bus.ts';
import { type FleetNews, SharedNews } from './shared-news.ts';

let clock: ManualClock;
let hub: LocalBusHub;
const nodes: SharedNews[] = [];
beforeEach(() => {
  clock = new ManualClock();
  hub = new LocalBusHub(clock);
});
afterEach(() => {
  for (const node of nodes.splice(0)) node.close();
});

function node(nodeId: string) {
  const heard: FleetNews[] = [];
  const news = new SharedNews({ bus: hub.connect(), nodeId, clock, onNews: (one) => void heard.push(one) });
  nodes.push(news);
  return { news, heard };
}

test('what one node tells the others hear, and it does not hear itself', async () => {
  const [a, b, c] = [node('a'), node('b'), node('c')];
  a.news.tell({ events: true });
  await clock.advance(1);
  expect([a.heard, b.heard, c.heard]).toEqual([[], [{ events: true }], [{ events: true }]]);
});

test('the first word goes out at once, a burst after it as one', async () => {
  const [a, b] = [node('a'), node('b')];
  for (let i = 0; i < 50; i++) a.news.tell({ events: true });
  a.news.tell({ deliveries: true });
  a.news.tell({ settings: true });
  await clock.advance(1);
  expect(b.heard).toEqual([{ events: true }]);
  await clock.advance(20);
  expect(b.heard).toEqual([{ events: true }, { events: true, deliveries: true, settings: true }]);
  await clock.advance(1_000);
  expect(b.heard).toHaveLength(2);
});
