import { Readable } from 'node:stream';
import type { Clock } from '../world/clock.ts';
import type { Db } from '../world/database.ts';
import type { Rng } from '../world/rng.ts';
import type { Blobs } from './blobs.ts';
import { DEFAULT_QUOTA, type MediaQuota, MediaRoom } from './media-room.ts';
import { mediaRows } from './media-rows.ts';

/** A link to media: what a direct path leads to until it expires. */
export interface MediaLink {
  id: string;
  kind: string;
  /** SHA-256 of the bytes as uploaded, hex. */
  hash: string;
  size: number;
  createdMs: number;
  expiresMs: number;
}

/** WhatsApp forgets media of its servers after about a month. */
export const LINK_TTL_MS = 30 * 24 * 3600 * 1000;
/** One upload; documents of WhatsApp may have 2 GiB, which no test needs. */
export const UPLOAD_MAX_BYTES = 128 * 1024 * 1024;

export type MediaStore = ReturnType<typeof createMediaStore>;

/**
 * What was uploaded, by tenant: links that expire, over bytes that are there once per hash. Bounded
 * per tenant (20,000 links) and in all: the oldest goes when there is too much, as if the phones
 * had deleted it. Time is the world's; nothing is swept by a timer.
 */
export function createMediaStore(options: { db: Db; clock: Clock; rng: Rng; blobs: Blobs; quota?: MediaQuota }) {
  const { db, clock, rng, blobs, quota = DEFAULT_QUOTA } = options;
  const rows = mediaRows(db);
  const room = new MediaRoom({ rows, blobs, clock, quota });

  function link(tenant: string, kind: string, hash: string, size: number): MediaLink {
    const createdMs = clock.nowMs();
    const made = { id: Buffer.from(rng.bytes(18)).toString('base64url'), kind, hash, size, createdMs };
    const expiresMs = createdMs + LINK_TTL_MS;
    rows.insert.run(tenant, made.id, kind, hash, size, createdMs, expiresMs);
    return { ...made, expiresMs };
  }

  return {
    /** Keeps bytes that must have this hash and makes a link to them. Throws BlobError. */
    async put(
      tenant: string,
      kind: string,
      hash: string,
      source: AsyncIterable<Uint8Array> | Uint8Array,
      limit = UPLOAD_MAX_BYTES,
    ): Promise<MediaLink> {
      await room.sweep();
      const stream = source instanceof Uint8Array ? Readable.from([source], { objectMode: false }) : source;
      const size = await blobs.write(tenant, hash, stream, Math.min(limit, quota.tenantBytes));
      const made = link(tenant, kind, hash, size);
      await room.makeFor(tenant);
      await room.makeForAll(size);
      return made;
    },
    /** Another link to bytes that are still here; undefined when they are not. */
    relink(tenant: string, hash: string): MediaLink | undefined {
      const known = rows.newest.get(tenant, hash);
      return known && link(tenant, known.kind, hash, known.size);
    },
    /**
     * What a link leads to. `expired` from its time on, until the bytes are forgotten; `missing`
     * for all others.
     */
    find(tenant: string, id: string): MediaLink | 'expired' | 'missing' {
      const row = rows.select.get(tenant, id);
      if (!row) return 'missing';
      if (row.expires_ms <= clock.nowMs()) return 'expired';
      const { kind, hash, size } = row;
      return { id, kind, hash, size, createdMs: row.created_ms, expiresMs: row.expires_ms };
    },
    read: (tenant: string, { hash }: MediaLink, start: number, end: number): Readable =>
      blobs.read(tenant, hash, start, end),
    all: (tenant: string, { hash }: MediaLink): Promise<Uint8Array | undefined> => blobs.all(tenant, hash),
    /** Forgets everything of a tenant; its links go with the tenant's rows. */
    reset: (tenant: string): Promise<void> => blobs.removeAll(tenant),
  };
}
