import type { RawSqlite } from './raw-sqlite.ts';
import { isBusy, whenFree } from './sqlite-busy.ts';

/** Longest batch: bounds how long the event loop stands still. */
const MAX_BATCH = 200;

interface Job {
  writes: boolean;
  work(): unknown;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Runs synchronous work on the bare connection, in the order of the calls. */
export type RunJob = <T>(work: (raw: RawSqlite) => T, access: 'read' | 'write') => Promise<T>;

/**
 * Group commit: jobs that wait at the same moment share one transaction, and so one write to the
 * disk; each promise resolves after that commit. A job that throws takes back its own changes and
 * nobody else's. `alone` gives the connection to one holder at a time.
 */
export function createJobQueue(raw: RawSqlite, alone: (work: () => Promise<void>) => Promise<void>): RunJob {
  const waiting: Job[] = [];
  let isRunning = false;
  // Called inside the batch's transaction it works in a savepoint; alone it begins (and commits)
  // its own transaction.
  const runJob = raw.transaction((job: Job) => job.work());
  const runAll = raw.transaction((jobs: Job[]) => jobs.map((job) => settlementOf(job)));

  function settlementOf(job: Job): () => void {
    try {
      const value = runJob(job);
      return () => job.resolve(value);
    } catch (error) {
      // A full disk and its like end the whole transaction: what came before this job is gone too.
      // And what another process's lock refused is tried again by whoever runs the batch.
      if (!raw.inTransaction || isBusy(error)) throw error;
      return () => job.reject(error);
    }
  }

  /** Settles nothing before the commit, so that a batch that was refused can be run again. */
  function runBatch(jobs: Job[]): (() => void)[] {
    const [first] = jobs;
    const hasWrites = jobs.some((job) => job.writes);
    if (first && jobs.length === 1) {
      const value = hasWrites ? runJob.immediate(first) : first.work();
      return [() => first.resolve(value)];
    }
    return hasWrites ? runAll.immediate(jobs) : runAll.deferred(jobs);
  }

  async function settleBatch(jobs: Job[]): Promise<void> {
    try {
      for (const settle of await whenFree(() => runBatch(jobs))) settle();
    } catch (error) {
      for (const job of jobs) job.reject(error);
    }
  }

  async function drain(): Promise<void> {
    isRunning = true;
    while (waiting.length > 0) {
      try {
        // Taken when the connection is ours: whoever came meanwhile travels with this batch.
        await alone(() => settleBatch(waiting.splice(0, MAX_BATCH)));
      } catch (error) {
        // No connection (the store is closed): nothing of what waits was written.
        for (const job of waiting.splice(0)) job.reject(error);
      }
    }
    isRunning = false;
  }

  return <T>(work: (raw: RawSqlite) => T, access: 'read' | 'write') =>
    new Promise<T>((resolve, reject) => {
      waiting.push({
        writes: access === 'write',
        work: () => work(raw),
        resolve: (value) => resolve(value as T),
        reject,
      });
      if (!isRunning) void drain();
    });
}
