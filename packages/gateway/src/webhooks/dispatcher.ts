import { setMaxListeners } from 'node:events';
import type { Clock } from '../core/clock.ts';
import type { JournalEvent } from '../core/events.ts';
import { randomBase62 } from '../core/ids.ts';
import { within } from '../core/within.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import type { Guard } from '../net/guarded-fetch.ts';
import type { Log } from '../observe/logger.ts';
import { type DeliveryMetrics, noDeliveryMetrics } from '../observe/metrics.ts';
import type { Spans } from '../observe/spans.ts';
import type { Store } from '../store/db/store.ts';
import { type DueDelivery, pendingFigures, pullForward } from '../store/webhooks/delivery-queue.ts';
import { freeLanes } from '../store/webhooks/lanes.ts';
import { WEBHOOK_SCOPE } from '../store/webhooks/webhooks.ts';
import { Agenda } from './agenda.ts';
import { type AttemptResult, attempt } from './attempt.ts';
import type { LineView, Rendered, WebhookFormats } from './format.ts';
import type { Lane, Now } from './lane.ts';
import { Lanes, RENEW_EVERY_MS } from './lanes.ts';
import { judge } from './outcome.ts';
import { type Entry, Recorder } from './recorder.ts';
import { createRetention, type Retention } from './retention.ts';
import { DEFAULT_SLOTS, type SlotLimits, Slots } from './slots.ts';
import { refreshSelectors } from './subscriptions.ts';
import { tracedAttempts } from './traced-attempt.ts';

export interface DispatcherOptions {
  store: Store;
  ring: KeyRing;
  formats: WebhookFormats;
  clock: Clock;
  guard: Guard;
  log: Log;
  metrics?: DeliveryMetrics;
  /** Absent: traces are off. */
  spans?: Spans;
  slots?: SlotLimits;
  /** How often everything pending is looked over, for nudges that were lost. */
  pollMs?: number;
  /** Of a fleet: whether this node does the clean-up. */
  isOurs?: () => boolean;
}

export interface Dispatcher {
  /**
   * Begins to deliver. On SQLite it takes over what a crashed run of this process left under way.
   */
  start(): Promise<void>;
  /**
   * Deliveries may be due: new ones, or (with an id) anything of that webhook. Cheap; loses nothing
   * when it gets lost.
   */
  nudge(webhookId?: string): void;
  /**
   * Starts nothing new, lets what is under way end (`graceMs` at most), stores its outcomes, gives
   * everything back.
   */
  close(graceMs?: number): Promise<void>;
}

const POLL_MS = 1_000;
const CLOSE_GRACE_MS = 8_000;
const TIDY_EVERY_MS = 10_000;
const STORE_GRACE_MS = 1_000;
/** Nothing is started on a lane whose lease ends so soon: its renewals fail. */
const LEASE_MARGIN_MS = 3_000;
/** An endpoint that has not answered for this long is suspect until it does. */
const SLOW_AFTER_MS = 1_000;
/** Outcomes that wait for a database that fails; beyond this nothing is started. */
const MAX_UNRECORDED = 2_000;
/** A run of failures this long makes the next success a recovery, also across restarts. */
const OUTAGE_MS = 60_000;
const FAILED_CYCLE_PAUSE_MS = 1_000;

const NO_LINE: LineView = { id: '', number: 0, customerRef: null, label: null, phone: null };

