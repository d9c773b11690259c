import { Readable } from 'node:stream';
import type { Clock } from '../world/clock.ts';
import { type Db, prepare } from '../world/database.ts';
import type { Rng } from '../world/rng.ts';
import type { Blobs } from './blobs.ts';

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
/** The bytes stay longer: phones keep what they sent and received, and upload it again when asked. */
const RETENTION_MS = 60 * 24 * 3600 * 1000;
/** One upload; documents of WhatsApp may have 2 GiB, which no test needs. */
export const UPLOAD_MAX_BYTES = 128 * 1024 * 1024;
/** What one tenant may have, and all together. */
export interface MediaQuota {
  tenantBytes: number;
  totalBytes: number;
}

const QUOTA: MediaQuota = { tenantBytes: 1024 ** 3, totalBytes: 20 * 1024 ** 3 };
/** The sum over all tenants is taken again after this part of it was added. */
const CHECK_AFTER = 0.05;
const LINKS_PER_TENANT_MAX = 20_000;
const SWEEP_EVERY_MS = 60_000;

interface Row {
  id: string;
  kind: string;
  hash: string;
  size: number;
  created_ms: number;
  expires_ms: number;
}

export type MediaStore = ReturnType<typeof createMediaStore>;

/**
 * What was uploaded, by tenant: links that expire, over bytes that are there once per hash. Bounded per tenant (20,000 links) and in
 * all: the oldest goes when there is too much, as if the phones had deleted it. Time is the world's; nothing is swept by a timer.
 */
export function createMediaStore(options: { db: Db; clock: Clock; rng: Rng; blobs: Blobs; quota?: MediaQuota }) {
  const { db, clock, rng, blobs, quota = QUOTA } = options;
  const insert = prepare<unknown[]>(
    db,
    'insert into media (tenant, id, kind, hash, size, created_ms, expires_ms) values (?,?,?,?,?,?,?)',
  );
  const select = prepare<[string, string], Row>(db, 'select * from media where tenant = ? and id = ?');
  const newest = prepare<[string, string], Row>(
    db,
    'select * from media where tenant = ? and hash = ? order by created_ms desc limit 1',
  );
  const outdated = prepare<[number], { tenant: string; hash: string }>(
    db,
    'select distinct tenant, hash from media where created_ms < ?',
  );
  const dropOutdated = prepare<unknown[]>(db, 'delete from media where created_ms < ?');
  const stillThere = prepare<[string, string], { n: number }>(
    db,
    'select count(*) as n from media where tenant = ? and hash = ?',
  );
  const totals = prepare<[string], { bytes: number | null; links: number | null }>(
    db,
    `select sum(size) as bytes, sum(links) as links from
     (select max(size) as size, count(*) as links from media where tenant = ? group by hash)`,
  );
  const oldest = prepare<[string], { hash: string }>(
    db,
    'select hash from media where tenant = ? order by created_ms, id limit 1',
  );
  const totalOfAll = prepare<[], { bytes: number | null }>(
    db,
    'select sum(size) as bytes from (select max(size) as size from media group by tenant, hash)',
  );
  const oldestOfAll = prepare<[], { tenant: string; hash: string }>(
    db,
    'select tenant, hash from media order by expires_ms limit 1',
  );
  const dropHash = prepare<unknown[]>(db, 'delete from media where tenant = ? and hash = ?');
  let sweptMs = Number.NEGATIVE_INFINITY;
  let bytesUntilCheck = 0;

  async function sweep(): Promise<void> {
    const now = clock.nowMs();
    if (now - sweptMs < SWEEP_EVERY_MS) return;
    sweptMs = now;
    const gone = outdated.all(now - RETENTION_MS);
    dropOutdated.run(now - RETENTION_MS);
    for (const { tenant, hash } of gone) {
      if ((stillThere.get(tenant, hash)?.n ?? 0) === 0) await blobs.remove(tenant, hash);
    }
  }

  async function makeRoom(tenant: string): Promise<void> {
    for (;;) {
      const { bytes, links } = totals.get(tenant) ?? {};
      if ((bytes ?? 0) <= quota.tenantBytes && (links ?? 0) <= LINKS_PER_TENANT_MAX) return;
      const victim = oldest.get(tenant)?.hash;
      if (victim === undefined) return;
      await drop(tenant, victim);
    }
  }

  /** The bound over all tenants; may be passed by a twentieth between two checks. */
  async function makeRoomForAll(addedBytes: number): Promise<void> {
    bytesUntilCheck -= addedBytes;
    if (bytesUntilCheck > 0) return;
    for (;;) {
      const bytes = totalOfAll.get()?.bytes ?? 0;
      bytesUntilCheck = quota.totalBytes * CHECK_AFTER;
      const victim = bytes > quota.totalBytes ? oldestOfAll.get() : undefined;
      if (!victim) return;
      await drop(victim.tenant, victim.hash);
    }
  }

  async function drop(tenant: string, hash: string): Promise<void> {
    dropHash.run(tenant, hash);
    await blobs.remove(tenant, hash);
  }

  function link(tenant: string, kind: string, hash: string, size: number): MediaLink {
    const createdMs = clock.nowMs();
    const made = { id: Buffer.from(rng.bytes(18)).toString('base64url'), kind, hash, size, createdMs };
    const expiresMs = createdMs + LINK_TTL_MS;
    insert.run(tenant, made.id, kind, hash, size, createdMs, expiresMs);
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
      await sweep();
      const stream = source instanceof Uint8Array ? Readable.from([source], { objectMode: false }) : source;
      const size = await blobs.write(tenant, hash, stream, Math.min(limit, quota.tenantBytes));
      const made = link(tenant, kind, hash, size);
      await makeRoom(tenant);
      await makeRoomForAll(size);
      return made;
    },
    /** Another link to bytes that are still here; undefined when they are not. */
    relink(tenant: string, hash: string): MediaLink | undefined {
      const known = newest.get(tenant, hash);
      return known && link(tenant, known.kind, hash, known.size);
    },
    /** What a link leads to. `expired` from its time on, until the bytes are forgotten; `missing` for all others. */
    find(tenant: string, id: string): MediaLink | 'expired' | 'missing' {
      const row = select.get(tenant, id);
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
