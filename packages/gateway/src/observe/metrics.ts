import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { createStreamMetrics, type StreamMetrics } from './stream-metrics.ts';
import { createHttpMetrics, createSystemMetrics, type HttpMetrics, type SystemSources } from './system-metrics.ts';
import { createProcessMetrics, MetricsSum, type ProcessMetrics } from './worker-metrics.ts';

/** How a delivery attempt ended, for counting. */
export type AttemptOutcome = 'delivered' | 'retry' | 'dead' | 'gone';

export interface DeliveryMetrics {
  attempted(outcome: AttemptOutcome, durationMs: number): void;
  /** The first attempt for an event was answered with success; since the event was committed. */
  deliveredFirst(sinceEventMs: number): void;
  /** A delivery that ended without an attempt. */
  closed(state: 'expired' | 'skipped'): void;
  /** Who knows what waits; asked at every scrape. */
  watch(source: PendingSource): void;
}

export interface PendingSource {
  pending(): Promise<{ count: number; oldestAgeSeconds: number }>;
  inFlight(): number;
}

export interface Metrics {
  /** Text in the Prometheus exposition format. */
  text(): Promise<string>;
  readonly contentType: string;
  readonly registry: Registry;
  readonly deliveries: DeliveryMetrics;
  readonly streams: StreamMetrics;
  readonly http: HttpMetrics;
  /** What this process counts itself, under the names that workers count under too. */
  readonly process: ProcessMetrics;
  /** What the workers count. */
  readonly workers: MetricsSum;
  /** Who knows what is asked at every scrape. */
  watch(sources: SystemSources): void;
}

/** Seconds; from loopback to the time limit of an attempt. */
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];

function createDeliveryMetrics(registry: Registry): DeliveryMetrics {
  const registers = [registry];
  let source: PendingSource | undefined;
  const total = new Counter({
    name: 'ponte_deliveries_total',
    help: 'Webhook delivery attempts by outcome, and deliveries closed without one (expired, skipped).',
    labelNames: ['outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'ponte_delivery_attempt_seconds',
    help: 'Duration of webhook delivery attempts, from the request to the end of the answer.',
    buckets: DURATION_BUCKETS,
    registers,
  });
  const end2end = new Histogram({
    name: 'ponte_event_delivery_seconds',
    help: 'From the commit of an event to the answer of a webhook that took it at the first attempt.',
    buckets: DURATION_BUCKETS,
    registers,
  });
  // Both gauges of one scrape share one question.
  let asked: ReturnType<PendingSource['pending']> | undefined;
  const pending = async () => {
    if (!source) return { count: 0, oldestAgeSeconds: 0 };
    asked ??= source.pending().finally(() => {
      asked = undefined;
    });
    return asked;
  };
  new Gauge({
    name: 'ponte_deliveries_oldest_pending_seconds',
    help: 'Age of the oldest delivery that waits for an enabled webhook; 0 when none does.',
    registers,
    async collect() {
      this.set((await pending()).oldestAgeSeconds);
    },
  });
  new Gauge({
    name: 'ponte_deliveries_pending',
    help: 'Deliveries that wait for enabled webhooks, retries included.',
    registers,
    async collect() {
      this.set((await pending()).count);
    },
  });
  new Gauge({
    name: 'ponte_deliveries_in_flight',
    help: 'Webhook requests under way in this process.',
    registers,
    collect() {
      this.set(source?.inFlight() ?? 0);
    },
  });
  return {
    attempted(outcome, durationMs) {
      total.inc({ outcome });
      duration.observe(durationMs / 1_000);
    },
    deliveredFirst: (sinceEventMs) => end2end.observe(Math.max(0, sinceEventMs) / 1_000),
    closed: (state) => total.inc({ outcome: state }),
    watch(next) {
      source = next;
    },
  };
}

const MISNAMED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];

/** The metrics of one process, in a registry of their own. */
export function createMetrics(version = 'unknown'): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  // Gauges whose names say that they are counters; their `_resources` twins say the same by type.
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  const deliveries = createDeliveryMetrics(registry);
  const streams = createStreamMetrics(registry);
  const own = createProcessMetrics();
  const workers = new MetricsSum();
  const system = createSystemMetrics(registry, { version, node: process.versions.node });
  return {
    registry,
    deliveries,
    streams,
    http: createHttpMetrics(registry),
    process: own,
    workers,
    watch: system.watch,
    contentType: registry.contentType,
    async text() {
      return `${await registry.metrics()}\n${await workers.text(await own.snapshot())}`;
    },
  };
}

/** Metrics that go nowhere, for tools and tests. */
export const noDeliveryMetrics: DeliveryMetrics = {
  attempted: () => {},
  deliveredFirst: () => {},
  closed: () => {},
  watch: () => {},
};

/** Delivery metrics that also call `onAttempt`. */
export const watchedDeliveries = (metrics: DeliveryMetrics, onAttempt: () => void): DeliveryMetrics => ({
  ...metrics,
  attempted(outcome, durationMs) {
    metrics.attempted(outcome, durationMs);
    onAttempt();
  },
});
