import type { Clock } from '../../core/clock.ts';

/** How much longer than the even gap a gap may be; 500 lines at 20 a second need 27.5 s. */
const JITTER = 0.2;

/**
 * Spaces the connects of one process, first come first served: a thousand lines that start or drop
 * together do not log in together.
 */
export interface ConnectGate {
  /** Resolves when it is this line's turn, or at once when `signal` is aborted. */
  turn(signal: AbortSignal): Promise<void>;
}

/**
 * At most `perSecond` connects in any second, each 1 to 1.2 of the even gap behind the one before:
 * what many lines do together is never in step. 0 = no limit.
 */
export function createConnectGate(perSecond: number, clock: Clock): ConnectGate {
  const gapMs = perSecond > 0 ? 1_000 / perSecond : 0;
  let nextAt = Number.NEGATIVE_INFINITY;
  return {
    async turn(signal) {
      if (gapMs === 0) return;
      const now = clock.monotonic();
      const at = Math.max(now, nextAt);
      nextAt = at + gapMs * (1 + JITTER * clock.random());
      if (at > now) await clock.sleep(at - now, signal);
    },
  };
}
