import type { Node } from '@ponte/engine';
import type { Clock, Timer } from './clock.ts';
import type { Demands } from './demands.ts';
import type { Queue, Queued } from './queue.ts';

/** A device that is connected now: a socket or a virtual phone. */
export interface Endpoint {
  readonly pn: string;
  readonly device: number;
  /** True while it cannot take more; it calls `Delivery.resume` when it can again. */
  readonly isCongested: boolean;
  /**
   * Shows itself as available: only then does WhatsApp send presence and typing (whatsmeow,
   * events.ChatPresence).
   */
  isAvailable: boolean;
  /** Sends one stanza. Must not throw and must not call back synchronously. */
  push(node: Node): void;
  /** Ends the connection because of what happened to the device elsewhere. */
  end(why: 'replaced' | 'device_removed' | 'reset'): void;
}

const ROWS_PER_READ = 50;
/**
 * Without `askedBatches`: a client that was shown a preview but asks for no batch, or does not
 * acknowledge, gets the rest after this long.
 */
const BATCH_PATIENCE_MS = 2000;

export interface MailboxRules {
  demands: Demands;
  /** A status that the device refused and that still waits. */
  refused(): Queued | undefined;
}

/**
 * The way from a device's durable queue to its connection. held → (the client is active) → draining
 * → live.
 *
 * While draining, stanzas carry `offline`, flow in batches of the size the client asked for, and
 * `<ib><offline count>` ends it: Baileys holds all its events back until that stanza comes. More
 * comes when it is asked for (zapo #269, whatsapp-rust #629); where the network does not demand
 * that, half of a batch acknowledged, or two seconds, releases more. Live, a new stanza goes out at
 * once unless the connection is congested; the queue then keeps the rest.
 */
export class Mailbox {
  readonly endpoint: Endpoint;
  readonly #queue: Queue;
  readonly #clock: Clock;
  readonly #rules: MailboxRules;
  #state: 'held' | 'draining' | 'live' | 'closed' = 'held';
  #cursor = 0;
  #isCaughtUp = false;
  #batch = 0;
  #credit = 0;
  #unacknowledged = 0;
  #index = 0;
  #total = 0;
  #patience: Timer | undefined;
  /** A refused status went out, with this number, and nothing else does. */
  #stuckAt: number | undefined;

  constructor(endpoint: Endpoint, queue: Queue, clock: Clock, rules: MailboxRules) {
    this.endpoint = endpoint;
    this.#queue = queue;
    this.#clock = clock;
    this.#rules = rules;
  }

  /** Everything up to this sequence number was pushed on this connection. */
  get pushedSeq(): number {
    return Math.max(this.#cursor, this.#stuckAt ?? 0);
  }

  get isLive(): boolean {
    return this.#state === 'live';
  }

  /** For phones: what waits is delivered without ceremony. */
  startLive(): void {
    this.#state = 'live';
    this.pump();
  }

  /** The client is active: announces what waits, or that nothing does. */
  startDrain(): void {
    if (this.#state !== 'held') return;
    const counts = this.#queue.counts(this.endpoint.pn, this.endpoint.device);
    this.#total = Object.values(counts).reduce((sum, n) => sum + n, 0);
    if (this.#total === 0) {
      this.#finishDrain();
      return;
    }
    this.#state = 'draining';
    const attrs = {
      count: String(this.#total),
      message: String(counts.message ?? 0),
      receipt: String(counts.receipt ?? 0),
      notification: String(counts.notification ?? 0),
      appdata: '0',
      call: String(counts.call ?? 0),
    };
    this.endpoint.push({ tag: 'ib', attrs: { from: '@s.whatsapp.net' }, content: [{ tag: 'offline_preview', attrs }] });
    this.#wait();
    this.#pushRefused();
  }

  /** The client asked for an `<offline_batch count>`. */
  grant(count: number): void {
    if (this.#state !== 'draining') return;
    this.#batch = Math.max(1, Math.min(1000, count));
    this.#credit += this.#batch;
    this.pump();
  }

  /** A stanza was just added to the queue. */
  offer(seq: number, node: Node): void {
    if (this.#state !== 'live' || !this.#isCaughtUp || this.endpoint.isCongested) {
      this.#isCaughtUp = false;
      return;
    }
    this.#cursor = seq;
    this.endpoint.push(node);
  }

  /** The device acknowledged this many of the stanzas it was sent. */
  cleared(count: number): void {
    this.#unacknowledged -= count;
    if (this.#stuckAt !== undefined && !this.#rules.refused()) {
      this.#stuckAt = undefined;
      this.pump();
    }
    if (this.#rules.demands.askedBatches) return;
    if (this.#state === 'draining' && this.#credit <= 0 && this.#unacknowledged <= this.#batch / 2) {
      this.#credit = this.#batch;
      this.pump();
    }
  }

  pump(): void {
    if (this.#stuckAt !== undefined) return;
    if (this.#state === 'draining') this.#drain();
    if (this.#state !== 'live' || this.#isCaughtUp) return;
    const { pn, device } = this.endpoint;
    while (!this.endpoint.isCongested) {
      const rows = this.#queue.next(pn, device, this.#cursor, ROWS_PER_READ);
      if (rows.length === 0) {
        this.#isCaughtUp = true;
        return;
      }
      for (const row of rows) {
        if (this.endpoint.isCongested) return;
        this.#cursor = row.seq;
        this.endpoint.push(row.node);
      }
    }
  }

  close(): void {
    this.#patience?.cancel();
    this.#state = 'closed';
  }

  #pushRefused(): void {
    const refused = this.#rules.refused();
    if (!refused) return;
    this.#stuckAt = refused.seq;
    this.#unacknowledged += 1;
    this.endpoint.push({ ...refused.node, attrs: { ...refused.node.attrs, offline: String(this.#index++) } });
  }

  #drain(): void {
    const { pn, device } = this.endpoint;
    while (this.#credit > 0 && this.#index < this.#total && !this.endpoint.isCongested) {
      const rows = this.#queue.next(pn, device, this.#cursor, Math.min(this.#credit, this.#total - this.#index));
      if (rows.length === 0) {
        this.#finishDrain();
        return;
      }
      for (const row of rows) {
        this.#cursor = row.seq;
        this.#credit -= 1;
        this.#unacknowledged += 1;
        this.endpoint.push({ ...row.node, attrs: { ...row.node.attrs, offline: String(this.#index++) } });
      }
    }
    if (this.#index >= this.#total) this.#finishDrain();
    else this.#wait();
  }

  #wait(): void {
    this.#patience?.cancel();
    if (this.#rules.demands.askedBatches) return;
    this.#patience = this.#clock.after(BATCH_PATIENCE_MS, () => {
      if (this.#credit <= 0) this.#credit = Math.max(this.#batch, 100);
      this.pump();
    });
  }

  #finishDrain(): void {
    this.#patience?.cancel();
    this.#state = 'live';
    const count = String(this.#index);
    this.endpoint.push({
      tag: 'ib',
      attrs: { from: '@s.whatsapp.net' },
      content: [{ tag: 'offline', attrs: { count } }],
    });
    this.pump();
  }
}
