import { setImmediate as loopTurn } from 'node:timers/promises';
import { stayAwake, systemClock } from '../../core/clock.ts';

/** Between two nudges, when deliveries wait: less than a request takes. */
const DELIVERIES_GAP_MS = 3;
/** And when only those who watch want to know. */
const OTHERS_GAP_MS = 20;

/**
 * Tells the main process that something was committed: at once after a pause, and under load as
 * many commits as fall into a few milliseconds in one message. A nudge is never the only word of
 * anything: what is lost is found later.
 */
export class Nudges {
  readonly #send: (deliveries: boolean) => void;
  #waiting: 'deliveries' | 'others' | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;
  /** When what waits is told; undefined: nothing is under way. */
  #dueAt: number | undefined;

  constructor(send: (deliveries: boolean) => void) {
    this.#send = send;
  }

  tell(hasDeliveries: boolean): void {
    if (hasDeliveries) this.#waiting = 'deliveries';
    else this.#waiting ??= 'others';
    const dueAt = this.#sentAt + (hasDeliveries ? DELIVERIES_GAP_MS : OTHERS_GAP_MS);
    if (this.#dueAt !== undefined && this.#dueAt <= dueAt) return;
    this.#dueAt = dueAt;
    void this.#tellAt(dueAt);
  }

  async #tellAt(dueAt: number): Promise<void> {
    const waitMs = dueAt - systemClock.monotonic();
    // What is committed in the same turn of the event loop goes along.
    if (waitMs > 0) await stayAwake(waitMs);
    else await loopTurn();
    // An earlier one took it along.
    if (this.#dueAt !== dueAt || this.#waiting === undefined) return;
    const deliveries = this.#waiting === 'deliveries';
    this.#waiting = undefined;
    this.#dueAt = undefined;
    this.#sentAt = systemClock.monotonic();
    this.#send(deliveries);
  }
}
