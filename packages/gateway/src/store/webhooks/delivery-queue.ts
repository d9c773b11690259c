import { type Insertable, type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { DeliveryState } from '../../core/webhooks.ts';
import { FEW, hot } from '../db/hot.ts';
import type { AttemptsTable, Database, WebhooksTable } from '../db/schema.ts';
import { newestEventBefore } from '../journal/event-age.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** Times a delivery may be tried early because its webhook recovered. */
const MAX_PULLS = 12;
const PULL_BATCH = 1_000;
/** Few enough that concurrent writers are not held up noticeably. */
const PRUNE_BATCH = 100;

/*
 * Pending is what has no end. Queries say `finished_at is null`, the condition of the index: a
 * `state = ?` would not be seen to fit it, and SQLite would take it for a reason to walk through
 * everything pending even when it is given the rows by number.
 */

/** A delivery that is due, with its event and what formats may say of its line. */
export interface DueDelivery {
  seq: number;
  eventSeq: number;
  id: string;
  orderKey: string | null;
  attempts: number;
  step: number;
  nextAt: number;
  expiresAt: number | null;
  createdAt: number;
  /** Null when the event was deleted (with its line): nothing is left to say. */
  event: {
    seq: number;
    id: string;
    accountId: string;
    lineId: string;
    type: string;
    payload: string;
    createdAt: number;
  } | null;
  line: { id: string; number: number; customerRef: string | null; label: string | null; phone: string | null } | null;
}

/** A webhook with pending deliveries. */
export interface PendingWebhook {
  webhookId: string;
  /** Some are due at once (they may also be under way). */
  atOnce: boolean;
  /** When the earliest of the others is due. */
  retryAt: number | null;
  laneOwner: string | null;
  laneUntil: number;
}

/**
 * Every enabled webhook that has pending deliveries. Steps from webhook to webhook in the index, so
 * a backlog costs nothing.
 */
export async function pendingWebhooks(db: Db): Promise<PendingWebhook[]> {
  const { rows } = await sql<{
    id: string;
    at_once: number | null;
    retry_at: number | null;
    lane_owner: string | null;
    lane_until: number;
  }>`
    with recursive hooks (id) as (
      select min(webhook_id) from deliveries where finished_at is null
      union all
      select (select min(webhook_id) from deliveries where finished_at is null and webhook_id > hooks.id)
      from hooks where hooks.id is not null
    )
    select w.id, w.lane_owner, w.lane_until,
      (select min(next_at) from deliveries where finished_at is null and webhook_id = w.id and next_at = 0) as at_once,
      (select min(next_at) from deliveries where finished_at is null and webhook_id = w.id and next_at > 0) as retry_at
    from hooks join webhooks w on w.id = hooks.id and w.status = 'enabled'`.execute(db);
  return rows.map((row) => ({
    webhookId: row.id,
    atOnce: row.at_once !== null,
    retryAt: row.retry_at === null ? null : Number(row.retry_at),
    laneOwner: row.lane_owner,
    laneUntil: Number(row.lane_until),
  }));
}

/** More than ever arrive between two looks. */
const NEWS_LIMIT = 1_000_000;

/**
 * The webhooks of deliveries inserted after `seq`, and the newest of them. The inner limit holds
 * nothing back: it keeps SQLite at the end of the table, where it would otherwise walk through a
 * whole index for the grouping.
 */
export async function webhooksSince(db: Db, seq: number): Promise<{ webhookIds: string[]; lastSeq: number }> {
  const news = db
    .selectFrom('deliveries')
    .select(['webhook_id', 'seq'])
    .where('seq', '>', seq)
    .orderBy('seq')
    .limit(NEWS_LIMIT);
  const rows = await db
    .selectFrom(news.as('news'))
    .select(['webhook_id', (eb) => eb.fn.max('seq').as('last')])
    .groupBy('webhook_id')
    .execute();
  return {
    webhookIds: rows.map((row) => row.webhook_id),
    lastSeq: rows.reduce((last, row) => Math.max(last, Number(row.last)), seq),
  };
}

export async function newestDelivery(db: Db): Promise<number> {
  const row = await db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.max('seq').as('last'))
    .executeTakeFirst();
  return Number(row?.last ?? 0);
}

/** Webhooks as they are now; deleted ones are missing. */
export async function readWebhooks(db: Db, webhookIds: readonly string[]): Promise<Selectable<WebhooksTable>[]> {
  if (webhookIds.length === 0) return [];
  return db.selectFrom('webhooks').selectAll().where('id', 'in', webhookIds).execute();
}

