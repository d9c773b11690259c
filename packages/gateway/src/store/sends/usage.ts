import { type Kysely, sql, type Transaction } from 'kysely';
import type { Mode } from '../../core/lines.ts';
import { type Metric, type Period, type PlanLimits, periodOf, UNLIMITED } from '../../core/quota.ts';
import { hot } from '../db/hot.ts';
import type { Database } from '../db/schema.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** Metrics that grow within a billing cycle; `lines` is what exists now. */
export type CountedMetric = Exclude<Metric, 'lines'>;

/** What decides how much an account may use. */
export interface AccountTerms {
  plan: string;
  limits: PlanLimits;
  /** See `periodOf`. */
  cycleAnchor: number | null;
}

/**
 * An account's plan with its limits, as they stand now; undefined when there is no such account.
 */
export async function findTerms(db: Db, accountId: string): Promise<AccountTerms | undefined> {
  const row = await db
    .selectFrom('accounts as a')
    .leftJoin('plans as p', 'p.name', 'a.plan')
    .select(['a.plan', 'a.cycle_anchor', 'p.name as known', 'p.sent_messages', 'p.webhook_events', 'p.lines'])
    .where('a.id', '=', accountId)
    .executeTakeFirst();
  return row && toTerms(row);
}

/** The columns that terms are made of; `known` is null when no such plan exists. */
export interface TermsRow {
  plan: string;
  cycle_anchor: number | null;
  known: string | null;
  sent_messages: number | null;
  webhook_events: number | null;
  lines: number | null;
}

export function toTerms(row: TermsRow): AccountTerms {
  const limit = (value: number | null) => (value === null ? null : Number(value));
  return {
    plan: row.plan,
    limits:
      row.known === null
        ? UNLIMITED
        : {
            sent_messages: limit(row.sent_messages),
            webhook_events: limit(row.webhook_events),
            lines: limit(row.lines),
          },
    cycleAnchor: limit(row.cycle_anchor),
  };
}

/** One counter: each mode of an account counts by itself. */
export interface Counter {
  accountId: string;
  mode: Mode;
  metric: CountedMetric;
  periodStartMs: number;
}

/**
 * Takes up to `wanted` from what a counter still allows, and answers how many it got. In the
 * transaction of what is counted: both happen or neither. Exact: transactions that take from one
 * counter wait for each other.
 */
export async function takeUsage(
  db: Transaction<Database>,
  counter: Counter,
  wanted: number,
  limit: number | null,
): Promise<{ taken: number; used: number }> {
  if (limit === null) return { taken: wanted, used: await add(db, counter, wanted) };
  // Adding nothing makes the row and locks it.
  const before = await add(db, counter, 0);
  const taken = Math.max(0, Math.min(wanted, limit - before));
  return { taken, used: taken === 0 ? before : await add(db, counter, taken) };
}

const addUsage = hot<[string, Mode, CountedMetric, number, number], { used: number }>(
  `insert into usage (account_id, mode, metric, period_start, used) values (?, ?, ?, ?, ?)
  on conflict (account_id, mode, metric, period_start) do update set used = usage.used + excluded.used
  returning used`,
);

async function add(db: Transaction<Database>, counter: Counter, count: number): Promise<number> {
  const { accountId, mode, metric, periodStartMs } = counter;
  const row = await addUsage.first(db, accountId, mode, metric, periodStartMs, count);
  return Number(row?.used ?? 0);
}

/**
 * Gives back what was taken for a message that was accepted at `acceptedAt` and did not become one:
 * it failed, or was cancelled.
 */
export async function returnSent(
  db: Transaction<Database>,
  send: { accountId: string; lineId: string; acceptedAt: number },
  count = 1,
): Promise<void> {
  const row = await db
    .selectFrom('lines as l')
    .innerJoin('accounts as a', 'a.id', 'l.account_id')
    .select(['l.mode', 'a.cycle_anchor'])
    .where('l.id', '=', send.lineId)
    .executeTakeFirst();
  if (!row) return;
  const anchor = row.cycle_anchor === null ? null : Number(row.cycle_anchor);
  await db
    .updateTable('usage')
    .set({ used: sql<number>`case when used > ${count} then used - ${count} else 0 end` })
    .where('account_id', '=', send.accountId)
    .where('mode', '=', row.mode)
    .where('metric', '=', 'sent_messages')
    .where('period_start', '=', periodOf(send.acceptedAt, anchor).startMs)
    .execute();
}

export interface UsageOf {
  accountId: string;
  mode: Mode;
  period: Period;
}

/**
 * What an account used of a metric: messages accepted in the period that did not fail, deliveries
 * made in the period (one per event and endpoint), lines that exist now. Each mode is counted by
 * itself.
 */
export async function countUsed(db: Db, metric: Metric, of: UsageOf): Promise<number> {
  if (metric === 'lines') return countLines(db, of);
  const row = await db
    .selectFrom('usage')
    .select('used')
    .where('account_id', '=', of.accountId)
    .where('mode', '=', of.mode)
    .where('metric', '=', metric)
    .where('period_start', '=', of.period.startMs)
    .executeTakeFirst();
  return Number(row?.used ?? 0);
}

async function countLines(db: Db, { accountId, mode }: Pick<UsageOf, 'accountId' | 'mode'>): Promise<number> {
  const row = await db
    .selectFrom('lines')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('account_id', '=', accountId)
    .where('mode', '=', mode)
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/**
 * Makes transactions of one account wait for each other until they end, so that what they count
 * stays true.
 */
export async function lockAccount(db: Transaction<Database>, accountId: string): Promise<void> {
  await db
    .updateTable('accounts')
    .set((eb) => ({ plan: eb.ref('plan') }))
    .where('id', '=', accountId)
    .execute();
}
