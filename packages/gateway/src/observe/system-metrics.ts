import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { CanaryFigures } from '../core/canary.ts';
import { formatVersion, type KnownVersion } from '../core/client-version.ts';

/** One group of equal lines. */
export interface LineCount {
  mode: string;
  status: string;
  /** `none` when the status needs no reason. */
  reason: string;
  count: number;
}

/** A process that hosts lines, as it last told. */
export interface WorkerFigures {
  worker: string;
  lines: number;
  residentBytes: number;
  heapBytes: number;
  loopLagMs: number;
  cpuSeconds: number;
}

export interface Backlog {
  count: number;
  oldestAgeSeconds: number;
}

/** Asked at every scrape. A source that fails leaves its gauges out of that scrape. */
export interface SystemSources {
  lines(): LineCount[];
  workers(): WorkerFigures[];
  /** Crashes of workers since this process began. */
  workerCrashes(): number;
  /** Accepted sends that have not ended and are due. */
  sendsWaiting(): Promise<Backlog>;
  /** Received stanzas that are not in the journal yet. */
  inboxWaiting(): Promise<Backlog>;
  /** Bytes of the database, and of SQLite's write-ahead log (0 on PostgreSQL). */
  databaseBytes(): Promise<{ size: number; wal: number }>;
  /** The version of WhatsApp Web that live lines announce; undefined: not known here. */
  clientVersion(): KnownVersion | undefined;
  /** Of the line that writes to itself; undefined: there is none. */
  canary(): CanaryFigures | undefined;
}

/** More workers than this (dedicated isolation) are shown together as `other`. */
const MAX_WORKERS_NAMED = 64;

/** Gauges about the whole installation, read at every scrape. */
export function createSystemMetrics(
  registry: Registry,
  build: { version: string; node: string },
): { watch(sources: SystemSources): void } {
  let sources: SystemSources | undefined;
  const registers = [registry];
  new Gauge({
    name: 'ponte_build_info',
    help: 'Always 1; what is running stands in the labels.',
    labelNames: ['version', 'node'],
    registers,
  }).set(build, 1);
  new Gauge({
    name: 'ponte_lines',
    help: 'Lines by mode, status and the reason of that status.',
    labelNames: ['mode', 'status', 'reason'],
    registers,
    collect() {
      this.reset();
      for (const { mode, status, reason, count } of sources?.lines() ?? []) {
        this.inc({ mode, status, reason }, count);
      }
    },
  });
  clientVersionGauges(registry, () => sources?.clientVersion());
  canaryGauges(registry, () => sources?.canary());
  workerGauges(registry, () => sources?.workers() ?? []);
  new Counter({
    name: 'ponte_worker_crashes_total',
    help: 'Worker processes that ended unasked.',
    registers,
    collect() {
      this.reset();
      this.inc(sources?.workerCrashes() ?? 0);
    },
  });
  backlogGauges(registry, 'ponte_sends', 'Accepted sends that are due and have not ended', () =>
    sources?.sendsWaiting(),
  );
  backlogGauges(registry, 'ponte_inbox', 'Received stanzas that are not in the journal yet', () =>
    sources?.inboxWaiting(),
  );
  const bytes = shared(() => sources?.databaseBytes());
  new Gauge({
    name: 'ponte_database_size_bytes',
    help: 'Size of the database.',
    registers,
    async collect() {
      setOrLeaveOut(this, (await bytes())?.size);
    },
  });
  new Gauge({
    name: 'ponte_database_wal_bytes',
    help: "Size of SQLite's write-ahead log; 0 on PostgreSQL.",
    registers,
    async collect() {
      setOrLeaveOut(this, (await bytes())?.wal);
    },
  });
  return {
    watch(next) {
      sources = next;
    },
  };
}

function workerGauges(registry: Registry, workers: () => WorkerFigures[]): void {
  const gauges: { name: string; help: string; of(worker: WorkerFigures): number }[] = [
    { name: 'ponte_worker_lines', help: 'Lines that a worker hosts.', of: ({ lines }) => lines },
    {
      name: 'ponte_worker_resident_memory_bytes',
      help: 'Resident memory of a worker.',
      of: ({ residentBytes }) => residentBytes,
    },
    { name: 'ponte_worker_heap_bytes', help: 'Heap in use of a worker.', of: ({ heapBytes }) => heapBytes },
    {
      name: 'ponte_worker_event_loop_lag_seconds',
      help: 'Event loop lag of a worker, 99th percentile of its last heartbeat.',
      of: ({ loopLagMs }) => loopLagMs / 1_000,
    },
  ];
  const named = () =>
    workers().map((figures, index) => ({
      worker: index < MAX_WORKERS_NAMED ? figures.worker : 'other',
      figures,
    }));
  for (const { name, help, of } of gauges) {
    new Gauge({
      name,
      help,
      labelNames: ['worker'],
      registers: [registry],
      collect() {
        this.reset();
        for (const { worker, figures } of named()) this.inc({ worker }, of(figures));
      },
    });
  }
  new Counter({
    name: 'ponte_worker_cpu_seconds_total',
    help: 'CPU time that a worker process has used.',
    labelNames: ['worker'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { worker, figures } of named()) this.inc({ worker }, figures.cpuSeconds);
    },
  });
}