function dueQuery(db: Db, webhookIds: readonly string[]) {
  return db
    .selectFrom('deliveries as d')
    .leftJoin('events as e', 'e.seq', 'd.event_seq')
    .leftJoin('lines as l', 'l.id', 'e.line_id')
    .select([
      'd.seq',
      'd.id',
      'd.webhook_id',
      'd.order_key',
      'd.attempts',
      'd.step',
      'd.next_at',
      'd.expires_at',
      'd.created_at',
      'd.event_seq',
    ])
    .select(['e.id as event_id', 'e.account_id', 'e.line_id', 'e.type', 'e.payload', 'e.created_at as event_at'])
    .select(['l.number', 'l.customer_ref', 'l.label', 'l.phone'])
    .where('d.webhook_id', 'in', webhookIds)
    .where('d.finished_at', 'is', null);
}

type DueRow = Awaited<ReturnType<ReturnType<typeof dueQuery>['execute']>>[number];

function toDue(row: DueRow): DueDelivery {
  const { event_id, account_id, line_id, type, payload, event_at } = row;
  const known = event_id !== null && account_id !== null && line_id !== null && type !== null && payload !== null;
  return {
    seq: Number(row.seq),
    eventSeq: Number(row.event_seq),
    id: row.id,
    orderKey: row.order_key,
    attempts: Number(row.attempts),
    step: Number(row.step),
    nextAt: Number(row.next_at),
    expiresAt: row.expires_at === null ? null : Number(row.expires_at),
    createdAt: Number(row.created_at),
    event: known
      ? {
          seq: Number(row.event_seq),
          id: event_id,
          accountId: account_id,
          lineId: line_id,
          type,
          payload,
          createdAt: Number(event_at),
        }
      : null,
    line:
      row.number === null || line_id === null
        ? null
        : {
            id: line_id,
            number: Number(row.number),
            customerRef: row.customer_ref,
            label: row.label,
            phone: row.phone,
          },
  };
}

/** Those of these deliveries that have not been deleted. */
export async function presentDeliveries(db: Db, seqs: readonly number[]): Promise<ReadonlySet<number>> {
  const rows = await db.selectFrom('deliveries').select('seq').where('seq', 'in', seqs).execute();
  return new Set(rows.map((row) => Number(row.seq)));
}

/** What is due at once, in the order of the events. */
export async function dueAtOnce(db: Db, webhookId: string, limit: number): Promise<DueDelivery[]> {
  const rows = await dueQuery(db, [webhookId]).where('d.next_at', '=', 0).orderBy('d.event_seq').limit(limit).execute();
  return rows.map(toDue);
}

/**
 * What is due at once for several webhooks, by webhook. For those that are nearly at the end of
 * what they have: everything they have is looked at. Undefined when that is more than `limit`
 * together.
 */
export async function dueAtOnceOf(
  db: Db,
  webhookIds: readonly string[],
  limit: number,
): Promise<Map<string, DueDelivery[]> | undefined> {
  const rows = await dueQuery(db, webhookIds).where('d.next_at', '=', 0).orderBy('d.event_seq').limit(limit).execute();
  if (rows.length === limit) return undefined;
  const byWebhook = new Map<string, DueDelivery[]>();
  for (const row of rows) {
    const known = byWebhook.get(row.webhook_id);
    if (known) known.push(toDue(row));
    else byWebhook.set(row.webhook_id, [toDue(row)]);
  }
  return byWebhook;
}

/** Retries whose time has come, longest due first. */
export async function dueRetries(db: Db, webhookId: string, now: number, limit: number): Promise<DueDelivery[]> {
  const rows = await dueQuery(db, [webhookId])
    .where('d.next_at', '>', 0)
    .where('d.next_at', '<=', now)
    .orderBy('d.next_at')
    .orderBy('d.event_seq')
    .limit(limit)
    .execute();
  return rows.map(toDue);
}

/**
 * Retries in the order of the events, due or not: with those due at once, what a webhook in strict
 * order must get next.
 */
export async function waitingRetries(db: Db, webhookId: string, limit: number): Promise<DueDelivery[]> {
  const rows = await dueQuery(db, [webhookId]).where('d.next_at', '>', 0).orderBy('d.event_seq').limit(limit).execute();
  return rows.map(toDue);
}

/** Ends deliveries without an attempt of their own (`expired`, `skipped`). */
export async function closeDeliveries(
  db: Db,
  seqs: readonly number[],
  state: 'expired' | 'skipped',
  at: number,
): Promise<void> {
  if (seqs.length === 0) return;
  await db
    .updateTable('deliveries')
    .set({ state, finished_at: at })
    .where('seq', 'in', seqs)
    .where('finished_at', 'is', null)
    .execute();
}

