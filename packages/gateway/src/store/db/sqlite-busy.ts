import { stayAwake, systemClock } from '../../core/clock.ts';

/**
 * How long a process waits for another one's commit before it gives up (and the transaction is
 * tried again).
 */
export const BUSY_TIMEOUT_MS = 8_000;
/** Poll interval while another process holds the write lock: the first few at once, then 1–4×. */
const BUSY_LOOK_MS = 1;
const FAST_LOOKS = 4;

/** Another process holds what was asked for. */
export const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY');

/**
 * Tries again what another process's lock refused, until it is free. SQLite itself waits by
 * sleeping, which would stop everything else in this process for as long as another one's disk
 * takes to commit; so it is asked not to wait, and asked again. `work` must have changed nothing
 * when it is refused.
 */
export async function whenFree<T>(work: () => T): Promise<Awaited<T>> {
  const until = systemClock.monotonic() + BUSY_TIMEOUT_MS;
  for (let looks = 1; ; looks += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || systemClock.monotonic() > until) throw error;
    }
    await stayAwake(looks <= FAST_LOOKS ? BUSY_LOOK_MS : BUSY_LOOK_MS * (1 + 3 * systemClock.random()));
  }
}
