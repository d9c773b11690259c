import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from './clock.ts';

/** What a start leaves behind is garbage by then, and no request waits for an answer any more. */
const AFTER_MS = 10_000;
/** V8 empties its spaces in the first collection, and lets go of them in the next. */
const AGAIN_MS = 3_000;

/**
 * Gives back what only the start of this process needed, some tens of megabytes that V8 would hold
 * on to for as long as little happens: two full collections, once. Each stops the process for as
 * long as it takes to look through what is left (about a millisecond for each megabyte).
 */
export function giveBackAfterStart(clock: Clock): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  clock.after(AFTER_MS, () => {
    collect();
    clock.after(AGAIN_MS, collect);
  });
}
