import type { Kysely, Transaction } from 'kysely';
import type { Mode } from '../core/lines.ts';
import type { Metric, Period } from '../core/quota.ts';
import type { Database } from './schema.ts';
import type { Tx } from './store.ts';

type Db = Kysely<Database> | Transaction<Database>;

export interface UsageOf {
  accountId: string;
  mode: Mode;
  period: Period;
}

/**
 * What an account used of a metric, counted from the rows themselves: messages accepted in the period that did not fail, deliveries made in
 * the period (one per event and endpoint), lines that exist now. Each mode is counted by itself.
 */
export async function countUsed(db: Db, metric: Metric, of: UsageOf): Promise<number> {
  switch (metric) {
    case 'sent_messages':
      return countSent(db, of);
    case 'webhook_events':
      return countDeliveries(db, of);
    case 'lines':
      return countLines(db, of);
  }
}

async function countSent(db: Db, { accountId, mode, period }: UsageOf): Promise<number> {
  const row = await db
    .selectFrom('outbox')
    .innerJoin('lines', 'lines.id', 'outbox.line_id')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('outbox.account_id', '=', accountId)
    .where('lines.mode', '=', mode)
    .where('outbox.state', '!=', 'failed')
    .where('outbox.accepted_at', '>=', period.startMs)
    .where('outbox.accepted_at', '<', period.endMs)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

async function countDeliveries(db: Db, { accountId, mode, period }: UsageOf): Promise<number> {
  const row = await db
    .selectFrom('deliveries')
    .innerJoin('webhooks', 'webhooks.id', 'deliveries.webhook_id')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('deliveries.account_id', '=', accountId)
    .where('webhooks.mode', '=', mode)
    .where('deliveries.created_at', '>=', period.startMs)
    .where('deliveries.created_at', '<', period.endMs)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

async function countLines(db: Db, { accountId, mode }: UsageOf): Promise<number> {
  const row = await db
    .selectFrom('lines')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('account_id', '=', accountId)
    .where('mode', '=', mode)
    .where('deleted_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** Makes transactions of one account wait for each other until they end, so that what they count stays true. */
export async function lockAccount(tx: Tx, accountId: string): Promise<void> {
  await tx.db
    .updateTable('accounts')
    .set((eb) => ({ plan: eb.ref('plan') }))
    .where('id', '=', accountId)
    .execute();
}
