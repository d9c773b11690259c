import { EngineError } from '@ponte/engine';

/** Ends all waits for WhatsApp at once. The operations themselves continue without a waiter. */
export class Interruptions {
  readonly #waiting = new Set<() => void>();

  /**
   * The work, or a rejection with `timeout` when it is interrupted first; at once when it `isLate`.
   */
  async orInterrupted<T>(work: Promise<T>, isLate: boolean): Promise<T> {
    const { promise: interrupted, reject } = Promise.withResolvers<never>();
    const interrupt = () => reject(new EngineError('timeout', 'the connection ended before WhatsApp answered'));
    this.#waiting.add(interrupt);
    if (isLate) interrupt();
    try {
      return await Promise.race([work, interrupted]);
    } finally {
      this.#waiting.delete(interrupt);
    }
  }

  interrupt(): void {
    for (const interrupt of this.#waiting) interrupt();
  }
}
