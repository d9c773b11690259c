import type { Clock } from '../core/clock.ts';

/** How far apart a line's sends leave. */
export interface Pacing {
  minGapMs: number;
  maxGapMs: number;
  /** So many may leave without a gap after a pause. */
  burst: number;
  /** A silence this long is a pause. */
  pauseMs: number;
}

/** Lines API, "Pacing": a random 1–3 s between sends, a burst of 5 after a pause. */
export const DEFAULT_PACING: Pacing = { minGapMs: 1_000, maxGapMs: 3_000, burst: 5, pauseMs: 10_000 };

export interface Pacer {
  /** Milliseconds until the next send may leave; 0 = now. */
  waitMs(): number;
  /** A send leaves now. */
  spend(): void;
}

/** Remembers one line's sends. `null` = no pacing (test lines). */
export function createPacer(pacing: Pacing | null, clock: Clock): Pacer {
  if (!pacing) return { waitMs: () => 0, spend: () => {} };
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
