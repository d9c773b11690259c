import { type Clock, stayAwake, systemClock } from '../core/clock.ts';
import { backoffMs } from '../core/retry.ts';
import type { Log } from '../observe/logger.ts';
import type { Store, Tx } from '../store/db/store.ts';
import { countWebhookTraffic, type WebhookTraffic } from '../store/lines/traffic.ts';
import { markDelivered, packAttempt } from '../store/webhooks/delivering-attempt.ts';
import {
  closeDeliveries,
  type DueDelivery,
  insertAttempts,
  markFailed,
  presentDeliveries,
} from '../store/webhooks/delivery-queue.ts';
import { readHealth, writeHealth } from '../store/webhooks/health.ts';
import { stillHeld } from '../store/webhooks/lanes.ts';
import type { AttemptResult } from './attempt.ts';
import { type Health, healthAfter } from './health.ts';
import type { Lane } from './lane.ts';
import type { Outcome } from './outcome.ts';
import { switchOff } from './switch-off.ts';

/** How a delivery left the dispatcher: by an attempt, or without one. */
export type Entry = { lane: Lane; delivery: DueDelivery } & (
  | { result: AttemptResult; outcome: Outcome }
  | { closed: 'expired' | 'skipped' }
);

export interface RecorderDeps {
  store: Store;
  clock: Clock;
  log: Log;
  /** Who holds the lanes: outcomes of one that another process took over are not stored. */
  owner: string;
  /** The entries are in the database. */
  onRecorded(entries: Entry[]): void;
  onSwitchedOff(lane: Lane, reason: 'failing' | 'gone'): void;
}

const MAX_BATCH = 500;
/**
 * Between two transactions, so that under load many outcomes share one. The first after a pause
 * goes at once; a kill repeats what ended within this time.
 */
const GATHER_MS = 15;
const RETRY_CAP_MS = 5_000;

/** Faults of this machine say nothing about the endpoint. */
const isOurFault = (result: AttemptResult): boolean => result.errorClass === 'local' || result.errorClass === 'render';

const attemptRow = ({ delivery, result }: { delivery: DueDelivery; result: AttemptResult }) => ({
  delivery_id: delivery.id,
  number: delivery.attempts + 1,
  at: result.at,
  duration_ms: result.durationMs,
  status_code: result.statusCode,
  error_class: result.errorClass,
  response_excerpt: result.excerpt,
});

/**
 * Stores outcomes, as many as there are in one transaction: while one commits, the next ones
 * gather. What a crash takes before its commit is attempted again (at least once). While the
 * database fails, entries are kept and tried again; the dispatcher starts nothing new meanwhile.
 */
export class Recorder {
  #waiting: Entry[] = [];
  #running: Promise<void> | undefined;
  readonly #deps: RecorderDeps;
  #storedAt = Number.NEGATIVE_INFINITY;
  #isEnding = false;

