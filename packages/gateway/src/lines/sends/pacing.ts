import type { Clock } from '../../core/clock.ts';
import type { Pacing } from '../../core/pacing.ts';

export interface Pacer {
  /** Milliseconds until the next send may leave; 0 = now. */
  waitMs(): number;
  /** A send leaves now. */
  spend(): void;
}

/** True when sends leave one at a time, with gaps. */
export const isPaced = (pacing: Pacing | null): pacing is Pacing => pacing !== null && pacing.maxGapMs > 0;

/** Remembers one line's sends. `null` = no pacing (test lines). */
export function createPacer(pacing: Pacing | null, clock: Clock): Pacer {
  if (!isPaced(pacing)) return { waitMs: () => 0, spend: () => {} };
  const { minGapMs, maxGapMs, burst, pauseMs } = pacing;
  let lastAt = Number.NEGATIVE_INFINITY;
  let nextAt = Number.NEGATIVE_INFINITY;
  let left = burst;
  return {
    waitMs() {
      const now = clock.monotonic();
      if (now - lastAt >= pauseMs) left = burst;
      return left > 0 ? 0 : Math.max(0, nextAt - now);
    },
    spend() {
      const now = clock.monotonic();
      if (now - lastAt >= pauseMs) left = burst;
      left = Math.max(0, left - 1);
      lastAt = now;
      nextAt = now + minGapMs + Math.round(clock.random() * (maxGapMs - minGapMs));
    },
  };
}
