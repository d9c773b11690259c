import { expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';

test('counts deliveries by outcome, times attempts, and asks for what waits at every scrape', async () => {
  const metrics = createMetrics();
  const idle = await metrics.text();
  expect(idle).toContain('ponte_deliveries_pending 0');
  let count = 3;
  metrics.deliveries.watch({ pending: async () => ({ count, oldestAgeSeconds: 12.5 }), inFlight: () => 4 });
  metrics.deliveries.attempted('delivered', 20);
  metrics.deliveries.attempted('delivered', 3_000);
  metrics.deliveries.attempted('retry', 15_000);
  metrics.deliveries.closed('expired');
  const text = await metrics.text();
  expect(text).toContain('ponte_deliveries_total{outcome="delivered"} 2');
  expect(text).toContain('ponte_deliveries_total{outcome="retry"} 1');
  expect(text).toContain('ponte_deliveries_total{outcome="expired"} 1');
  expect(text).toContain('ponte_delivery_attempt_seconds_bucket{le="0.025"} 1');
  expect(text).toContain('ponte_delivery_attempt_seconds_count 3');
  expect(text).toContain('ponte_deliveries_pending 3');
  expect(text).toContain('ponte_deliveries_oldest_pending_seconds 12.5');
  expect(text).toContain('ponte_deliveries_in_flight 4');
  count = 0;
  expect(await metrics.text()).toContain('ponte_deliveries_pending 0');
});

test('two installations in one process count apart', async () => {
  const [a, b] = [createMetrics(), createMetrics()];
  a.deliveries.attempted('dead', 1);
  expect(await b.text()).not.toContain('outcome="dead"');
});
