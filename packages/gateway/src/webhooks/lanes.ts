import type { SealedBox } from '../crypto/sealed-box.ts';
import type { Guard } from '../net/guarded-fetch.ts';
import type { Log } from '../observe/logger.ts';
import type { Store } from '../store/db/store.ts';
import {
  type DueDelivery,
  dueAtOnce,
  dueAtOnceOf,
  dueRetries,
  newestDelivery,
  readWebhooks,
  waitingRetries,
} from '../store/webhooks/delivery-queue.ts';
import { freeLanes, renewLanes, takeLanes } from '../store/webhooks/lanes.ts';
import { type NewlyDue, newlyDue } from '../store/webhooks/new-deliveries.ts';
import { type Endpoint, openEndpoint } from '../store/webhooks/webhooks.ts';
import { MAX_CONCURRENT } from './circuit.ts';
import { Lane, LOW_WATER, type Now } from './lane.ts';

/**
 * How long a lane stays with a silent holder: when one is killed, another process continues this
 * much later. A holder renews its lanes all the time, also while an attempt outlasts the lease; one
 * that could not is fenced: it takes its requests back, and what it still learns of them is not
 * stored once another process has the lane (recorder.ts).
 */
export const LANE_LEASE_MS = 15_000;
/** How often a holder renews. Two may fail before a lane lapses. */
export const RENEW_EVERY_MS = 4_000;
/** A lane with less left than this is renewed with the next taking, whatever the time. */
const RENEW_BELOW_MS = LANE_LEASE_MS - 2 * RENEW_EVERY_MS;
const DROP_AFTER_IDLE_MS = 60_000;
/** Deliveries read at once, and how many retries may be among them. */
const READ_AT_ONCE = 64;
const READ_RETRIES = 16;

export interface LanesDeps {
  store: Store;
  box: SealedBox;
  guard: Guard;
  log: Log;
  /** Names this run of the process among those that deliver from the same database. */
  owner: string;
}

type WebhookRow = Awaited<ReturnType<typeof readWebhooks>>[number];

/**
 * The lanes this process holds: taking, reading, giving back. A webhook has one holder at a time,
 * so its order and concurrency hold on any number of nodes.
 */
export class Lanes {
  readonly #byId = new Map<string, Lane>();
  readonly #deps: LanesDeps;

  constructor(deps: LanesDeps) {
    this.#deps = deps;
  }

  get(webhookId: string): Lane | undefined {
    return this.#byId.get(webhookId);
  }

  /**
   * The lanes of these webhooks that this process holds after it tried to take those it did not.
   */
  async hold(webhookIds: readonly string[], now: Now): Promise<Lane[]> {
    const { store, owner } = this.#deps;
    const wanted = webhookIds.filter((id) => {
      const lane = this.#byId.get(id);
      return !lane || lane.leaseUntil - now.monotonic < RENEW_BELOW_MS;
    });
    if (wanted.length > 0) {
      const lease = { owner, now: now.wall, until: now.wall + LANE_LEASE_MS };
      const rows = await store.transaction((tx) => takeLanes(tx.db, wanted, lease), 'normal');
      const held = new Set(rows.map((row) => row.id));
      for (const id of wanted) if (!held.has(id)) this.#letGo(id, now);
      for (const row of rows) {
        const lane = this.#refresh(row, now);
        if (lane) lane.leaseUntil = now.monotonic + LANE_LEASE_MS;
      }
    }
    return webhookIds.flatMap((id) => this.#byId.get(id) ?? []);
  }

  /**
   * Renews the lease of every lane with work, in one statement; one without work may lapse and is
   * taken anew when something is due. Lanes that another process took, and those whose time ran
   * out, are let go of.
   */
  async renew(now: () => Now): Promise<void> {
    const busy = () => [...this.#byId.values()].filter((lane) => !lane.isIdle);
    const ids = busy().map((lane) => lane.webhookId);
    if (ids.length === 0) return;
    const begun = now();
    try {
      const { store, owner } = this.#deps;
      const until = begun.wall + LANE_LEASE_MS;
      const kept = new Set(await store.transaction((tx) => renewLanes(tx.db, ids, { owner, until }), 'normal'));
      for (const id of ids) {
        const lane = this.#byId.get(id);
        if (!lane) continue;
        if (kept.has(id)) lane.leaseUntil = begun.monotonic + LANE_LEASE_MS;
        else this.#lapse(id);
      }
    } finally {
      const { monotonic } = now();
      for (const lane of busy()) if (lane.leaseUntil <= monotonic) this.#lapse(lane.webhookId);
    }
  }

  /**
   * It could not be taken: its webhook is off or gone, or, when our lease had run out, with another
   * process.
   */
  #letGo(webhookId: string, now: Now): void {
    const lane = this.#byId.get(webhookId);
    if (lane && lane.leaseUntil <= now.monotonic) this.#lapse(webhookId);
    else this.drop(webhookId);
  }

  /** No longer ours: what is under way is taken back, because its next holder sends it. */
  #lapse(webhookId: string): void {
    const lane = this.#byId.get(webhookId);
    if (!lane) return;
    lane.hasLapsed = true;
    this.drop(webhookId);
    lane.pool.destroy();
  }

