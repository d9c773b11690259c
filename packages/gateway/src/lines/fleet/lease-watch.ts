import type { Clock } from '../../core/clock.ts';

/** Poll interval of the clock. */
const LOOK_MS = 250;
/** From the start of a worker to the first word of its main process. */
const FIRST_WORD_MS = 5_000;

/**
 * A worker's own eye on the leases of its node: when its main process has not said for too long
 * that they last, because one of the two stood still or the database is away, `onOver` is called.
 * Clocks of two processes are not compared: what is said is a time from the question on, which the
 * worker's own clock measured.
 */
export class LeaseWatch {
  readonly #clock: Clock;
  readonly #onOver: () => void;
  #deadlineMs: number;
  #cancelLook: (() => void) | undefined;

  constructor(clock: Clock, onOver: () => void) {
    this.#clock = clock;
    this.#onOver = onOver;
    this.#deadlineMs = clock.monotonic() + FIRST_WORD_MS;
  }

  /** `hasLines`: without a line there is nothing to be ended. */
  start(hasLines: () => boolean): void {
    this.#cancelLook = this.#clock.after(LOOK_MS, () => {
      if (hasLines() && this.#clock.monotonic() >= this.#deadlineMs) this.#onOver();
      else this.start(hasLines);
    });
  }

  /** The answer to a question of `askedAtMs` (our clock): the leases last for so long from then. */
  told(askedAtMs: number, forMs: number): void {
    this.#deadlineMs = Math.max(this.#deadlineMs, askedAtMs + forMs);
  }

  stop(): void {
    this.#cancelLook?.();
  }
}
