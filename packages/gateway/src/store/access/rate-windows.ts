import { sql } from 'kysely';
import type { Db } from '../db/store.ts';
import { serverNow } from '../fleet/server-time.ts';

/** What a node gets of a budget that the whole fleet shares. */
export interface Grant {
  /** Places, at most as many as were asked for. */
  granted: number;
  /** Taken within the window, the granted ones among them. */
  taken: number;
  /** Milliseconds until the oldest taken place gets free; 0 when none is taken. */
  freeInMs: number;
}

/**
 * Takes up to `want` places of a bucket that has `max` in any `windowMs`, by the database server's
 * clock. Exact however many nodes ask at once: they wait for each other's row. PostgreSQL only.
 */
export async function takePlaces(
  db: Db,
  bucket: string,
  { want, max, windowMs }: { want: number; max: number; windowMs: number },
): Promise<Grant> {
  const first = Math.min(want, max);
  const { rows } = await sql<{ granted: number; taken: number; free_in: number | null }>`
    with at as materialized (select ${serverNow} as now)
    insert into rate_windows as w (bucket, ats, ns, granted, touched_at)
    select ${bucket}, array[at.now], array[${first}::bigint], ${first}::bigint, at.now from at
    on conflict (bucket) do update set (ats, ns, granted, touched_at) = (
      select case when give > 0 then kept.ats || excluded.touched_at else kept.ats end,
             case when give > 0 then kept.ns || give else kept.ns end, give, excluded.touched_at
        from (select coalesce(array_agg(a order by i), '{}') as ats, coalesce(array_agg(n order by i), '{}') as ns,
                     greatest(0, least(${want}::bigint, ${max}::bigint - coalesce(sum(n), 0)))::bigint as give
                from unnest(w.ats, w.ns) with ordinality as g (a, n, i)
               where a > excluded.touched_at - ${windowMs}::bigint) as kept)
    returning granted, (select coalesce(sum(n), 0) from unnest(ns) as n)::bigint as taken,
              ats[1] + ${windowMs}::bigint - touched_at as free_in`.execute(db);
  const [row] = rows;
  if (!row) throw new Error('a budget could not be asked for');
  return { granted: Number(row.granted), taken: Number(row.taken), freeInMs: Math.max(0, Number(row.free_in ?? 0)) };
}

/** Forgets the buckets that no request drew from for `unusedMs`; longer than any window. */
export async function pruneRateWindows(db: Db, unusedMs: number): Promise<void> {
  await sql`delete from rate_windows where touched_at < ${serverNow} - ${unusedMs}::bigint`.execute(db);
}