  /**
   * Reads the deliveries numbered after `after`, and puts them straight into the queues of lanes
   * that hold everything else; lanes not held yet are named, lanes that are behind know that they
   * are. Undefined when there are too many for that.
   */
  async readNew(after: number, now: Now): Promise<{ webhookIds: string[]; lastSeq: number } | undefined> {
    const { store, owner } = this.#deps;
    const lanes = [...this.#byId.values()];
    const behind = lanes.filter((lane) => lane.isBehind).map((lane) => lane.webhookId);
    // Without anything under way there is no outcome that what is read could be older than.
    const reading = lanes.filter((lane) => !lane.isIdle);
    for (const lane of reading) lane.beginReading();
    try {
      // Read first: what is left out below must not be looked at again and again.
      const newest = behind.length > 0 ? await newestDelivery(store.db) : after;
      const query = { after, limit: READ_AT_ONCE, without: behind, taker: owner, now: now.wall };
      const rows = await newlyDue(store.db, query);
      if (rows.length === READ_AT_ONCE) return undefined;
      const news = byWebhook(rows);
      for (const [webhookId, found] of news) this.#hand(webhookId, found, now);
      return { webhookIds: [...news.keys()], lastSeq: Math.max(newest, rows.at(-1)?.delivery.seq ?? after) };
    } finally {
      for (const lane of reading) lane.endReading();
    }
  }

  #hand(webhookId: string, news: readonly NewlyDue[], now: Now): void {
    const [first] = news;
    const lane = first && this.#byId.has(webhookId) ? this.#refresh(first.webhook, now) : undefined;
    if (!lane) return;
    const deliveries = news.map(({ delivery }) => delivery);
    if (lane.isBehind || !lane.append(deliveries, now, READ_AT_ONCE)) lane.mayHaveMore = true;
  }

