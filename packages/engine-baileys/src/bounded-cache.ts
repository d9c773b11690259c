import type { CacheStore } from './baileys.ts';

interface Entry {
  value: unknown;
  expiresAt: number;
}

/**
 * A cache for Baileys with a bound in number and in time, without timers: the least recently used
 * entry goes first, expired ones are dropped when they are met. Baileys' own caches are unbounded.
 */
export class BoundedCache implements CacheStore {
  readonly #entries = new Map<string, Entry>();
  readonly #limit: number;
  readonly #ttlMs: number;
  readonly #now: () => number;

  constructor(limit: number, ttlMs: number, now: () => number) {
    this.#limit = limit;
    this.#ttlMs = ttlMs;
    this.#now = now;
  }

  get<T>(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    if (entry.expiresAt <= this.#now()) return undefined;
    this.#entries.set(key, entry);
    // Baileys names the type it stored under that key itself.
    return entry.value as T;
  }

  set<T>(key: string, value: T): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, expiresAt: this.#now() + this.#ttlMs });
    if (this.#entries.size <= this.#limit) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  del(key: string): void {
    this.#entries.delete(key);
  }

  flushAll(): void {
    this.#entries.clear();
  }
}
