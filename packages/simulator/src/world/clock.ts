/** A pending call of a {@link Clock}; cancelling one that already ran does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as the simulated network sees it. Everything that a test may want to move forward asks a
 * clock, never `Date`.
 */
export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /**
   * Runs `work` once, when `delayMs` have passed on this clock (at once, but never synchronously,
   * for 0 or less).
   */
  after(delayMs: number, work: () => void): Timer;
}

/** Seconds since 1970, as WhatsApp's `t` attributes carry them. */
export function nowSeconds(clock: Clock): number {
  return Math.floor(clock.nowMs() / 1000);
}

interface Pending {
  dueMs: number;
  order: number;
  work: () => void;
  /** Absent while the clock stands still. */
  handle: NodeJS.Timeout | undefined;
}

/**
 * The machine's time plus an offset that a test can grow: `advance(3 h)` makes everything that
 * waits for less than three hours happen now, in the order it was due. Time never goes backwards by
 * it. `close()` forgets all pending timers.
 */
export class SystemClock implements Clock {
  readonly #isStill: boolean;
  #offsetMs: number;
  #order = 0;
  readonly #pending = new Set<Pending>();

  /**
   * `startMs` (milliseconds since 1970): it is then now, and stays then until it is advanced;
   * nothing is due before that.
   */
  constructor(options: { startMs?: number } = {}) {
    this.#isStill = options.startMs !== undefined;
    this.#offsetMs = options.startMs ?? 0;
  }

  nowMs(): number {
    return this.#isStill ? this.#offsetMs : Date.now() + this.#offsetMs;
  }

  after(delayMs: number, work: () => void): Timer {
    const waitMs = Math.max(0, delayMs);
    const pending: Pending = {
      dueMs: this.nowMs() + waitMs,
      order: this.#order++,
      work,
      handle: this.#isStill ? undefined : setTimeout(() => this.#run(pending), Math.min(waitMs, 0x7fffffff)),
    };
    this.#pending.add(pending);
    return {
      cancel: () => {
        clearTimeout(pending.handle);
        this.#pending.delete(pending);
      },
    };
  }

  /** Moves the time forward and runs what became due, earliest first, before it returns. */
  advance(byMs: number): void {
    if (!(byMs >= 0)) throw new RangeError(`clock: cannot advance by ${byMs} ms; give a number of 0 or more`);
    const untilMs = this.nowMs() + byMs;
    for (;;) {
      const next = this.#earliest(untilMs);
      if (!next) break;
      this.#offsetMs += Math.max(0, next.dueMs - this.nowMs());
      clearTimeout(next.handle);
      this.#run(next);
    }
    this.#offsetMs += Math.max(0, untilMs - this.nowMs());
  }

  close(): void {
    for (const pending of this.#pending) clearTimeout(pending.handle);
    this.#pending.clear();
  }

  #earliest(untilMs: number): Pending | undefined {
    let best: Pending | undefined;
    for (const p of this.#pending) {
      if (p.dueMs > untilMs) continue;
      if (!best || p.dueMs < best.dueMs || (p.dueMs === best.dueMs && p.order < best.order)) best = p;
    }
    return best;
  }

  #run(pending: Pending): void {
    if (this.#pending.delete(pending)) pending.work();
  }
}