  /** Reads what is due into the queues of these lanes, and their webhooks as they are now. */
  async read(lanes: readonly Lane[], now: Now): Promise<void> {
    const { store } = this.#deps;
    const rows = await readWebhooks(
      store.db,
      lanes.map((lane) => lane.webhookId),
    );
    const byId = new Map(rows.map((row) => [row.id, row]));
    const held = lanes.flatMap(({ webhookId }) => {
      const row = byId.get(webhookId);
      const lane = row?.status === 'enabled' ? this.#refresh(row, now) : undefined;
      if (!lane) this.drop(webhookId);
      return lane ?? [];
    });
    for (const lane of held) lane.beginReading();
    const rest = new Set(held);
    for (const lane of await this.#fillTogether(
      held.filter((one) => one.isNearEnd),
      now,
    ))
      rest.delete(lane);
    for (const lane of rest) await this.#fill(lane, now);
  }

  /**
   * One query for all lanes that keep up with their events: usually each has the same few new ones.
   * Answers those it filled.
   */
  async #fillTogether(lanes: Lane[], now: Now): Promise<Lane[]> {
    if (lanes.length < 2) return [];
    const limit = lanes.reduce((sum, lane) => sum + LOW_WATER + lane.takenCount, 0);
    const ids = lanes.map((lane) => lane.webhookId);
    const due = await dueAtOnceOf(this.#deps.store.db, ids, limit);
    if (!due) return [];
    for (const lane of lanes) lane.fill(due.get(lane.webhookId) ?? [], false, now);
    return lanes;
  }

  /**
   * Forgets a lane: its webhook is gone, off, or with another process. What is under way ends by
   * itself.
   */
  drop(webhookId: string): void {
    const lane = this.#byId.get(webhookId);
    if (!lane) return;
    this.#byId.delete(webhookId);
    lane.reread();
    lane.leaseUntil = 0;
    if (lane.inFlight === 0) lane.pool.destroy();
  }

  /** Gives back lanes that had nothing to do for a while. */
  async dropIdle(now: Now): Promise<void> {
    const idle = [...this.#byId.values()].filter(
      (lane) => lane.isIdle && now.monotonic - lane.busyAt > DROP_AFTER_IDLE_MS,
    );
    if (idle.length === 0) return;
    for (const lane of idle) this.drop(lane.webhookId);
    await freeLanes(
      this.#deps.store.db,
      this.#deps.owner,
      idle.map((lane) => lane.webhookId),
    );
  }

  async close(): Promise<void> {
    for (const lane of this.#byId.values()) lane.pool.destroy();
    this.#byId.clear();
    await freeLanes(this.#deps.store.db, this.#deps.owner);
  }

  #open(row: WebhookRow, now: Now): Endpoint | undefined {
    try {
      return openEndpoint(this.#deps.box, row, now.wall);
    } catch (error) {
      // Its deliveries wait until the key is repaired or the secret rotated.
      this.#deps.log.error({ error, webhookId: row.id }, 'the secret of a webhook cannot be read');
      return undefined;
    }
  }

  #refresh(row: WebhookRow, now: Now): Lane | undefined {
    const endpoint = this.#open(row, now);
    const known = this.#byId.get(row.id);
    if (!endpoint) {
      this.drop(row.id);
      return undefined;
    }
    if (
      known &&
      known.isStrict === endpoint.webhook.strictOrder &&
      known.endpoint.webhook.url === endpoint.webhook.url
    ) {
      known.endpoint = endpoint;
      return known;
    }
    // Another place or another order: nothing that was learnt about the old one counts.
    const leaseUntil = known?.leaseUntil ?? 0;
    if (known && !known.isIdle) {
      known.endpoint = endpoint;
      known.reread();
      return known;
    }
    this.drop(row.id);
    const lane = new Lane(endpoint, this.#deps.guard.openPool({ connections: MAX_CONCURRENT }));
    lane.leaseUntil = leaseUntil;
    lane.busyAt = now.monotonic;
    this.#byId.set(row.id, lane);
    return lane;
  }

  async #fill(lane: Lane, now: Now): Promise<void> {
    const { db } = this.#deps.store;
    const beyondTaken = lane.takenCount;
    const limit = READ_AT_ONCE + beyondTaken;
    const fresh = await dueAtOnce(db, lane.webhookId, limit);
    if (lane.isStrict) {
      const waiting = await waitingRetries(db, lane.webhookId, READ_RETRIES + beyondTaken);
      lane.fill([...fresh, ...waiting], fresh.length === limit, now);
      return;
    }
    let retries: DueDelivery[] = [];
    if (lane.retriesDue) {
      retries = await dueRetries(db, lane.webhookId, now.wall, READ_RETRIES + beyondTaken);
      lane.retriesDue = retries.length === READ_RETRIES + beyondTaken;
    }
    lane.fill([...fresh, ...retries], fresh.length === limit || lane.retriesDue, now);
  }
}

function byWebhook(rows: readonly NewlyDue[]): Map<string, NewlyDue[]> {
  const found = new Map<string, NewlyDue[]>();
  for (const row of rows) {
    const known = found.get(row.webhook.id);
    if (known) known.push(row);
    else found.set(row.webhook.id, [row]);
  }
  return found;
}
