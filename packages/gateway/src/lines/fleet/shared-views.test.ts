import { afterEach, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { LocalBusHub } from '../../bus/local-bus.ts';
import type { LiveView } from '../../journal/live.ts';
import type { LineProcessView } from '../workers/router.ts';
import { SharedViews } from './shared-views.ts';

const clock = new ManualClock();
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

function node(hub: LocalBusHub, nodeId: string) {
  const views = new Map<string, LineProcessView>();
  const live: string[] = [];
  const shared = new SharedViews({
    ...{ nodeId, bus: hub.connect(), clock, lines: () => [...views.keys()] },
    view: (lineId) => views.get(lineId) ?? failed,
    live: { publish: ({ lineId, status }) => void live.push(`${lineId} ${status}`) },
  });
  ends.push(() => shared.close());
  return { views, live, shared };
}

const running: LineProcessView = { state: 'running', health: 'healthy', startedAt: 5, failCount: 0, worker: 'test-1' };
const failed: LineProcessView = { ...running, state: 'failed', health: 'unhealthy' };

test('how a line is can be seen from every node a second later, and by one that comes later', async () => {
  const hub = new LocalBusHub(clock);
  const [a, b] = [node(hub, 'node_a'), node(hub, 'node_b')];
  a.views.set('line_1', running);
  await clock.advance(1_000);
  expect(b.shared.of('line_1')).toEqual(running);
  expect(a.shared.of('line_1')).toBeUndefined();
  a.views.set('line_1', failed);
  await clock.advance(1_000);
  expect(b.shared.of('line_1')).toEqual(failed);
  const late = node(hub, 'node_c');
  await clock.advance(2_000);
  expect(late.shared.of('line_1')).toEqual(failed);
});

test('a live view is seen on the other nodes, once', async () => {
  const hub = new LocalBusHub(clock);
  const [a, b] = [node(hub, 'node_a'), node(hub, 'node_b')];
  const view: LiveView = {
    ...{ lineId: 'line_1', status: 'connected', reason: null, until: null, whatsappCode: null },
    ...{ phone: null, name: null, qr: null },
  };
  a.shared.tellLive(view);
  await clock.advance(0);
  expect(b.live).toEqual(['line_1 connected']);
  expect(a.live).toEqual([]);
});
