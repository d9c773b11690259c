import { type Clock, stayAwake, systemClock } from '../core/clock.ts';
import type { Log } from '../observe/logger.ts';
import { pruneRateWindows } from '../store/access/rate-windows.ts';
import type { Store, Tx } from '../store/db/store.ts';
import { sweepTombstones } from '../store/engine/inbox.ts';
import { pruneEvents } from '../store/journal/event-log.ts';
import { sweepKept } from '../store/lines/kept-keys.ts';
import { pruneTraffic } from '../store/lines/traffic.ts';
import { KEEP_READERS_MS, pruneReaders } from '../store/messages/readers.ts';
import { expirePending, pruneDeliveries } from '../store/webhooks/delivery-queue.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** How long the log keeps what ended well, and how long what waits may wait. */
export const KEEP_MS = 14 * DAY_MS;
/** How long a dead letter can be replayed. */
export const KEEP_DEAD_MS = 30 * DAY_MS;
/**
 * How long events are kept: longer than any of their deliveries can be replayed, and than a stream
 * may stay away.
 */
export const KEEP_EVENTS_MS = 35 * DAY_MS;
/**
 * Batches of one sweep; the rest waits for the next, so that a sweep never holds up deliveries for
 * long.
 */
const MAX_BATCHES = 2_000;
/**
 * After each batch the database belongs to the others for so many times as long as it took: who
 * receives and sends meanwhile waits for one small batch at most, and seldom.
 */
const PAUSE_PER_BATCH = 4;
const LONGEST_PAUSE_MS = 200;

/**
 * Deletes what is past its time, in small transactions. Ages are those of the events. Answers
 * whether it got to the end.
 */
export async function sweepDeliveries(
  store: Store,
  now: number,
  isStopped: () => boolean = () => false,
): Promise<boolean> {
  let tombstonesTo = 0;
  const steps: ((tx: Tx) => Promise<boolean>)[] = [
    async (tx) => {
      const { after, more } = await sweepTombstones(tx.db, now, tombstonesTo);
      tx.onCommit(() => {
        tombstonesTo = after;
      });
      return more;
    },
    (tx) => expirePending(tx.db, now - KEEP_MS, now),
    (tx) => pruneDeliveries(tx.db, ['delivered', 'skipped'], now - KEEP_MS),
    (tx) => pruneDeliveries(tx.db, ['dead', 'expired'], now - KEEP_DEAD_MS),
    (tx) => pruneTraffic(tx.db, now),
    (tx) => pruneEvents(tx.db, now - KEEP_EVENTS_MS),
    (tx) => pruneReaders(tx.db, now - KEEP_READERS_MS),
    (tx) => sweepKept(tx.db, now),
    async (tx) => {
      if (store.engine === 'postgres') await pruneRateWindows(tx.db, DAY_MS);
      return false;
    },
  ];
  for (const step of steps) {
    let more = true;
    for (let batch = 0; more; batch += 1) {
      if (batch === MAX_BATCHES || isStopped()) return false;
      const from = systemClock.monotonic();
      more = await store.transaction(step, 'normal');
      const pauseMs = PAUSE_PER_BATCH * (systemClock.monotonic() - from);
      if (more) await stayAwake(Math.min(pauseMs, LONGEST_PAUSE_MS));
    }
  }
  return true;
}

const FIRST_SWEEP_MS = 5 * 60_000;
const SWEEP_EVERY_MS = 60 * 60_000;
/** When a sweep did not get to the end, the next one comes soon. */
const SWEEP_AGAIN_MS = 60_000;
/** Another node does it: how soon to see whether that changed. */
const NOT_OURS_MS = 10 * 60_000;

export interface Retention {
  start(): void;
  /** Ends after the batch that is under way. */
  close(): Promise<void>;
}

/**
 * Sweeps once an hour, while `isOurs` (of a fleet, one node does it). A sweep that fails is said in
 * the log and tried again at the next one.
 */
export function createRetention(deps: { store: Store; clock: Clock; log: Log; isOurs?: () => boolean }): Retention {
  const { store, clock, log, isOurs = () => true } = deps;
  let isClosed = false;
  let running: Promise<void> = Promise.resolve();
  let cancel = () => {};
  const sweep = async () => {
    let nextMs = SWEEP_EVERY_MS;
    if (!isOurs()) return schedule(NOT_OURS_MS);
    try {
      if (!(await sweepDeliveries(store, clock.now(), () => isClosed))) nextMs = SWEEP_AGAIN_MS;
    } catch (error) {
      log.error({ error }, 'deleting old deliveries failed');
    }
    schedule(nextMs);
    return undefined;
  };
  const schedule = (delayMs: number) => {
    if (isClosed) return;
    cancel = clock.after(delayMs, () => {
      running = sweep();
    });
  };
  return {
    start: () => schedule(FIRST_SWEEP_MS),
    async close() {
      isClosed = true;
      cancel();
      await running;
    },
  };
}
