import { LRUCache } from 'lru-cache';
import { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { within } from '../core/within.ts';
import type { Log } from '../observe/logger.ts';
import type { Grant } from '../store/access/rate-windows.ts';
import {
  createSlidingWindow,
  DEFAULT_LIMITS,
  type LimitClass,
  type LimitRule,
  type RateLimiter,
  type SlidingWindow,
  type Verdict,
} from './rate-limit.ts';

export interface SharedLimiterOptions {
  clock: Clock;
  log: Log;
  limits?: Partial<Record<LimitClass, LimitRule>>;
  /** Nodes that are up, this one among them. */
  nodes(): number;
  /** Where the fleet counts (store/access/rate-windows.ts). */
  takePlaces(bucket: string, want: { want: number; max: number; windowMs: number }): Promise<Grant>;
}

/** What this node knows of one budget. */
interface Bucket {
  /** Places that are ours until `until` (monotonic). */
  left: number;
  until: number;
  /** Places that are free in the whole fleet, as far as is known. */
  free: number;
  freeInMs: number;
  /** The whole budget is taken until then (monotonic). */
  refusedUntil: number;
  /** Places that requests wait for. */
  wanted: number;
  asking: Promise<void> | undefined;
}

const MAX_BUCKETS = 20_000;
const ANSWER_WITHIN_MS = 3_000;
/** While the count cannot be reached it is not asked with every request. */
const AWAY_MS = 2_000;
/** From this size on a budget is taken in portions of a fiftieth, and shared by all nodes. */
const PORTION = 0.02;
/** A portion may be used for so long; its places count for that much longer. */
const PORTION_MS = 1_000;
/** Rounds of one request: those that others took from under it. */
const MAX_ROUNDS = 3;

/**
 * Budgets that a fleet shares: never more than `max` in any window over all nodes. Small ones are
 * exact; of those from 100 a minute on up to 4 % may go unused. While the count cannot be reached
 * each node allows its share of each budget, and nothing that provisions (`unavailable`).
 */
export function createSharedRateLimiter(options: SharedLimiterOptions): RateLimiter {
  return new SharedRateLimiter(options);
}

class SharedRateLimiter implements RateLimiter {
  readonly #options: SharedLimiterOptions;
  readonly #rules: Record<LimitClass, LimitRule>;
  readonly #buckets = new LRUCache<string, Bucket>({ max: MAX_BUCKETS });
  readonly #shares = new Map<string, SlidingWindow>();
  #awayUntil = Number.NEGATIVE_INFINITY;

  constructor(options: SharedLimiterOptions) {
    this.#options = options;
    this.#rules = { ...DEFAULT_LIMITS, ...options.limits };
  }

  take(limit: LimitClass, subject: string, places = 1): Verdict | Promise<Verdict> {
    const rule = this.#rules[limit];
    const { max, windowMs } = rule;
    if (max === 0) return { allowed: true, limit: 0, remaining: Number.POSITIVE_INFINITY, resetMs: 0, windowMs };
    const bucket = this.#bucketOf(`${limit} ${subject}`);
    return this.#fromHere(bucket, rule, places) ?? this.#fromFleet(bucket, { limit, subject, rule, places });
  }

  #bucketOf(name: string): Bucket {
    const known = this.#buckets.get(name);
    if (known) return known;
    const never = Number.NEGATIVE_INFINITY;
    const fresh = { left: 0, until: never, free: 0, freeInMs: 0, refusedUntil: never, wanted: 0, asking: undefined };
    this.#buckets.set(name, fresh);
    return fresh;
  }

  /** What is known without asking; undefined when it is not. */
  #fromHere(bucket: Bucket, { max, windowMs }: LimitRule, places: number): Verdict | undefined {
    const now = this.#options.clock.monotonic();
    if (bucket.until > now && bucket.left >= places) {
      bucket.left -= places;
      const remaining = bucket.free + bucket.left;
      return { allowed: true, limit: max, remaining, resetMs: bucket.freeInMs, windowMs };
    }
    if (bucket.refusedUntil <= now && places <= max) return undefined;
    const resetMs = Math.max(1, bucket.refusedUntil - now);
    return { allowed: false, limit: max, remaining: 0, resetMs: places > max ? windowMs : resetMs, windowMs };
  }

  async #fromFleet(
    bucket: Bucket,
    asked: { limit: LimitClass; subject: string; rule: LimitRule; places: number },
  ): Promise<Verdict> {
    const { rule, places } = asked;
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      if (this.#options.clock.monotonic() < this.#awayUntil) return this.#fromShare(asked);
      bucket.wanted += places;
      bucket.asking ??= this.#ask(bucket, asked).finally(() => {
        bucket.asking = undefined;
      });
      await bucket.asking;
      const verdict = this.#fromHere(bucket, rule, places);
      if (verdict) return verdict;
    }
    return {
      allowed: false,
      limit: rule.max,
      remaining: Math.max(0, bucket.free),
      resetMs: Math.max(1, bucket.freeInMs),
      windowMs: rule.windowMs,
    };
  }

  /** One question at a time for each budget, for all that wait for it. */
  async #ask(bucket: Bucket, { limit, subject, rule }: { limit: LimitClass; subject: string; rule: LimitRule }) {
    const { clock, log, takePlaces } = this.#options;
    // Requests of this very moment are asked for together.
    await Promise.resolve();
    const portion = Math.floor((rule.max * PORTION) / Math.max(1, this.#options.nodes()));
    const isPortioned = portion > 1;
    const want = Math.max(bucket.wanted, isPortioned ? portion : 1);
    const windowMs = rule.windowMs + (isPortioned ? PORTION_MS : 0);
    bucket.wanted = 0;
    const sentAt = clock.monotonic();
    const grant = await within(
      clock,
      takePlaces(`${limit} ${subject}`, { want, max: rule.max, windowMs }).catch((error: unknown) => {
        if (this.#awayUntil < sentAt) log.warn({ error }, 'the budgets of the fleet cannot be counted; a share counts');
        return undefined;
      }),
      ANSWER_WITHIN_MS,
    );
    if (!grant) {
      this.#awayUntil = clock.monotonic() + AWAY_MS;
      return;
    }
    bucket.left = grant.granted;
    bucket.until = sentAt + PORTION_MS;
    bucket.free = Math.max(0, rule.max - grant.taken);
    bucket.freeInMs = grant.freeInMs;
    if (grant.granted === 0) bucket.refusedUntil = clock.monotonic() + grant.freeInMs;
  }

  /** What one node may allow by itself. */
  #fromShare({
    limit,
    subject,
    rule,
    places,
  }: {
    limit: LimitClass;
    subject: string;
    rule: LimitRule;
    places: number;
  }): Verdict {
    if (limit === 'provision') throw new AppError('unavailable', { retryAfterSeconds: 5 });
    const max = Math.max(1, Math.floor(rule.max / Math.max(1, this.#options.nodes())));
    const name = `${limit} ${max}`;
    const window =
      this.#shares.get(name) ?? createSlidingWindow({ rule: { ...rule, max }, clock: this.#options.clock });
    this.#shares.set(name, window);
    return window.take(subject, places);
  }
}
