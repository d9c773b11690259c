import { sql } from 'kysely';
import type { Store, Tx } from '../db/store.ts';
import { beatNode, liveNodes, type PeerNode } from './nodes.ts';
import { serverNow } from './server-time.ts';

/*
 * Who runs which line. Every time in here is the database server's: nodes need not agree on one. A
 * fenced transaction (fence.ts) holds FOR KEY SHARE on its lease, which a renewal does not wait for
 * and a taker skips: no node takes a line whose owner is in the middle of a commit.
 */

/** A line and the number under which its owner writes. */
export interface OwnedLine {
  lineId: string;
  epoch: number;
}

/** What a renewal told. */
export interface FleetView {
  /** What the node holds now, all of it. */
  owned: OwnedLine[];
  /** The nodes that are alive, this one among them. */
  nodes: readonly PeerNode[];
  /** Lines of the whole fleet, as they were counted last. */
  lines: number;
}

/** An answer that takes longer is worth nothing: leases are a matter of seconds. */
const STATEMENT_WITHIN_MS = 3_000;

const inHaste = <T>(store: Store, work: (tx: Tx) => Promise<T>): Promise<T> =>
  store.transaction(async (tx) => {
    await sql`set local statement_timeout = ${sql.lit(STATEMENT_WITHIN_MS)}`.execute(tx.db);
    return work(tx);
  });

/**
 * One statement for all leases of a node: they last `ttlMs` from now. A lease that had run out
 * loses its owner instead.
 */
export function renewLeases(
  store: Store,
  node: { id: string; lines: number },
  ttlMs: number,
): Promise<Omit<FleetView, 'lines'>> {
  return inHaste(store, async (tx) => {
    await beatNode(tx, node, ttlMs);
    const { rows } = await sql<{ line_id: string; epoch: number; node_id: string | null }>`
      with at as (select ${serverNow} as now)
      update line_leases set
             node_id = case when expires_at > at.now then node_id end,
             expires_at = case when expires_at > at.now then at.now + ${ttlMs}::bigint else expires_at end
        from at where node_id = ${node.id}
      returning line_id, epoch, node_id`.execute(tx.db);
    const owned = rows.filter((row) => row.node_id !== null).map(toOwned);
    return { owned, nodes: await liveNodes(tx.db) };
  });
}

/** Every lease there is: reads the whole table, so not with every renewal. */
export async function countLeases(store: Store): Promise<number> {
  const { count } = await store.db
    .selectFrom('line_leases')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/**
 * Takes up to `most` lines that had no owner, or only a dead one, for `freeForMs`. Lines that
 * another node is taking or committing to at this moment are skipped.
 */
export function takeLeases(
  store: Store,
  nodeId: string,
  want: { most: number; freeForMs: number; ttlMs: number },
): Promise<OwnedLine[]> {
  return inHaste(store, async ({ db }) => {
    const taken = await sql<{ line_id: string; epoch: number }>`
      with free as (
        select line_id from line_leases where node_id is null
        union all
        select line_id from nodes join line_leases on node_id = nodes.id where nodes.expires_at <= ${serverNow}
      ), due as (
        select lease.line_id from free
          join line_leases as lease on lease.line_id = free.line_id join lines on lines.id = free.line_id
         where lease.expires_at <= ${serverNow} - ${want.freeForMs}::bigint and lines.deleted_at is null
         limit ${want.most} for update of lease skip locked
      )
      update line_leases set node_id = ${nodeId}, epoch = epoch + 1, taken_at = ${serverNow},
             expires_at = ${serverNow} + ${want.ttlMs}::bigint
        from due where line_leases.line_id = due.line_id
      returning line_leases.line_id, line_leases.epoch`.execute(db);
    return taken.rows.map(toOwned);
  });
}

/** Gives lines back at once. What is not this node's under this epoch any more is left alone. */
export function releaseLeases(store: Store, nodeId: string, lines: readonly OwnedLine[]): Promise<void> {
  const ids = lines.map(({ lineId }) => lineId);
  const epochs = lines.map(({ epoch }) => epoch);
  return inHaste(store, async ({ db }) => {
    await sql`
      update line_leases as lease set node_id = null, expires_at = ${serverNow}
        from unnest(${ids}::text[], ${epochs}::bigint[]) as given (line_id, epoch)
       where lease.line_id = given.line_id and lease.epoch = given.epoch and lease.node_id = ${nodeId}`.execute(db);
  });
}

/** Gives every line without a lease one that has no owner; with an id, that line only. */
export async function makeLeases(store: Store, lineId?: string): Promise<void> {
  await sql`
    insert into line_leases (line_id, node_id, epoch, expires_at)
    select id, null, 0, ${serverNow} from lines
     where deleted_at is null ${lineId === undefined ? sql`` : sql`and id = ${lineId}`}
       and not exists (select from line_leases where line_id = lines.id)
    on conflict do nothing`.execute(store.db);
}

/**
 * Ends any node's ownership of a line, in a transaction that changes what only its owner may
 * change. A commit of the owner that is under way is waited for; every later one is refused.
 * Without a fleet there is nothing to end.
 */
export async function voidLease({ db }: Tx, lineId: string): Promise<void> {
  // Deleted and made anew: unlike an update it waits for those that hold the row FOR KEY SHARE.
  const row = await db.deleteFrom('line_leases').where('line_id', '=', lineId).returning('epoch').executeTakeFirst();
  if (!row) return;
  const next = { line_id: lineId, node_id: null, epoch: Number(row.epoch) + 1, expires_at: 0, taken_at: null };
  await db.insertInto('line_leases').values(next).execute();
}

/** Who runs a line at this moment; undefined when no node does. */
export async function ownerOf(store: Store, lineId: string): Promise<{ nodeId: string; epoch: number } | undefined> {
  const { rows } = await sql<{ node_id: string; epoch: number }>`
    select node_id, epoch from line_leases
     where line_id = ${lineId} and node_id is not null and expires_at > ${serverNow}`.execute(store.db);
  const [row] = rows;
  return row && { nodeId: row.node_id, epoch: Number(row.epoch) };
}

/**
 * Whether a line is on its way from one node to another: it has no owner that is alive, or one that
 * took it less than `settlingMs` ago.
 */
export async function isBetweenNodes(store: Store, lineId: string, settlingMs: number): Promise<boolean> {
  const { rows } = await sql<{ is_moving: boolean }>`
    select node_id is null or expires_at <= at.now or coalesce(taken_at > at.now - ${settlingMs}::bigint, false)
           as is_moving
      from line_leases, (select ${serverNow} as now) as at where line_id = ${lineId}`.execute(store.db);
  return rows[0]?.is_moving ?? false;
}

const toOwned = (row: { line_id: string; epoch: number }): OwnedLine => ({
  lineId: row.line_id,
  epoch: Number(row.epoch),
});