/** After a failed attempt: wait until `nextAt`, or dead when there is none. */
export async function markFailed(db: Db, seq: number, next: { nextAt: number | null; at: number }): Promise<void> {
  await db
    .updateTable('deliveries')
    .set((eb) => ({
      attempts: eb('attempts', '+', 1),
      step: eb('step', '+', 1),
      ...(next.nextAt === null ? { state: 'dead' as const, finished_at: next.at } : { next_at: next.nextAt }),
    }))
    .where('seq', '=', seq)
    .where('finished_at', 'is', null)
    .execute();
}

const insertAttempt = hot<[string, number, number, number, number | null, string | null, string | null]>(
  `insert into attempts (delivery_id, number, at, duration_ms, status_code, error_class, response_excerpt)
  values (?, ?, ?, ?, ?, ?, ?)
  on conflict (delivery_id, number) do nothing`,
);

/**
 * Writes the log of attempts that failed. A number that is there already (another process was at
 * it too) keeps its first entry.
 */
export async function insertAttempts(db: Db, attempts: Insertable<AttemptsTable>[]): Promise<void> {
  if (attempts.length === 0) return;
  if (attempts.length <= FEW) {
    for (const { delivery_id, number, at, duration_ms, status_code, error_class, response_excerpt } of attempts) {
      const answer = [status_code ?? null, error_class ?? null, response_excerpt ?? null] as const;
      await insertAttempt.run(db, delivery_id, number, at, duration_ms, ...answer);
    }
    return;
  }
  await db
    .insertInto('attempts')
    .values(attempts)
    .onConflict((conflict) => conflict.columns(['delivery_id', 'number']).doNothing())
    .execute();
}

/**
 * Makes waiting retries of a recovered webhook due at once, oldest first. Such an early try costs
 * no step of the schedule, and a delivery gets it a limited number of times, so one that fails on
 * its own merits keeps its published schedule. Answers how many; fewer than a full batch means that
 * was all.
 */
export async function pullForward(db: Db, webhookId: string): Promise<{ pulled: number; more: boolean }> {
  const batch = db
    .selectFrom('deliveries')
    .select('seq')
    .where('webhook_id', '=', webhookId)
    .where('finished_at', 'is', null)
    .where('next_at', '>', 0)
    .where('pulls', '<', MAX_PULLS)
    .orderBy('next_at')
    .limit(PULL_BATCH);
  const done = await db
    .updateTable('deliveries')
    .set({ next_at: 0, step: sql`case when step > 0 then step - 1 else 0 end`, pulls: sql`pulls + 1` })
    .where('seq', 'in', batch)
    .executeTakeFirst();
  const pulled = Number(done.numUpdatedRows);
  return { pulled, more: pulled === PULL_BATCH };
}

/**
 * Deletes a batch of deliveries that ended, of events before `cutoff`, with their attempt log.
 * Answers whether there may be more.
 */
export async function pruneDeliveries(db: Db, states: readonly DeliveryState[], cutoff: number): Promise<boolean> {
  const batch = db
    .selectFrom('deliveries')
    .select('seq')
    .where('event_seq', '<=', await newestEventBefore(db, cutoff))
    .where('state', 'in', states)
    .orderBy('event_seq')
    .limit(PRUNE_BATCH);
  const done = await db.deleteFrom('deliveries').where('seq', 'in', batch).executeTakeFirst();
  return Number(done.numDeletedRows) === PRUNE_BATCH;
}

/**
 * Ends a batch of deliveries of events before `cutoff` that still wait: their webhook stays
 * disabled, or no schedule reaches them any more.
 */
export async function expirePending(db: Db, cutoff: number, at: number): Promise<boolean> {
  const batch = db
    .selectFrom('deliveries')
    .select('seq')
    .where('event_seq', '<=', await newestEventBefore(db, cutoff))
    .where('finished_at', 'is', null)
    .orderBy('event_seq')
    .limit(PRUNE_BATCH);
  const done = await db
    .updateTable('deliveries')
    .set({ state: 'expired', finished_at: at })
    .where('seq', 'in', batch)
    .executeTakeFirst();
  return Number(done.numUpdatedRows) === PRUNE_BATCH;
}

/** How much waits, and since when the oldest does; disabled webhooks do not count. */
export async function pendingFigures(db: Db): Promise<{ count: number; oldestAt: number | null }> {
  const row = await db
    .selectFrom('deliveries')
    .innerJoin('webhooks', 'webhooks.id', 'deliveries.webhook_id')
    .select((eb) => [eb.fn.countAll().as('count'), eb.fn.min('deliveries.created_at').as('oldest')])
    .where('deliveries.finished_at', 'is', null)
    .where('webhooks.status', '=', 'enabled')
    .executeTakeFirstOrThrow();
  return { count: Number(row.count), oldestAt: row.oldest === null ? null : Number(row.oldest) };
}
