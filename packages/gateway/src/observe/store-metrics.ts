import { Histogram, type Registry } from 'prom-client';

export interface StoreMetrics {
  /** A transaction was committed; from its begin to the end of its commit. */
  committed(durability: string, durationMs: number): void;
}

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];

export function createStoreMetrics(registry: Registry): StoreMetrics {
  const duration = new Histogram({
    name: 'ponte_database_transaction_seconds',
    help: 'Transactions from their begin to the end of their commit, by durability.',
    labelNames: ['durability'],
    buckets: SECONDS,
    registers: [registry],
  });
  return { committed: (durability, durationMs) => duration.observe({ durability }, durationMs / 1_000) };
}
