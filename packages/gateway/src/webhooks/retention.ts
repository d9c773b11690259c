import { expirePending, pruneDeliveries } from '../store/delivery-queue.ts';
import type { Store, Tx } from '../store/store.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;
/** How long the log keeps what ended well, and how long what waits may wait. */
export const KEEP_MS = 14 * DAY_MS;
/** How long a dead letter can be replayed. */
export const KEEP_DEAD_MS = 30 * DAY_MS;
/** Batches of one sweep; the rest waits for the next, so that a sweep never holds up deliveries for long. */
const MAX_BATCHES = 200;

/** Deletes what is past its time, in small transactions. Ages are those of the events. Answers whether it got to the end. */
export async function sweepDeliveries(
  store: Store,
  now: number,
  isStopped: () => boolean = () => false,
): Promise<boolean> {
  const steps: ((tx: Tx) => Promise<boolean>)[] = [
    (tx) => expirePending(tx.db, now - KEEP_MS, now),
    (tx) => pruneDeliveries(tx.db, ['delivered', 'skipped'], now - KEEP_MS),
    (tx) => pruneDeliveries(tx.db, ['dead', 'expired'], now - KEEP_DEAD_MS),
  ];
  for (const step of steps) {
    let more = true;
    for (let batch = 0; more; batch += 1) {
      if (batch === MAX_BATCHES || isStopped()) return false;
      more = await store.transaction(step, 'normal');
    }
  }
  return true;
}
