import type { TargetPool } from '../net/guarded-fetch.ts';
import type { DueDelivery } from '../store/webhooks/delivery-queue.ts';
import type { Endpoint } from '../store/webhooks/webhooks.ts';
import { Circuit, MAX_CONCURRENT } from './circuit.ts';
import type { SlotUser } from './slots.ts';

/**
 * What was read of a webhook is too old to send by after this: its owner may have changed or
 * switched it off.
 */
const FRESH_MS = 2_000;
/** Below so many waiting deliveries more are read. */
export const LOW_WATER = MAX_CONCURRENT;

export interface Now {
  /** Unix milliseconds. */
  wall: number;
  monotonic: number;
}

/**
 * The deliveries of one webhook on their way: a short queue read from the database, and what is
 * under way. Deliveries with the same order key go one after the other; in strict order all do, and
 * one that waits for its retry holds back the rest. A delivery is "taken" from the moment it is
 * started until its outcome is stored, so that it is never read a second time in between.
 */
export class Lane implements SlotUser {
  readonly webhookId: string;
  readonly pool: TargetPool;
  endpoint: Endpoint;
  circuit: Circuit;
  inFlight = 0;
  isSuspect: boolean;
  /** Monotonic time until which this process may deliver to the webhook. */
  leaseUntil = 0;
  /**
   * Another process has the webhook now, or may have it: outcomes of attempts under way are
   * ignored.
   */
  hasLapsed = false;
  /** A success after an outage was seen; its retries are being brought forward. */
  hasRecovered = false;
  /** Monotonic time of the last moment there was anything to do. */
  busyAt = 0;
  /** The database may hold more that is due than the queue. */
  mayHaveMore = true;
  retriesDue = true;
  #queue: DueDelivery[] = [];
  readonly #taken = new Set<number>();
  readonly #busyKeys = new Set<string>();
  /**
   * Settled since the present reading began: what it brings of them is older than their outcome.
   */
  #settledSince: Set<number> | undefined;
  #reachedEnd = false;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(endpoint: Endpoint, pool: TargetPool) {
    this.webhookId = endpoint.webhook.id;
    this.endpoint = endpoint;
    this.pool = pool;
    const wasFailing = endpoint.webhook.failingSince !== null;
    this.circuit = new Circuit({ concurrent: this.isStrict ? 1 : MAX_CONCURRENT, wasFailing });
    this.isSuspect = wasFailing;
  }

  get isStrict(): boolean {
    return this.endpoint.webhook.strictOrder;
  }

  /** Deliveries taken and not yet stored; the next reading must look so much further. */
  get takenCount(): number {
    return this.#taken.size;
  }

  get isIdle(): boolean {
    return this.#queue.length === 0 && this.#taken.size === 0;
  }

  /**
   * The last reading got to the end, and no retry is due: what is new since then is all there is.
   */
  get isNearEnd(): boolean {
    return this.#reachedEnd && !this.retriesDue && !this.isStrict;
  }

  /** There may be more due than the queue holds: what is new waits behind that. */
  get isBehind(): boolean {
    return this.mayHaveMore || !this.isNearEnd;
  }

  /** True when reading more now makes sense. */
  wantsReading(now: Now): boolean {
    if (now.monotonic < this.circuit.pausedUntil) return false;
    if (this.#queue.length > 0 && now.monotonic - this.#readAt > FRESH_MS) return true;
    if (this.isStrict && this.#taken.size > 0) return false;
    return this.mayHaveMore && this.#queue.length < LOW_WATER;
  }

  /**
   * A reading begins; `fill` ends it. An outcome stored in between must not be undone by rows that
   * were read before it.
   */
  beginReading(): void {
    this.#settledSince = new Set();
  }

  /**
   * Takes what was read: it replaces the queue, without what is taken or was settled while it was
   * read.
   */
  fill(rows: readonly DueDelivery[], mayHaveMore: boolean, now: Now): void {
    const settled = this.#settledSince;
    this.#settledSince = undefined;
    this.#queue = rows
      .filter((row) => !this.#taken.has(row.seq) && !settled?.has(row.seq))
      .sort((a, b) => a.eventSeq - b.eventSeq);
    this.mayHaveMore = mayHaveMore;
    this.#reachedEnd = !mayHaveMore;
    this.#readAt = now.monotonic;
    if (this.#queue.length > 0) this.busyAt = now.monotonic;
  }

  /**
   * New deliveries, read together with their webhook; `beginReading` comes before that too. Only
   * for a lane that is not behind. False when the queue would grow beyond `room`: then it is read
   * again as there is place.
   */
  append(rows: readonly DueDelivery[], now: Now, room: number): boolean {
    const settled = this.#settledSince;
    this.#settledSince = undefined;
    const known = new Set(this.#queue.map((row) => row.seq));
    const fresh = rows.filter((row) => !known.has(row.seq) && !this.#taken.has(row.seq) && !settled?.has(row.seq));
    if (this.#queue.length + fresh.length > room) {
      this.mayHaveMore = true;
      this.#reachedEnd = false;
      return false;
    }
    if (fresh.length === 0) return true;
    if (this.#queue.length === 0) this.#readAt = now.monotonic;
    this.#queue.push(...fresh);
    this.#queue.sort((a, b) => a.eventSeq - b.eventSeq);
    this.busyAt = now.monotonic;
    return true;
  }

  /** A reading that was begun and brought nothing. */
  endReading(): void {
    this.#settledSince = undefined;
  }

  /** Forgets the queue; the next reading brings what is true then. */
  reread(): void {
    this.#queue = [];
    this.mayHaveMore = true;
    this.retriesDue = true;
    this.#reachedEnd = false;
  }

  /**
   * The next delivery that may start now; it is taken then. `leaseMarginMs`: how long an attempt
   * may last.
   */
  next(now: Now, leaseMarginMs: number): DueDelivery | undefined {
    if (this.inFlight >= this.circuit.limit || now.monotonic < this.circuit.pausedUntil) return undefined;
    if (this.leaseUntil - now.monotonic < leaseMarginMs || now.monotonic - this.#readAt > FRESH_MS) return undefined;
    const index = this.isStrict ? this.#strictIndex(now) : this.#queue.findIndex((row) => !this.#isBusy(row));
    const found = index < 0 ? undefined : this.#queue[index];
    if (!found) return undefined;
    this.#queue.splice(index, 1);
    this.#taken.add(found.seq);
    if (found.orderKey !== null) this.#busyKeys.add(found.orderKey);
    this.busyAt = now.monotonic;
    return found;
  }

  /** The attempt ended: the next delivery of its chat may start. */
  ended(delivery: DueDelivery): void {
    if (delivery.orderKey !== null) this.#busyKeys.delete(delivery.orderKey);
  }

  /** Its outcome is stored (or there is none to store). */
  settled(delivery: DueDelivery): void {
    this.#taken.delete(delivery.seq);
    this.#settledSince?.add(delivery.seq);
    if (this.isStrict) this.reread();
  }

  #isBusy(row: DueDelivery): boolean {
    return row.orderKey !== null && this.#busyKeys.has(row.orderKey);
  }

  /**
   * In strict order only the oldest may go, when nothing is under way or unsettled, and when its
   * time has come.
   */
  #strictIndex(now: Now): number {
    const head = this.#queue[0];
    return head && this.#taken.size === 0 && head.nextAt <= now.wall ? 0 : -1;
  }
}
