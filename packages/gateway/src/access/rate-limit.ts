import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/clock.ts';

/** At most `max` requests in any `windowMs` milliseconds. `max` 0 = no limit. */
export interface LimitRule {
  max: number;
  windowMs: number;
}

/** What one request was told. */
export interface Verdict {
  allowed: boolean;
  /** The rule's `max`. */
  limit: number;
  /** Requests that would still pass right now. */
  remaining: number;
  /**
   * Milliseconds until the next place gets free: a request after that passes. 0 while there are
   * free places and none is taken.
   */
  resetMs: number;
  windowMs: number;
}

export interface SlidingWindow {
  /** Takes `places` (1) for `key` when there are that many. A refused request takes none. */
  take(key: string, places?: number): Verdict;
  /** Keys remembered right now; never more than the bound. */
  size(): number;
}

/** The instants of the last requests of one key, oldest first, in a ring that grows up to `max`. */
interface Track {
  times: number[];
  first: number;
}

/**
 * An exact sliding window: never more than `max` in ANY window, and a request after `resetMs`
 * always passes. Needs `max` numbers per busy key. At most `maxKeys` keys are remembered; beyond
 * that the one that was used longest ago is forgotten (and starts afresh).
 */
export function createSlidingWindow(options: { rule: LimitRule; clock: Clock; maxKeys?: number }): SlidingWindow {
  const { rule, clock } = options;
  const maxKeys = options.maxKeys ?? 20_000;
  const tracks = new LRUCache<string, Track>({ max: maxKeys });

  const trackOf = (key: string): Track => {
    const known = tracks.get(key);
    if (known) return known;
    const fresh: Track = { times: [], first: 0 };
    tracks.set(key, fresh);
    return fresh;
  };

  return {
    take(key, places = 1) {
      const { max, windowMs } = rule;
      if (max === 0) return { allowed: true, limit: 0, remaining: Number.POSITIVE_INFINITY, resetMs: 0, windowMs };
      const now = clock.monotonic();
      const track = trackOf(key);
      forget(track, now - windowMs);
      const taken = track.times.length - track.first;
      const allowed = taken + places <= max;
      if (allowed) for (let place = 0; place < places; place += 1) track.times.push(now);
      // How many of the oldest have to go before this request passes.
      const toGo = allowed ? 1 : Math.min(taken, taken + places - max);
      const oldest = track.times[track.first + toGo - 1] ?? now;
      return {
        allowed,
        limit: max,
        remaining: max - (track.times.length - track.first),
        resetMs: Math.max(0, oldest + windowMs - now),
        windowMs,
      };
    },
    size: () => tracks.size,
  };
}

/**
 * Drops the instants at or before `until`; compacts once half of the list is dead, so that a
 * request costs constant time on average.
 */
function forget(track: Track, until: number): void {
  while (track.first < track.times.length && (track.times[track.first] ?? 0) <= until) track.first += 1;
  if (track.first > 64 && track.first * 2 > track.times.length) {
    track.times = track.times.slice(track.first);
    track.first = 0;
  }
}

/** Budgets per API key, or (`console`) per session. */
export type RowLimit = 'provision' | 'proxy' | 'api' | 'events' | 'sandbox' | 'console';
/** Budgets per address. */
export type IpLimit = 'ip' | 'sandbox_ip' | 'console_ip' | 'assets_ip';
/** Which budget a request draws from. */
export type LimitClass = RowLimit | IpLimit;

const MINUTE_MS = 60_000;

/**
 * The published limits of the Bridges API (provisioning, proxy, every other call, per address), per
 * minute. Calls of the sandbox drive a whole test suite against a network of our own, so they have
 * their own, wider budget; so has the console, whose pages ask for several things at once, and so
 * have those who ask for events again as soon as they got some. The console's built files, which a
 * browser fetches once and keeps, spend from neither: many people behind one address, all of them
 * with an empty cache, must not lock each other out.
 */
export const DEFAULT_LIMITS: Record<LimitClass, LimitRule> = {
  provision: { max: 10, windowMs: MINUTE_MS },
  proxy: { max: 120, windowMs: MINUTE_MS },
  api: { max: 120, windowMs: MINUTE_MS },
  events: { max: 300, windowMs: MINUTE_MS },
  sandbox: { max: 12_000, windowMs: MINUTE_MS },
  ip: { max: 300, windowMs: MINUTE_MS },
  sandbox_ip: { max: 12_000, windowMs: MINUTE_MS },
  console: { max: 1_200, windowMs: MINUTE_MS },
  console_ip: { max: 3_000, windowMs: MINUTE_MS },
  assets_ip: { max: 12_000, windowMs: MINUTE_MS },
};

/** The rules of configured budgets per minute. */
export function rulesPerMinute(config: {
  provisionPerMinute: number;
  proxyPerMinute: number;
  otherPerMinute: number;
  ipPerMinute: number;
  sandboxPerMinute: number;
}): Partial<Record<LimitClass, LimitRule>> {
  const rule = (max: number): LimitRule => ({ max, windowMs: MINUTE_MS });
  return {
    provision: rule(config.provisionPerMinute),
    proxy: rule(config.proxyPerMinute),
    api: rule(config.otherPerMinute),
    ip: rule(config.ipPerMinute),
    sandbox: rule(config.sandboxPerMinute),
    sandbox_ip: rule(config.sandboxPerMinute),
  };
}

export interface RateLimiter {
  /**
   * `subject` is an API key's id, or an address made by `addressBucket`. A promise where others
   * must be asked.
   */
  take(limit: LimitClass, subject: string, places?: number): Verdict | Promise<Verdict>;
}

/** Of one process. */
export interface OwnRateLimiter extends RateLimiter {
  take(limit: LimitClass, subject: string, places?: number): Verdict;
}

/** One window per class, of a node that is alone (a fleet: shared-rate-limit.ts). */
export function createRateLimiter(options: {
  clock: Clock;
  limits?: Partial<Record<LimitClass, LimitRule>>;
  maxKeys?: number;
}): OwnRateLimiter {
  const rules = { ...DEFAULT_LIMITS, ...options.limits };
  const make = (limit: LimitClass): SlidingWindow =>
    createSlidingWindow({ rule: rules[limit], clock: options.clock, maxKeys: options.maxKeys });
  const windows: Record<LimitClass, SlidingWindow> = {
    provision: make('provision'),
    proxy: make('proxy'),
    api: make('api'),
    events: make('events'),
    sandbox: make('sandbox'),
    ip: make('ip'),
    sandbox_ip: make('sandbox_ip'),
    console: make('console'),
    console_ip: make('console_ip'),
    assets_ip: make('assets_ip'),
  };
  return { take: (limit, subject, places) => windows[limit].take(subject, places) };
}

/**
 * The bucket of an address: IPv4 as it is, IPv6 by its /64 (one customer's network); text that is
 * no address is its own bucket.
 */
export function addressBucket(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return parsed
    .toByteArray()
    .slice(0, 8)
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