/**
 * Delivers what the outbox holds: at least once, in order per chat while the endpoint is healthy,
 * fairly between webhooks.
 *
 * One cycle at a time finds the webhooks with something due, takes their lanes (a lease in the
 * database) and reads a few deliveries of each. Sending goes round the lanes that can send, one
 * delivery each, within the slots of the process. Outcomes are stored in batches. A kill at any
 * instant repeats at most what was under way or not yet stored.
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  return new RunningDispatcher(options);
}

class RunningDispatcher implements Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #metrics: DeliveryMetrics;
  readonly #attempt: typeof attempt;
  readonly #slots: Slots;
  readonly #recorder: Recorder;
  readonly #stop = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  /** Lanes that may be able to send, in the order of their turns. */
  readonly #ready = new Set<Lane>();
  /** Lanes that wait for the end of a pause. */
  readonly #paused = new Map<Lane, () => void>();
  readonly #agenda: Agenda;
  readonly #retention: Retention;
  readonly #owner = `node_${randomBase62(12)}`;
  #renewing: Promise<void> = Promise.resolve();
  #cancelRenewal = () => {};
  #lanes: Lanes | undefined;
  #cycle: Promise<void> | undefined;
  #again = false;
  #sending = false;
  #tidiedAt = Number.NEGATIVE_INFINITY;
  #closing = false;
  #isOver = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#metrics = options.metrics ?? noDeliveryMetrics;
    this.#attempt = options.spans ? tracedAttempts(options.spans) : attempt;
    this.#slots = new Slots(options.slots ?? DEFAULT_SLOTS);
    this.#agenda = new Agenda({ ...options, pollMs: options.pollMs ?? POLL_MS, onDue: () => this.#kick() });
    this.#retention = createRetention(options);
    this.#recorder = new Recorder({
      ...options,
      owner: this.#owner,
      onRecorded: (entries) => this.#recorded(entries),
      onSwitchedOff: (lane, reason) => {
        options.log.warn({ webhookId: lane.webhookId, reason }, 'webhook disabled');
        this.#lanes?.drop(lane.webhookId);
        this.nudge();
      },
    });
    // Every request under way listens to it.
    setMaxListeners(0, this.#stop.signal);
  }

  async start(): Promise<void> {
    const { store, ring, guard, log } = this.#options;
    const box = await ring.box(WEBHOOK_SCOPE);
    // SQLite has one dispatcher: whatever is held belongs to a run that is over.
    if (store.engine === 'sqlite') await freeLanes(store.db, null);
    await refreshSelectors(store, this.#options.formats);
    await this.#agenda.open();
    this.#lanes = new Lanes({ store, box, guard, log, owner: this.#owner });
    this.#renewLater(this.#lanes);
    this.#metrics.watch({
      inFlight: () => this.#slots.inFlight,
      pending: async () => {
        const { count, oldestAt } = await pendingFigures(store.db);
        const ageMs = oldestAt === null ? 0 : Math.max(0, this.#options.clock.now() - oldestAt);
        return { count, oldestAgeSeconds: ageMs / 1_000 };
      },
    });
    this.#retention.start();
    this.#kick();
  }

  nudge(webhookId?: string): void {
    if (webhookId === undefined) this.#agenda.askNew();
    else {
      this.#lanes?.get(webhookId)?.reread();
      this.#agenda.ask(webhookId);
    }
    this.#kick();
  }

  async close(graceMs = CLOSE_GRACE_MS): Promise<void> {
    this.#closing = true;
    this.#agenda.close();
    for (const cancel of this.#paused.values()) cancel();
    await this.#cycle;
    if (graceMs <= 0) this.#stop.abort();
    const { clock } = this.#options;
    await within(clock, Promise.all(this.#underWay), graceMs);
    this.#stop.abort();
    await Promise.all(this.#underWay);
    // A database that fails must not hold up the end: what it did not take is attempted again by
    // the next run.
    await within(clock, this.#recorder.drained(), graceMs + STORE_GRACE_MS);
    await this.#retention.close();
    this.#isOver = true;
    this.#cancelRenewal();
    await within(clock, Promise.resolve(this.#renewing), STORE_GRACE_MS);
    await this.#lanes?.close().catch((error: unknown) => {
      this.#options.log.warn({ error }, 'giving webhooks back failed; their leases end by themselves');
    });
  }

  /** Leases are kept up until the very end, so that what is under way stays ours. */
  #renewLater(lanes: Lanes): void {
    if (this.#isOver) return;
    this.#cancelRenewal = this.#options.clock.after(RENEW_EVERY_MS, () => {
      this.#renewing = lanes
        .renew(() => this.#now())
        .catch((error: unknown) => this.#options.log.warn({ error }, 'renewing webhook leases failed; trying again'))
        .then(() => this.#renewLater(lanes));
    });
  }

  #now(): Now {
    return { wall: this.#options.clock.now(), monotonic: this.#options.clock.monotonic() };
  }

  #kick(): void {
    if (this.#closing || !this.#lanes) return;
    this.#again = true;
    this.#cycle ??= this.#runCycles(this.#lanes).finally(() => {
      this.#cycle = undefined;
    });
  }

  async #runCycles(lanes: Lanes): Promise<void> {
    while (this.#again && !this.#closing) {
      this.#again = false;
      try {
        await this.#oneCycle(lanes);
      } catch (error) {
        this.#options.log.error({ error }, 'looking for due deliveries failed; trying again');
        this.#agenda.wakeAt(this.#options.clock.now() + FAILED_CYCLE_PAUSE_MS);
      }
      this.#send();
    }
  }

  async #oneCycle(lanes: Lanes): Promise<void> {
    const now = this.#now();
    const due = await this.#agenda.due(lanes, now);
    const held = await lanes.hold([...due], now);
    const reading = held.filter((lane) => lane.wantsReading(now));
    if (reading.length > 0) await lanes.read(reading, now);
    if (now.monotonic - this.#tidiedAt > TIDY_EVERY_MS) {
      this.#tidiedAt = now.monotonic;
      await lanes.dropIdle(now);
    }
    for (const lane of held) this.#ready.add(lane);
  }

  /** Starts what can start: one delivery of each lane in turn, as long as there are slots. */
  #send(): void {
    // A delivery that ends at once comes back here: the walk below goes on over what it added.
    if (this.#sending) return;
    this.#sending = true;
    const noRoom: Lane[] = [];
    for (const lane of this.#ready) {
      if (this.#closing || this.#recorder.waiting >= MAX_UNRECORDED) break;
      this.#ready.delete(lane);
      if (!this.#slots.hasRoom(lane)) {
        noRoom.push(lane);
        continue;
      }
      const now = this.#now();
      const delivery = lane.next(now, LEASE_MARGIN_MS);
      if (delivery) {
        this.#start(lane, delivery, now);
        // Behind all others.
        this.#ready.add(lane);
      }
      if (lane.wantsReading(now) && this.#lanes?.get(lane.webhookId) === lane) {
        this.#agenda.ask(lane.webhookId);
        this.#again = true;
      }
    }
    this.#sending = false;
    for (const lane of noRoom) this.#ready.add(lane);
    if (this.#again) this.#kick();
  }

  #start(lane: Lane, delivery: DueDelivery, now: Now): void {
    const { event } = delivery;
    if (!event || (delivery.expiresAt !== null && delivery.expiresAt <= now.wall)) {
      this.#closeWithout(lane, delivery, 'expired');
      return;
    }
    const format = this.#options.formats[lane.endpoint.webhook.format];
    const number = delivery.attempts + 1;
    const rendered = this.#render(lane, delivery, event);
    if (rendered === null) this.#closeWithout(lane, delivery, 'skipped');
    if (!rendered) return;
    this.#slots.take(lane);
    const { legacySignatureHeader } = format;
    const out = {
      endpoint: lane.endpoint,
      rendered,
      legacySignatureHeader,
      delivery,
      eventId: event.id,
      attempt: number,
    };
    const cancelSlow = this.#options.clock.after(SLOW_AFTER_MS, () => this.#slots.setSuspect(lane, true));
    const work = this.#attempt(lane.pool, this.#options.clock, out, this.#stop.signal).then((result) => {
      cancelSlow();
      this.#underWay.delete(work);
      this.#slots.release(lane);
      this.#ended(lane, delivery, result);
      if (lane.inFlight === 0 && this.#lanes?.get(lane.webhookId) !== lane) lane.pool.destroy();
    });
    this.#underWay.add(work);
  }

  /** Null: the format has nothing to say. Undefined: it failed, which counts as an attempt. */
  #render(lane: Lane, delivery: DueDelivery, event: NonNullable<DueDelivery['event']>): Rendered | null | undefined {
    const { webhook } = lane.endpoint;
    try {
      const journalEvent = { ...event, payload: JSON.parse(event.payload) } as JournalEvent;
      const view = {
        id: delivery.id,
        attempt: delivery.attempts + 1,
        events: webhook.events,
        hasDetails: webhook.hasDetails,
      };
      return this.#options.formats[webhook.format].render(
        journalEvent,
        delivery.line ?? { ...NO_LINE, id: event.lineId },
        view,
      );
    } catch (error) {
      this.#options.log.error({ error, deliveryId: delivery.id, eventType: event.type }, 'rendering a delivery failed');
      const nothing = { durationMs: 0, statusCode: null, excerpt: null, retryAfterMs: undefined };
      this.#ended(lane, delivery, { ...nothing, at: this.#options.clock.now(), errorClass: 'render' });
      return undefined;
    }
  }

  #closeWithout(lane: Lane, delivery: DueDelivery, closed: 'expired' | 'skipped'): void {
    lane.ended(delivery);
    this.#metrics.closed(closed);
    this.#recorder.add({ lane, delivery, closed });
  }

  /** One attempt is over: its outcome goes to the recorder, its lane may go on. */
  #ended(lane: Lane, delivery: DueDelivery, result: AttemptResult): void {
    const { clock, log } = this.#options;
    lane.ended(delivery);
    if (result.errorClass === 'aborted' || (lane.hasLapsed && result.errorClass !== null)) {
      // Taken back by our own shutdown, or by us because the lane is another's: as if it had not
      // been started.
      lane.settled(delivery);
      return;
    }
    const outcome = judge(result, delivery.step, clock.random());
    this.#metrics.attempted(outcome.kind, result.durationMs);
    if (outcome.kind === 'delivered' && delivery.attempts === 0 && delivery.event) {
      this.#metrics.deliveredFirst(clock.now() - delivery.event.createdAt);
    }
    const { webhookId } = lane;
    const fields = {
      webhookId,
      deliveryId: delivery.id,
      attempt: delivery.attempts + 1,
      outcome: outcome.kind,
      status: result.statusCode,
      errorClass: result.errorClass,
      durationMs: result.durationMs,
      traceId: result.traceId,
    };
    log[outcome.kind === 'delivered' ? 'debug' : 'info'](fields, 'delivery attempted');
    if (outcome.kind === 'delivered') this.#succeeded(lane, result.at);
    else {
      lane.hasRecovered = false;
      const failure = { seq: delivery.seq, now: clock.monotonic(), random: clock.random() };
      lane.circuit.failed({ ...failure, retryAfterMs: result.retryAfterMs });
      if (lane.isStrict) lane.reread();
      this.#resumeAfterPause(lane);
    }
    this.#slots.setSuspect(lane, !lane.circuit.isTrusted);
    this.#recorder.add({ lane, delivery, result, outcome });
    this.#ready.add(lane);
    this.#send();
  }

  #succeeded(lane: Lane, at: number): void {
    const { failingSince } = lane.endpoint.webhook;
    const wasDown = lane.circuit.succeeded();
    const longFailing = failingSince !== null && at - failingSince >= OUTAGE_MS && !lane.hasRecovered;
    if (!wasDown && !longFailing) return;
    // The recorder alone says that the run of failures is over, when it is stored.
    lane.hasRecovered = true;
    this.#options.log.info({ webhookId: lane.webhookId }, 'webhook recovered');
    void this.#pullForward(lane).catch((error: unknown) => {
      // Nothing is lost: they keep their place in the schedule.
      this.#options.log.error({ error, webhookId: lane.webhookId }, 'bringing retries forward failed');
    });
  }

  /** What waited for an endpoint that is back need not wait any longer. */
  async #pullForward(lane: Lane): Promise<void> {
    const { store } = this.#options;
    for (let more = true; more && !this.#closing; ) {
      const done = await store.transaction((tx) => pullForward(tx.db, lane.webhookId), 'normal');
      more = done.more;
      if (done.pulled > 0) this.nudge(lane.webhookId);
    }
  }

  #resumeAfterPause(lane: Lane): void {
    const waitMs = lane.circuit.pausedUntil - this.#options.clock.monotonic();
    if (waitMs <= 0 || this.#closing) return;
    this.#paused.get(lane)?.();
    const cancel = this.#options.clock.after(waitMs, () => {
      this.#paused.delete(lane);
      lane.mayHaveMore = true;
      this.#ready.add(lane);
      this.#send();
    });
    this.#paused.set(lane, cancel);
  }

  #recorded(entries: Entry[]): void {
    for (const entry of entries) {
      entry.lane.settled(entry.delivery);
      this.#ready.add(entry.lane);
      if ('outcome' in entry && entry.outcome.kind === 'retry') this.#agenda.wakeAt(entry.outcome.nextAt);
    }
    this.#send();
  }
}
