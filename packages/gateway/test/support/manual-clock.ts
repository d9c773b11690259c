import type { Clock } from '../../src/core/clock.ts';

interface Timer {
  at: number;
  order: number;
  work: () => void;
}

/**
 * A clock that a test moves. Timers fire inside `advance`, in order of their time; `random()`
 * answers `randomValue`.
 */
export class ManualClock implements Clock {
  randomValue = 0.5;
  readonly #startedAt: number;
  #elapsedMs = 0;
  #order = 0;
  readonly #timers = new Set<Timer>();

  constructor(startedAt = Date.UTC(2026, 0, 1)) {
    this.#startedAt = startedAt;
  }

  now(): number {
    return this.#startedAt + this.#elapsedMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  random(): number {
    return this.randomValue;
  }

  after(delayMs: number, work: () => void): () => void {
    this.#order += 1;
    const timer = { at: this.#elapsedMs + Math.max(0, delayMs), order: this.#order, work };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = () => {
        cancel();
        signal?.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.after(delayMs, done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer; undefined when none waits. */
  get nextInMs(): number | undefined {
    const next = this.#next();
    return next && next.at - this.#elapsedMs;
  }

  /** Moves time; what becomes due runs, and so does what follows from it within that time. */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsedMs + ms;
    await settle();
    for (let next = this.#next(); next && next.at <= until; next = this.#next()) {
      this.#timers.delete(next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.at);
      next.work();
      await settle();
    }
    this.#elapsedMs = until;
    await settle();
  }

  /**
   * Time passes without running any timer, as when the process was stopped; what became due runs
   * with the next `advance`, late.
   */
  skip(ms: number): void {
    this.#elapsedMs += ms;
  }

  #next(): Timer | undefined {
    return [...this.#timers].sort((a, b) => a.at - b.at || a.order - b.order)[0];
  }
}

/** Lets promises that are ready run: some turns of the event loop, no waiting. */
export async function settle(turns = 5): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
