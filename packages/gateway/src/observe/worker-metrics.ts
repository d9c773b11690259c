import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client';
import type { Mode } from '../core/lines.ts';
import { createLineMetrics, type LineMetrics } from './line-metrics.ts';
import { createStoreMetrics, type StoreMetrics } from './store-metrics.ts';

/** A process's counts at one moment, as plain data that crosses process borders. */
export type MetricsSnapshot = MetricObjectWithValues<MetricValue<string>>[];

/** What is counted in every process that hosts lines or writes the database. */
export interface ProcessMetrics {
  lines(mode: Mode): LineMetrics;
  readonly store: StoreMetrics;
  snapshot(): Promise<MetricsSnapshot>;
}

export function createProcessMetrics(): ProcessMetrics {
  const registry = new Registry();
  return {
    lines: createLineMetrics(registry),
    store: createStoreMetrics(registry),
    snapshot: async () => (await registry.getMetricsAsJSON()) as unknown as MetricsSnapshot,
  };
}

/**
 * Adds up the counts of several processes, those that have ended included, so that a counter never
 * goes back because a worker was replaced. Counts since the last snapshot of a process that was
 * killed are lost.
 */
export class MetricsSum {
  readonly #running = new Map<string, MetricsSnapshot>();
  #ended: MetricsSnapshot | undefined;

  /** The newest snapshot of a running process. */
  update(name: string, snapshot: MetricsSnapshot): void {
    this.#running.set(name, snapshot);
  }

  /** The process is gone; what it counted stays. */
  async retire(name: string): Promise<void> {
    const last = this.#running.get(name);
    if (!last) return;
    this.#running.delete(name);
    this.#ended = this.#ended ? await plain(add([this.#ended, last])) : last;
  }

  /** All processes together, in the Prometheus exposition format. */
  async text(own: MetricsSnapshot): Promise<string> {
    const parts = [own, ...this.#running.values(), ...(this.#ended ? [this.#ended] : [])];
    return add(parts).metrics();
  }
}

const add = (parts: MetricsSnapshot[]): Registry => AggregatorRegistry.aggregate(parts);
const plain = async (registry: Registry): Promise<MetricsSnapshot> =>
  (await registry.getMetricsAsJSON()) as unknown as MetricsSnapshot;
