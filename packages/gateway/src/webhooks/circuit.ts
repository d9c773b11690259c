/** Requests one webhook may have under way at once. */
export const MAX_CONCURRENT = 8;
/**
 * So many failures on end, of so many different deliveries, mean that the endpoint is down and not
 * that one event is poison.
 */
const DOWN_AFTER_FAILURES = 5;
const DOWN_AFTER_DELIVERIES = 3;
const PROBE_BASE_MS = 250;
const PROBE_CAP_MS = 5_000;
/**
 * A receiver that asks for patience gets it for all its deliveries, but is asked again after this.
 */
const MAX_PAUSE_MS = 60_000;

/**
 * How much one endpoint is trusted with. Healthy: eight requests at once. Every failure halves
 * that, every success adds one. Down: one request at a time with a growing gap (at most five
 * seconds), until one succeeds. Time is monotonic milliseconds.
 */
export class Circuit {
  #window: number;
  readonly #max: number;
  #failures = 0;
  readonly #failed = new Set<number>();
  #isDown = false;
  #pausedUntil = 0;

  constructor(options: { concurrent: number; wasFailing: boolean }) {
    this.#max = options.concurrent;
    this.#window = options.wasFailing ? 1 : options.concurrent;
    this.#failures = options.wasFailing ? 1 : 0;
  }

  /** Requests it may have under way now. */
  get limit(): number {
    return this.#isDown ? 1 : this.#window;
  }

  get isDown(): boolean {
    return this.#isDown;
  }

  /** No failure since the last success. */
  get isTrusted(): boolean {
    return this.#failures === 0;
  }

  /** Until when nothing is sent. */
  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  /** Answers true when this success ends a time of being down. */
  succeeded(): boolean {
    const recovered = this.#isDown;
    this.#isDown = false;
    this.#failures = 0;
    this.#failed.clear();
    this.#pausedUntil = 0;
    this.#window = Math.min(this.#max, this.#window + 1);
    return recovered;
  }

  /**
   * `retryAfterMs`: the receiver asked to wait; that pauses the endpoint and says nothing against
   * its health.
   */
  failed(failure: { seq: number; now: number; random: number; retryAfterMs: number | undefined }): void {
    const { seq, now, random, retryAfterMs } = failure;
    if (retryAfterMs !== undefined && retryAfterMs > 0) {
      this.#pausedUntil = Math.max(this.#pausedUntil, now + Math.min(retryAfterMs, MAX_PAUSE_MS));
      return;
    }
    this.#failures += 1;
    if (this.#failed.size < DOWN_AFTER_DELIVERIES) this.#failed.add(seq);
    this.#window = Math.max(1, Math.floor(this.#window / 2));
    if (this.#failures >= DOWN_AFTER_FAILURES && this.#failed.size >= DOWN_AFTER_DELIVERIES) this.#isDown = true;
    if (!this.#isDown) return;
    const gap = Math.min(PROBE_CAP_MS, PROBE_BASE_MS * 2 ** Math.min(this.#failures - DOWN_AFTER_FAILURES, 10));
    this.#pausedUntil = Math.max(this.#pausedUntil, now + gap * (0.5 + random / 2));
  }
}
