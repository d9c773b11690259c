import type { Bus } from '../../bus/bus.ts';
import type { Clock } from '../../core/clock.ts';

/** What a node tells the others: that there is something to look at, never what. */
export interface FleetNews {
  /** Events were journaled. */
  events?: boolean;
  /** Deliveries may be due. */
  deliveries?: boolean;
  /** Lines, webhooks or other settings changed. */
  settings?: boolean;
}

const SUBJECT = 'news';
/** What is told within this time is told together. */
const TOGETHER_MS = 20;

/**
 * Carries hints between nodes, so that an event that is committed anywhere reaches a stream, a
 * webhook and a page anywhere at once. One that gets lost costs time: every reader looks by itself
 * every second or few.
 */
export class SharedNews {
  readonly #bus: Bus;
  readonly #nodeId: string;
  readonly #clock: Clock;
  readonly #end: () => void;
  #waiting: FleetNews | undefined;
  #cancel: (() => void) | undefined;

  constructor(options: { bus: Bus; nodeId: string; clock: Clock; onNews(news: FleetNews): void }) {
    this.#bus = options.bus;
    this.#nodeId = options.nodeId;
    this.#clock = options.clock;
    this.#end = options.bus.subscribe(SUBJECT, (body) => {
      const { from, ...news } = body as FleetNews & { from: string };
      if (from !== this.#nodeId) options.onNews(news);
    });
  }

  /** The first word goes out at once; what follows it soon is told together. */
  tell(news: FleetNews): void {
    if (this.#cancel) {
      this.#waiting = { ...this.#waiting, ...news };
      return;
    }
    this.#bus.publish(SUBJECT, { ...news, from: this.#nodeId });
    this.#cancel = this.#clock.after(TOGETHER_MS, () => {
      this.#cancel = undefined;
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting) this.tell(waiting);
    });
  }

  close(): void {
    this.#cancel?.();
    this.#end();
  }
}