/** Gauges of one scrape that need the same answer ask once. Undefined when asking failed. */
function shared<T>(ask: () => Promise<T> | undefined): () => Promise<T | undefined> {
  let asked: Promise<T | undefined> | undefined;
  return () => {
    asked ??= (async () => ask())()
      .catch(() => undefined)
      .finally(() => {
        asked = undefined;
      });
    return asked;
  };
}

function setOrLeaveOut(gauge: Gauge, value: number | undefined): void {
  if (value === undefined) gauge.remove();
  else gauge.set(value);
}

function backlogGauges(registry: Registry, name: string, what: string, ask: () => Promise<Backlog> | undefined): void {
  const backlog = shared(ask);
  new Gauge({
    name: `${name}_waiting`,
    help: `${what}.`,
    registers: [registry],
    async collect() {
      setOrLeaveOut(this, (await backlog())?.count);
    },
  });
  new Gauge({
    name: `${name}_oldest_waiting_seconds`,
    help: `${what}: age of the oldest, 0 when there is none.`,
    registers: [registry],
    async collect() {
      setOrLeaveOut(this, (await backlog())?.oldestAgeSeconds);
    },
  });
}

export interface HttpMetrics {
  answered(done: { method: string; route: string; status: number; durationMs: number }): void;
}

const HTTP_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** By route template, so that the number of series is bounded by the route tables. */
export function createHttpMetrics(registry: Registry): HttpMetrics {
  const registers = [registry];
  const total = new Counter({
    name: 'ponte_http_requests_total',
    help: 'Requests answered, by method, route template and status.',
    labelNames: ['method', 'route', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'ponte_http_request_seconds',
    help: 'Time until a request was answered, by route template.',
    labelNames: ['route'],
    buckets: HTTP_SECONDS,
    registers,
  });
  return {
    answered({ method, route, status, durationMs }) {
      total.inc({ method, route, status: String(status) });
      duration.observe({ route }, durationMs / 1_000);
    },
  };
}

/** Absent values (never fetched, no end told) leave their gauge out. */
function clientVersionGauges(registry: Registry, known: () => KnownVersion | undefined): void {
  const registers = [registry];
  new Gauge({
    name: 'ponte_whatsapp_version_info',
    help: 'Always 1; the version of WhatsApp Web that live lines announce, and its source.',
    labelNames: ['version', 'source'],
    registers,
    collect() {
      this.reset();
      const now = known();
      if (now) this.set({ version: formatVersion(now.version), source: now.source }, 1);
    },
  });
  for (const [name, help, pick] of [
    ['ponte_whatsapp_version_fetched_timestamp_seconds', 'When WhatsApp’s page last named a version.', 'fetchedAt'],
    ['ponte_whatsapp_version_expires_timestamp_seconds', 'When WhatsApp stops taking this version.', 'expiresAt'],
  ] as const) {
    new Gauge({
      name,
      help: `${help} Missing while that is not known.`,
      // A label, so that a gauge without a value is left out instead of 0.
      labelNames: ['network'],
      registers,
      collect() {
        this.reset();
        const at = known()?.[pick];
        if (at != null) this.set({ network: 'live' }, at / 1_000);
      },
    });
  }
}

/** Without a canary, neither has a value. */
function canaryGauges(registry: Registry, figures: () => CanaryFigures | undefined): void {
  const registers = [registry];
  new Gauge({
    name: 'ponte_canary_last_success_timestamp_seconds',
    help: 'When the canary line last got its own message acknowledged and received. Missing while it never did.',
    labelNames: ['line'],
    registers,
    collect() {
      this.reset();
      const canary = figures();
      if (canary?.lastSuccessAt != null) this.set({ line: canary.lineId }, canary.lastSuccessAt / 1_000);
    },
  });
  new Counter({
    name: 'ponte_canary_failures_total',
    help: 'Messages of the canary line to itself that were not acknowledged and received within two minutes.',
    labelNames: ['line'],
    registers,
    collect() {
      this.reset();
      const canary = figures();
      if (canary) this.inc({ line: canary.lineId }, canary.failures);
    },
  });
}
