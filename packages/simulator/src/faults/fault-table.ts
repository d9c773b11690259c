import type { Clock } from '../world/clock.ts';
import { LineFaults } from './line-faults.ts';

/** As many as a simulator takes connections. */
const LINES_MAX = 20_000;

/**
 * The faults of every line of one tenant. In memory: a restart of the network is one without
 * faults.
 */
export class FaultTable {
  readonly #clock: Clock;
  readonly #lines = new Map<string, LineFaults>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The faults of a line; made when first asked for, bounded in number (the oldest line's go
   * first).
   */
  of(lineId: string): LineFaults {
    const known = this.#lines.get(lineId);
    if (known) return known;
    const oldest = this.#lines.size >= LINES_MAX ? this.#lines.keys().next().value : undefined;
    if (oldest !== undefined) this.#lines.delete(oldest);
    const fresh = new LineFaults(this.#clock);
    this.#lines.set(lineId, fresh);
    return fresh;
  }

  /**
   * Uses one of a wished `media_fail` up: of this line, or (a download does not say whose it is) of
   * whichever line has one.
   */
  takeMediaFailure(lineId: string | undefined): number | undefined {
    if (lineId !== undefined) return this.#lines.get(lineId)?.takeMediaFailure();
    for (const line of this.#lines.values()) {
      const status = line.takeMediaFailure();
      if (status !== undefined) return status;
    }
    return undefined;
  }

  clear(): void {
    this.#lines.clear();
  }
}
