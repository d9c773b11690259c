import { setImmediate as loopTurn } from 'node:timers/promises';
import type { Clock } from '../../core/clock.ts';

/** Longest stretch of database work before timers, sockets and signals get their turn. */
const STRETCH_MS = 10;

/**
 * SQLite answers synchronously, so a chain of queries runs in one turn of the event loop, however
 * long it gets: a backlog of a thousand messages would keep heartbeats, acknowledgements and other
 * lines waiting until its end. A caller that awaits the answer before each piece of work lets the
 * loop turn once per stretch.
 */
export function createBreathingSpace(clock: Pick<Clock, 'monotonic'>): () => Promise<void> | undefined {
  let since = clock.monotonic();
  let turning: Promise<void> | undefined;
  return () => {
    if (clock.monotonic() - since < STRETCH_MS) return undefined;
    turning ??= loopTurn().then(() => {
      turning = undefined;
      since = clock.monotonic();
    });
    return turning;
  };
}
