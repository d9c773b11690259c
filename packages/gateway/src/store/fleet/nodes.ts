import { sql } from 'kysely';
import type { Db, Store, Tx } from '../db/store.ts';
import { serverNow } from './server-time.ts';

/** A node as the others see it. */
export interface FleetNode {
  id: string;
  /** What its operator calls it. */
  name: string;
  version: string;
  /** Its share of the lines, relative to the others'. */
  weight: number;
  isDraining: boolean;
  /** Lines it held at its last sign of life. */
  lines: number;
  /** By which master key it was started; null: by a version that did not say. */
  masterKeyId: string | null;
}

/** What a node has to know of the others. */
export type PeerNode = Omit<FleetNode, 'masterKeyId'>;

/** How long the row of a node is kept after its end, so that `ponte nodes list` still shows it. */
const REMEMBERED_MS = 24 * 60 * 60_000;

/** A node comes up, under an id that no process had before. What ended long ago is forgotten. */
export async function joinFleet(
  store: Store,
  node: Pick<FleetNode, 'id' | 'name' | 'version' | 'weight' | 'masterKeyId'>,
  ttlMs: number,
): Promise<void> {
  await store.transaction(async ({ db }) => {
    await sql`
      with gone as (delete from nodes where expires_at < ${serverNow} - ${REMEMBERED_MS}::bigint returning id)
      update line_leases set node_id = null from gone where node_id = gone.id`.execute(db);
    await sql`
      insert into nodes (id, name, version, weight, is_draining, lines, started_at, expires_at, master_key_id)
      values (${node.id}, ${node.name}, ${node.version}, ${node.weight}, 0, 0,
              ${serverNow}, ${serverNow} + ${ttlMs}::bigint, ${node.masterKeyId})`.execute(db);
  });
}

/** A sign of life. `is_draining` is others' to change (`ponte nodes drain`). */
export async function beatNode(tx: Tx, node: { id: string; lines: number }, ttlMs: number): Promise<void> {
  await sql`
    update nodes set lines = ${node.lines}, expires_at = ${serverNow} + ${ttlMs}::bigint
     where id = ${node.id}`.execute(tx.db);
}

/** The node ends: the others no longer wait for it. */
export async function leaveFleet(store: Store, nodeId: string): Promise<void> {
  await sql`update nodes set lines = 0, expires_at = ${serverNow} where id = ${nodeId}`.execute(store.db);
}

/** Says that a node is to give its lines away, or may have some again; false when there is none. */
export async function setDraining(store: Store, nodeId: string, isDraining: boolean): Promise<boolean> {
  const result = await store.db
    .updateTable('nodes')
    .set({ is_draining: isDraining ? 1 : 0 })
    .where('id', '=', nodeId)
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** The nodes that are alive, in the order in which they came. */
export async function liveNodes(db: Db): Promise<FleetNode[]> {
  const rows = await db
    .selectFrom('nodes')
    .selectAll()
    .where(sql<boolean>`expires_at > ${serverNow}`)
    .orderBy('started_at')
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    version: row.version,
    weight: Number(row.weight),
    isDraining: Number(row.is_draining) === 1,
    lines: Number(row.lines),
    masterKeyId: row.master_key_id,
  }));
}
