import type { Clock } from '../core/clock.ts';
import type { Store } from '../store/db/store.ts';
import { newestDelivery, pendingWebhooks, webhooksSince } from '../store/webhooks/delivery-queue.ts';
import type { Now } from './lane.ts';
import type { Lanes } from './lanes.ts';

export interface AgendaOptions {
  store: Store;
  clock: Clock;
  /** How often everything pending is looked over, for nudges that were lost. */
  pollMs: number;
  /** Something is to be looked at. */
  onDue(): void;
}

/**
 * Commits of PostgreSQL become visible in another order than their numbers: so many numbers are
 * looked at again. What comes later still is found by the look over everything.
 */
const LOOK_BACK = 500;

/** What the next cycle has to look at, and when it has to come by itself. */
export class Agenda {
  readonly #options: AgendaOptions;
  /** Webhooks to look at whatever else is due. */
  readonly #asked = new Set<string>();
  #all = false;
  #new = false;
  #newest = 0;
  #wake: { at: number; cancel: () => void } | undefined;
  #closed = false;

  constructor(options: AgendaOptions) {
    this.#options = options;
  }

  /** Deliveries that exist now are found by looking over everything, later ones by their number. */
  async open(): Promise<void> {
    this.#newest = await newestDelivery(this.#options.store.db);
    this.#all = true;
  }

  askNew(): void {
    this.#new = true;
  }

  askAll(): void {
    this.#all = true;
  }

  ask(webhookId: string): void {
    this.#asked.add(webhookId);
  }

  /** Looks over everything at `at` (wall clock), or earlier. */
  wakeAt(at: number): void {
    if (this.#closed || (this.#wake && this.#wake.at <= at)) return;
    this.#wake?.cancel();
    const cancel = this.#options.clock.after(at - this.#options.clock.now(), () => {
      this.#wake = undefined;
      this.#all = true;
      this.#options.onDue();
    });
    this.#wake = { at, cancel };
  }

  close(): void {
    this.#closed = true;
    this.#wake?.cancel();
  }

  /**
   * The webhooks that have something due now, as far as was asked. Tells their lanes that there is
   * more to read.
   */
  async due(lanes: Lanes, now: Now): Promise<Set<string>> {
    const due = new Set(this.#asked);
    this.#asked.clear();
    const lookAtAll = this.#all;
    const lookAtNew = this.#new;
    this.#all = false;
    this.#new = false;
    if (lookAtAll) for (const id of await this.#lookOver(lanes, now)) due.add(id);
    else if (lookAtNew) for (const id of await this.#lookAtNew(lanes, now)) due.add(id);
    return due;
  }

  async #lookAtNew(lanes: Lanes, now: Now): Promise<string[]> {
    const isOrdered = this.#options.store.engine === 'sqlite';
    const news = await lanes.readNew(isOrdered ? this.#newest : this.#newest - LOOK_BACK, now);
    if (news) {
      this.#newest = Math.max(this.#newest, news.lastSeq);
      return news.webhookIds;
    }
    // Too many to read them twice: only whose they are, and each lane reads its own.
    if (!isOrdered) return this.#lookOver(lanes, now);
    const { webhookIds, lastSeq } = await webhooksSince(this.#options.store.db, this.#newest);
    this.#newest = lastSeq;
    for (const id of webhookIds) {
      const lane = lanes.get(id);
      if (lane) lane.mayHaveMore = true;
    }
    return webhookIds;
  }

  async #lookOver(lanes: Lanes, now: Now): Promise<string[]> {
    this.wakeAt(now.wall + this.#options.pollMs);
    const due: string[] = [];
    for (const { webhookId, atOnce, retryAt, laneOwner, laneUntil } of await pendingWebhooks(this.#options.store.db)) {
      const lane = lanes.get(webhookId);
      // Another process delivers to it.
      if (!lane && laneOwner !== null && laneUntil > now.wall) continue;
      const retryDue = retryAt !== null && retryAt <= now.wall;
      if (retryAt !== null && !retryDue) this.wakeAt(retryAt);
      if (lane && retryDue) lane.retriesDue = true;
      if (!atOnce && !retryDue) continue;
      if (lane) lane.mayHaveMore = true;
      due.push(webhookId);
    }
    return due;
  }
}
