import type { Clock } from '../world/clock.ts';
import type { Blobs } from './blobs.ts';
import type { MediaRows } from './media-rows.ts';

/** What one tenant may have, and all together. */
export interface MediaQuota {
  tenantBytes: number;
  totalBytes: number;
}

export const DEFAULT_QUOTA: MediaQuota = { tenantBytes: 1024 ** 3, totalBytes: 20 * 1024 ** 3 };
/**
 * The bytes stay longer than their links: phones keep what they sent and received, and upload it
 * again when asked.
 */
const RETENTION_MS = 60 * 24 * 3600 * 1000;
/** The sum over all tenants is taken again after this part of it was added. */
const CHECK_AFTER = 0.05;
const LINKS_PER_TENANT_MAX = 20_000;
const SWEEP_EVERY_MS = 60_000;

/**
 * Makes room for media: the oldest goes when there is too much, as if the phones had deleted it.
 * Nothing is swept by a timer.
 */
export class MediaRoom {
  readonly #rows: MediaRows;
  readonly #blobs: Blobs;
  readonly #clock: Clock;
  readonly #quota: MediaQuota;
  #sweptMs = Number.NEGATIVE_INFINITY;
  #bytesUntilCheck = 0;

  constructor(options: { rows: MediaRows; blobs: Blobs; clock: Clock; quota: MediaQuota }) {
    this.#rows = options.rows;
    this.#blobs = options.blobs;
    this.#clock = options.clock;
    this.#quota = options.quota;
  }

  /** Deletes files past their retention. */
  async sweep(): Promise<void> {
    const now = this.#clock.nowMs();
    if (now - this.#sweptMs < SWEEP_EVERY_MS) return;
    this.#sweptMs = now;
    const gone = this.#rows.outdated.all(now - RETENTION_MS);
    this.#rows.dropOutdated.run(now - RETENTION_MS);
    for (const { tenant, hash } of gone) {
      if ((this.#rows.stillThere.get(tenant, hash)?.n ?? 0) === 0) await this.#blobs.remove(tenant, hash);
    }
  }

  async makeFor(tenant: string): Promise<void> {
    for (;;) {
      const { bytes, links } = this.#rows.totals.get(tenant) ?? {};
      if ((bytes ?? 0) <= this.#quota.tenantBytes && (links ?? 0) <= LINKS_PER_TENANT_MAX) return;
      const victim = this.#rows.oldest.get(tenant)?.hash;
      if (victim === undefined) return;
      await this.#drop(tenant, victim);
    }
  }

  /** The bound over all tenants; may be passed by a twentieth between two checks. */
  async makeForAll(addedBytes: number): Promise<void> {
    this.#bytesUntilCheck -= addedBytes;
    if (this.#bytesUntilCheck > 0) return;
    for (;;) {
      const bytes = this.#rows.totalOfAll.get()?.bytes ?? 0;
      this.#bytesUntilCheck = this.#quota.totalBytes * CHECK_AFTER;
      const victim = bytes > this.#quota.totalBytes ? this.#rows.oldestOfAll.get() : undefined;
      if (!victim) return;
      await this.#drop(victim.tenant, victim.hash);
    }
  }

  async #drop(tenant: string, hash: string): Promise<void> {
    this.#rows.dropHash.run(tenant, hash);
    await this.#blobs.remove(tenant, hash);
  }
}
