import type { Clock } from '../../core/clock.ts';

/**
 * Spaces the connects of one process, first come first served: a thousand lines that start or drop
 * together do not log in together.
 */
export interface ConnectGate {
  /** Resolves when it is this line's turn, or at once when `signal` is aborted. */
  turn(signal: AbortSignal): Promise<void>;
}

/**
 * `perSecond` connects on the average, each half to one and a half of the even gap behind the one
 * before: nothing that many lines do together comes in step. 0 = no limit.
 */
export function createConnectGate(perSecond: number, clock: Clock): ConnectGate {
  const gapMs = perSecond > 0 ? 1_000 / perSecond : 0;
  let nextAt = Number.NEGATIVE_INFINITY;
  return {
    async turn(signal) {
      if (gapMs === 0) return;
      const now = clock.monotonic();
      const at = Math.max(now, nextAt);
      nextAt = at + gapMs * (0.5 + clock.random());
      if (at > now) await clock.sleep(at - now, signal);
    },
  };
}
