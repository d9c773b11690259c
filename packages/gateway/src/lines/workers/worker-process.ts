import type { Clock } from '../../core/clock.ts';
import { createLogger, type Log } from '../../observe/logger.ts';
import type { Spans } from '../../observe/spans.ts';
import { createProcessMetrics, type ProcessMetrics } from '../../observe/worker-metrics.ts';
import type { Store } from '../../store/db/store.ts';
import { Worker, type WorkerOptions } from './worker.ts';
import { type FromWorker, LEASES_OVER_CODE, type ToWorker, type WorkerSetup } from './worker-protocol.ts';

export interface WorkerProcessOptions {
  clock: Clock;
  /** Opens what the worker runs on. */
  open(
    setup: WorkerSetup,
    log: Log,
    metrics: ProcessMetrics,
  ): Promise<Pick<WorkerOptions, 'store' | 'ring' | 'factory' | 'files' | 'spans'>>;
}

/** On SIGTERM to the worker alone; the supervisor starts another one. */
const TERM_WITHIN_MS = 5_000;

/**
 * Makes this process a worker: waits for its setup over IPC, hosts lines until it is told to drain,
 * then exits 0. When the channel closes the main process is gone: it exits at once, because another
 * one may be hosting the same lines already (everything promised is in the store). An unhandled
 * rejection or exception leaves an unknown state: it is logged and the process exits 1.
 */
export function runWorkerProcess(options: WorkerProcessOptions): void {
  let log: Log | undefined;
  let worker: Promise<{ worker: Worker; store: Store; spans?: Spans }> | undefined;
  let isDraining = false;

  const die = (error: unknown) => {
    log?.error({ error }, 'unhandled failure; the worker ends');
    if (!log) process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  };
  process.on('unhandledRejection', die);
  process.on('uncaughtException', die);
  process.on('disconnect', () => process.exit(isDraining ? 0 : 1));
  // Ctrl-C reaches the whole process group; the main process decides what happens then.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => drain(TERM_WITHIN_MS));

  function drain(timeoutMs: number): void {
    if (isDraining) return;
    isDraining = true;
    // Nothing may hold the exit up.
    options.clock.after(timeoutMs, () => process.exit(1));
    void (async () => {
      const running = await worker;
      await running?.worker.close(timeoutMs);
      await running?.store.close();
      await running?.spans?.close();
      process.exit(0);
    })();
  }

  process.on('message', (raw) => {
    const message = raw as ToWorker;
    if (message.type === 'setup') {
      log = createLogger({ level: message.setup.logLevel, process: message.setup.worker });
      worker ??= begin(options, message.setup, log);
    } else if (message.type === 'drain') {
      drain(message.timeoutMs);
    } else {
      void worker?.then((running) => running.worker.receive(message));
    }
  });
}

async function begin(options: WorkerProcessOptions, setup: WorkerSetup, log: Log) {
  const metrics = createProcessMetrics();
  const { store, ...parts } = await options.open(setup, log, metrics);
  const channel = { send: (message: FromWorker) => void process.send?.(message, undefined, undefined, () => {}) };
  const onLeasesOver = () => {
    log.error({}, 'the leases of this node are over; its lines end at once, and so does this worker');
    process.exit(LEASES_OVER_CODE);
  };
  const worker = new Worker({ setup, channel, store, ...parts, clock: options.clock, log, metrics, onLeasesOver });
  worker.start();
  return { worker, store, spans: parts.spans };
}
