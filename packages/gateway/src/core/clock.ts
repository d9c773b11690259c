/** Time and timers. The only door to them, so that a test moves time instead of waiting. */
export interface Clock {
  /** Unix milliseconds, wall clock. */
  now(): number;
  /** Milliseconds that never go backwards; only differences mean anything. */
  monotonic(): number;
  /**
   * Runs `work` once after `delayMs`; the returned function takes it back. Does not keep the
   * process alive.
   */
  after(delayMs: number, work: () => void): () => void;
  /** Resolves after `delayMs`, or at once when `signal` is aborted. Never rejects. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** A number in [0, 1) for jitter; not for secrets. */
  random(): number;
}

/** Longest delay a timer takes (32-bit milliseconds); longer ones would fire at once. */
export const MAX_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, work) {
    const timer = setTimeout(work, Math.min(Math.max(0, delayMs), MAX_TIMER_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
  sleep(delayMs, signal) {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, Math.min(Math.max(0, delayMs), MAX_TIMER_MS));
      timer.unref();
      signal?.addEventListener('abort', done, { once: true });
    });
  },
  random: () => Math.random(),
};

/** Like `after` on the system clock, but keeps the process alive: for work that must be done. */
export function afterAwake(delayMs: number, work: () => void): () => void {
  const timer = setTimeout(work, delayMs);
  return () => clearTimeout(timer);
}

/**
 * Like `sleep` on the system clock, but keeps the process alive: for a wait in the middle of work
 * that must come to its end.
 */
export function stayAwake(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
