import { type ELDHistogram, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { WorkerStats } from '../../core/line-commands.ts';

/** How finely the event loop is measured. */
const RESOLUTION_MS = 20;

/** Measures this process. */
export class ProcessMeter {
  readonly #worker: string;
  readonly #delay: ELDHistogram;
  readonly #collections: PerformanceObserver;
  #gcCycles = 0;

  constructor(worker: string) {
    this.#worker = worker;
    this.#collections = new PerformanceObserver((list) => {
      this.#gcCycles += list.getEntries().length;
    });
    this.#collections.observe({ entryTypes: ['gc'] });
    this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    this.#delay.enable();
  }

  /**
   * Lag is the 99th percentile since the last reset; Node's figure includes the sampling interval
   * itself, which is taken off.
   */
  read(linesInWorker: number): WorkerStats {
    const { heapUsed, heapTotal, rss } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const p99Ms = this.#delay.count > 0 ? this.#delay.percentile(99) / 1e6 : RESOLUTION_MS;
    return {
      worker: this.#worker,
      linesInWorker,
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      rssBytes: rss,
      cpuSeconds: (user + system) / 1e6,
      gcCycles: this.#gcCycles,
      totalAllocatedBytes: totalAllocatedBytes(),
      eventLoopLagMs: Math.max(0, Math.round((p99Ms - RESOLUTION_MS) * 100) / 100),
    };
  }

  reset(): void {
    this.#delay.reset();
  }

  stop(): void {
    this.#delay.disable();
    this.#collections.disconnect();
  }
}

/**
 * V8 counts it since Node 25 (`total_allocated_bytes`); the types of older versions do not know the
 * name.
 */
function totalAllocatedBytes(): number | null {
  const figure: unknown = Reflect.get(getHeapStatistics(), 'total_allocated_bytes');
  return typeof figure === 'number' ? figure : null;
}
