import { sql } from 'kysely';
import type { Db } from '../db/store.ts';
import { serverNow } from './server-time.ts';

/** A node as lists show it. */
export interface ListedNode {
  id: string;
  name: string;
  version: string;
  weight: number;
  /** `gone`: it ended, or has not said anything for as long as leases last. */
  state: 'up' | 'draining' | 'gone';
  /** Lines it holds. */
  lines: number;
  startedAt: number;
  /** Milliseconds since its last sign of life, by the database's clock. */
  silentForMs: number;
}

/**
 * Every node of the last day, the ones that are up first. `ttlMs`: for how long a sign of life
 * counts.
 */
export async function listNodes(db: Db, ttlMs: number): Promise<ListedNode[]> {
  const { rows } = await sql<{
    id: string;
    name: string;
    version: string;
    weight: number;
    is_draining: number;
    lines: number;
    started_at: number;
    is_up: boolean;
    silent_for: number;
  }>`
    select nodes.id, name, version, weight, is_draining, started_at, expires_at > ${serverNow} as is_up,
           greatest(0, ${serverNow} - (expires_at - ${ttlMs}::bigint)) as silent_for,
           (select count(*) from line_leases where node_id = nodes.id) as lines
      from nodes order by is_up desc, started_at, id`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    version: row.version,
    weight: Number(row.weight),
    state: row.is_up ? (Number(row.is_draining) === 1 ? 'draining' : 'up') : 'gone',
    lines: Number(row.lines),
    startedAt: Number(row.started_at),
    silentForMs: Number(row.silent_for),
  }));
}
