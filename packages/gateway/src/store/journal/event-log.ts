import { type Kysely, sql, type Transaction } from 'kysely';
import { LINE_STATUS_KEYS } from '../../core/event-keys.ts';
import type { Mode } from '../../core/lines.ts';
import { readSetting, writeSetting } from '../access/settings.ts';
import type { Database } from '../db/schema.ts';
import type { Store } from '../db/store.ts';
import { newestEventBefore } from './event-age.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** An event as it is stored, with the mode of its line; null for events of the account itself. */
export interface LoggedEvent {
  seq: number;
  id: string;
  accountId: string;
  lineId: string;
  type: string;
  payload: string;
  createdAt: number;
  mode: Mode | null;
}

export interface LogRange {
  /** Only events after this one. */
  after: number;
  upTo: number;
  limit: number;
  /** Left out: the events of all accounts. */
  owner?: { accountId: string; mode: Mode; lineId?: string };
}

/**
 * Events in their order. Those of an account itself come whatever the mode: only their payload
 * tells it.
 */
export async function readEvents(db: Db, range: LogRange): Promise<LoggedEvent[]> {
  const { owner } = range;
  let query = db
    .selectFrom('events as e')
    .leftJoin('lines as l', 'l.id', 'e.line_id')
    .select(['e.seq', 'e.id', 'e.account_id', 'e.line_id', 'e.type', 'e.payload', 'e.created_at', 'l.mode'])
    .where('e.seq', '>', range.after)
    .where('e.seq', '<=', range.upTo)
    .orderBy('e.seq')
    .limit(range.limit);
  if (owner) {
    query = query
      .where('e.account_id', '=', owner.accountId)
      .where((eb) => eb.or([eb('l.mode', '=', owner.mode), eb('e.line_id', '=', '')]));
    if (owner.lineId !== undefined) query = query.where('e.line_id', '=', owner.lineId);
  }
  return (await query.execute()).map((row) => ({
    seq: Number(row.seq),
    id: row.id,
    accountId: row.account_id,
    lineId: row.line_id,
    type: row.type,
    payload: row.payload,
    createdAt: Number(row.created_at),
    mode: row.mode,
  }));
}

/** The highest number that was ever given to an event, committed or not. */
export async function newestEvent({ db, engine }: Pick<Store, 'db' | 'engine'>): Promise<number> {
  const { rows } =
    engine === 'sqlite'
      ? await sql<{ seq: number }>`select seq from sqlite_sequence where name = 'events'`.execute(db)
      : await sql<{ seq: number }>`
          select case when is_called then last_value else 0 end as seq from events_seq_seq`.execute(db);
  return Number(rows[0]?.seq ?? 0);
}

/** How far the journal is settled: everything up to `seq` that will ever be there can be read. */
export interface Settled {
  seq: number;
  /** Writers are under way whose events come after `seq`: look again soon. */
  isMoving: boolean;
}

/**
 * Finds how far the journal is settled. On SQLite one writer at a time commits in the order of the
 * numbers. On PostgreSQL a number counts as settled once every transaction that was writing events
 * when it was the newest one has ended (migration 009 makes them visible as holders of a lock;
 * PostgreSQL frees locks after the commit can be seen). Transactions of others on the same server
 * do not matter.
 */
export function createHorizon(store: Pick<Store, 'db' | 'engine'>): () => Promise<Settled> {
  if (store.engine === 'sqlite') return async () => ({ seq: await newestEvent(store), isMoving: false });
  let settled = 0;
  let candidate: { seq: number; writers: ReadonlySet<string> } | undefined;
  return async () => {
    if (candidate) {
      const now = await writersOf(store.db);
      if (![...candidate.writers].some((writer) => now.has(writer))) {
        settled = Math.max(settled, candidate.seq);
        candidate = undefined;
      }
    }
    if (!candidate) {
      // In this order: a writer that got a number up to this one is still listed, or has ended.
      const seq = await newestEvent(store);
      if (seq > settled) {
        const writers = await writersOf(store.db);
        if (writers.size === 0) settled = seq;
        else candidate = { seq, writers };
      }
    }
    return { seq: settled, isMoving: candidate !== undefined };
  };
}

/** Transactions that write events at this moment, by PostgreSQL's own names for them. */
async function writersOf(db: Db): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ writer: string }>`
    select virtualtransaction as writer from pg_locks
    where locktype = 'advisory' and classid = 7305814 and objid = 'events'::regclass::oid and objsubid = 2
      and database = (select oid from pg_database where datname = current_database())`.execute(db);
  return new Set(rows.map((row) => row.writer));
}

const PRUNED_TO = 'events_pruned_to';
/** Few enough that concurrent writers are not held up noticeably. */
const PRUNE_BATCH = 100;

/**
 * Events up to this one may be gone; a reader that stopped before it has missed some. 0 = nothing
 * was ever deleted for its age.
 */
export async function prunedTo(db: Db): Promise<number> {
  return Number((await readSetting(db, PRUNED_TO)) ?? 0);
}

/**
 * Deletes a batch of events before `cutoff`, and notes how far that went. A line's last status
 * stays (the next one is told against it), and so does what a delivery still refers to. Answers
 * whether there may be more.
 */
export async function pruneEvents(db: Db, cutoff: number): Promise<boolean> {
  const from = await prunedTo(db);
  const rows = await db
    .selectFrom('events')
    .select('seq')
    .where('seq', '>', from)
    .where('seq', '<=', await newestEventBefore(db, cutoff))
    .orderBy('seq')
    .limit(PRUNE_BATCH)
    .execute();
  const last = Number(rows.at(-1)?.seq ?? 0);
  if (last === 0) return false;
  const seqs = rows.map((row) => Number(row.seq));
  await db
    .deleteFrom('events as e')
    .where('e.seq', 'in', seqs)
    .where(({ not, exists, selectFrom }) =>
      not(exists(selectFrom('deliveries as d').select('d.seq').whereRef('d.event_seq', '=', 'e.seq'))),
    )
    .where(({ or, eb, exists, selectFrom }) =>
      or([
        eb('e.type', '!=', 'line.status'),
        exists(
          selectFrom('events as n')
            .select('n.seq')
            .whereRef('n.line_id', '=', 'e.line_id')
            .where('n.type', '=', 'line.status')
            .whereRef('n.dedupe_key', '>', 'e.dedupe_key')
            .where('n.dedupe_key', '<', LINE_STATUS_KEYS.to),
        ),
      ]),
    )
    .execute();
  await writeSetting(db, PRUNED_TO, String(last));
  return rows.length === PRUNE_BATCH;
}

/** Records that a client follows live facts of this account and mode until then. */
export async function wishForLiveFacts(db: Db, owner: { accountId: string; mode: Mode }, until: number): Promise<void> {
  await db
    .insertInto('event_wishes')
    .values({ account_id: owner.accountId, mode: owner.mode, until })
    .onConflict((conflict) => conflict.columns(['account_id', 'mode']).doUpdateSet({ until }))
    .execute();
}

/** True when a client follows the live facts of this line now. */
export async function isWishedFor(db: Db, lineId: string, now: number): Promise<boolean> {
  const row = await db
    .selectFrom('lines as l')
    .innerJoin('event_wishes as w', (join) =>
      join.onRef('w.account_id', '=', 'l.account_id').onRef('w.mode', '=', 'l.mode'),
    )
    .select('w.until')
    .where('l.id', '=', lineId)
    .where('w.until', '>', now)
    .executeTakeFirst();
  return row !== undefined;
}