  constructor(deps: RecorderDeps) {
    this.#deps = deps;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  add(entry: Entry): void {
    this.#waiting.push(entry);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when everything added so far is stored. */
  async drained(): Promise<void> {
    this.#isEnding = true;
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    const { store, clock, log } = this.#deps;
    // Outcomes of the same moment go together.
    await Promise.resolve();
    for (let failures = 0; this.#waiting.length > 0; ) {
      await this.#gather();
      const batch = this.#waiting.slice(0, MAX_BATCH);
      try {
        const off: [Lane, 'failing' | 'gone'][] = [];
        const healths = await store.transaction(async (tx) => {
          off.length = 0;
          // A delivery that was deleted while it was under way has no place in the log; looked for
          // only when something failed.
          const present = failures === 0 ? batch : await stillThere(tx, batch);
          const ours = await this.#fenced(tx, present);
          return storeBatch(tx, ours, clock.now(), (lane, reason) => off.push([lane, reason]));
        }, 'normal');
        failures = 0;
        this.#storedAt = systemClock.monotonic();
        this.#waiting.splice(0, batch.length);
        for (const [lane, health] of healths) lane.endpoint.webhook.failingSince = health.failingSince;
        for (const [lane, reason] of off) this.#deps.onSwitchedOff(lane, reason);
        this.#deps.onRecorded(batch);
      } catch (error) {
        failures += 1;
        // Once more at once, without what was deleted meanwhile; said aloud only when that was not
        // it.
        if (failures === 1) continue;
        log.error({ error, waiting: this.#waiting.length }, 'storing delivery outcomes failed; trying again');
        await clock.sleep(backoffMs(failures, clock.random(), 500, RETRY_CAP_MS));
      }
    }
  }

  /** Lets outcomes come together, unless a caller waits for one: strict order, or the end. */
  async #gather(): Promise<void> {
    const waitMs = this.#storedAt + GATHER_MS - systemClock.monotonic();
    if (waitMs <= 0 || this.#isEnding || this.#waiting.length >= MAX_BATCH) return;
    if (this.#waiting.some(({ lane }) => lane.isStrict)) return;
    await stayAwake(waitMs);
  }

  /** Without what belongs to others by now: they send it (again), and their outcome counts. */
  async #fenced(tx: Tx, batch: Entry[]): Promise<Entry[]> {
    const { store, owner } = this.#deps;
    const held = await stillHeld(tx.db, store.engine, [...new Set(batch.map((one) => one.lane.webhookId))], owner);
    return batch.filter((entry) => held.has(entry.lane.webhookId));
  }
}

async function stillThere(tx: Tx, batch: Entry[]): Promise<Entry[]> {
  const seqs = batch.map((entry) => entry.delivery.seq);
  const there = await presentDeliveries(tx.db, seqs);
  return batch.filter((entry) => there.has(entry.delivery.seq));
}

type OnOff = (lane: Lane, reason: 'failing' | 'gone') => void;

async function storeBatch(tx: Tx, batch: Entry[], now: number, onOff: OnOff): Promise<Map<Lane, Health>> {
  const attempted = batch.flatMap((entry) => ('result' in entry ? [entry] : []));
  const delivered = attempted.filter((entry) => entry.outcome.kind === 'delivered');
  const closed = (state: 'expired' | 'skipped') =>
    batch.flatMap((entry) => ('closed' in entry && entry.closed === state ? [entry.delivery.seq] : []));
  await markDelivered(
    tx.db,
    delivered.map(({ delivery, result }) => ({
      seq: delivery.seq,
      attempt: packAttempt({ ...result, responseExcerpt: result.excerpt }),
    })),
    now,
  );
  await closeDeliveries(tx.db, closed('expired'), 'expired', now);
  await closeDeliveries(tx.db, closed('skipped'), 'skipped', now);
  for (const { delivery, outcome } of attempted) {
    if (outcome.kind === 'delivered') continue;
    await markFailed(tx.db, delivery.seq, { nextAt: outcome.kind === 'retry' ? outcome.nextAt : null, at: now });
  }
  const failed = attempted.filter((entry) => entry.outcome.kind !== 'delivered');
  await insertAttempts(tx.db, failed.map(attemptRow));
  const healths = await storeHealth(tx, attempted, now, onOff);
  await countWebhookTraffic(tx.db, trafficOf(attempted), now);
  return healths;
}

function trafficOf(attempted: readonly Attempted[]): Map<string, WebhookTraffic> {
  const traffic = new Map<string, WebhookTraffic>();
  for (const { lane, outcome, result } of attempted) {
    const before = traffic.get(lane.webhookId) ?? { delivered: 0, failedAttempts: 0, answerMs: 0, slowestAnswerMs: 0 };
    const isDelivered = outcome.kind === 'delivered';
    traffic.set(lane.webhookId, {
      delivered: before.delivered + (isDelivered ? 1 : 0),
      failedAttempts: before.failedAttempts + (isDelivered ? 0 : 1),
      answerMs: before.answerMs + result.durationMs,
      slowestAnswerMs: Math.max(before.slowestAnswerMs, result.durationMs),
    });
  }
  return traffic;
}

type Attempted = Extract<Entry, { result: AttemptResult }>;

/** Follows each webhook's health through the batch, and writes it where it changed. */
async function storeHealth(tx: Tx, attempted: Attempted[], now: number, onOff: OnOff): Promise<Map<Lane, Health>> {
  const lanes = new Map<Lane, Attempted[]>();
  for (const entry of attempted) {
    if (isOurFault(entry.result)) continue;
    lanes.set(entry.lane, [...(lanes.get(entry.lane) ?? []), entry]);
  }
  const healths = new Map<Lane, Health>();
  for (const [lane, entries] of lanes) {
    const { webhook } = lane.endpoint;
    const wasHealthy = webhook.failingSince === null;
    if (wasHealthy && entries.every((entry) => entry.outcome.kind === 'delivered')) continue;
    const before = await readHealth(tx.db, webhook.id);
    if (!before) continue;
    let health: Health & { disable?: boolean } = before;
    for (const { result, outcome } of entries) {
      health = healthAfter(health, outcome.kind === 'delivered', result.at + result.durationMs);
    }
    await writeHealth(tx.db, webhook.id, health);
    healths.set(lane, health);
    const gone = entries.some((entry) => entry.outcome.kind === 'gone');
    const reason = gone ? 'gone' : health.disable ? 'failing' : undefined;
    if (reason && (await switchOff(tx, { ...webhook, failingSince: health.failingSince }, reason, now)))
      onOff(lane, reason);
  }
  return healths;
}
