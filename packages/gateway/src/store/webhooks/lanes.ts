import type { Kysely, Selectable, Transaction } from 'kysely';
import type { DatabaseEngine } from '../db/dialect.ts';
import type { Database, WebhooksTable } from '../db/schema.ts';

type Db = Kysely<Database> | Transaction<Database>;

/*
 * A lane is the right to deliver to one webhook. One process holds it at a time, for as long as its
 * lease lasts.
 */

/**
 * Takes the lanes of these webhooks for `owner` until `until`, or makes them last longer; answers
 * those it now holds, enabled ones only. A lane that another process holds is left out. One
 * statement on both databases: a second taker waits for the row and then sees it taken.
 */
export async function takeLanes(
  db: Db,
  webhookIds: readonly string[],
  lease: { owner: string; now: number; until: number },
): Promise<Selectable<WebhooksTable>[]> {
  if (webhookIds.length === 0) return [];
  return db
    .updateTable('webhooks')
    .set({ lane_owner: lease.owner, lane_until: lease.until })
    .where('id', 'in', webhookIds)
    .where('status', '=', 'enabled')
    .where((eb) => eb.or([eb('lane_owner', '=', lease.owner), eb('lane_until', '<=', lease.now)]))
    .returningAll()
    .execute();
}

/**
 * Makes lanes this owner still holds last until `until`; answers which. A lane that lapsed is
 * renewed too, unless another process took it.
 */
export async function renewLanes(
  db: Db,
  webhookIds: readonly string[],
  lease: { owner: string; until: number },
): Promise<string[]> {
  const rows = await db
    .updateTable('webhooks')
    .set({ lane_until: lease.until })
    .where('id', 'in', webhookIds)
    .where('lane_owner', '=', lease.owner)
    .returning('id')
    .execute();
  return rows.map((row) => row.id);
}

/**
 * Which of these lanes are still this owner's. On PostgreSQL they stay so until the transaction
 * ends: a process that wants to take one over waits. On SQLite one process delivers, so they all
 * are.
 */
export async function stillHeld(
  db: Db,
  engine: DatabaseEngine,
  webhookIds: readonly string[],
  owner: string,
): Promise<ReadonlySet<string>> {
  if (engine === 'sqlite' || webhookIds.length === 0) return new Set(webhookIds);
  const rows = await db
    .selectFrom('webhooks')
    .select('id')
    .where('id', 'in', webhookIds)
    .where('lane_owner', '=', owner)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();
  return new Set(rows.map((row) => row.id));
}

/** Gives lanes back; without ids all of this owner, with owner null all there are. */
export async function freeLanes(db: Db, owner: string | null, webhookIds?: readonly string[]): Promise<void> {
  let query = db.updateTable('webhooks').set({ lane_owner: null, lane_until: 0 }).where('lane_owner', 'is not', null);
  if (owner !== null) query = query.where('lane_owner', '=', owner);
  if (webhookIds !== undefined) query = query.where('id', 'in', webhookIds);
  await query.execute();
}
