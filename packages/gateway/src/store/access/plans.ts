import type { Kysely, Transaction } from 'kysely';
import type { PlanLimits } from '../../core/quota.ts';
import type { Database } from '../db/schema.ts';

type Db = Kysely<Database> | Transaction<Database>;

export interface Plan {
  name: string;
  limits: PlanLimits;
}

const limit = (value: number | null): number | null => (value === null ? null : Number(value));

/** Every plan with limits, by name. */
export async function listPlans(db: Db): Promise<Plan[]> {
  const rows = await db.selectFrom('plans').selectAll().orderBy('name').execute();
  return rows.map((row) => ({
    name: row.name,
    limits: {
      sent_messages: limit(row.sent_messages),
      webhook_events: limit(row.webhook_events),
      lines: limit(row.lines),
    },
  }));
}

/**
 * Makes a plan or changes it; what is used already stays counted. Counts at once for every account
 * that has it.
 */
export async function putPlan(db: Db, { name, limits }: Plan, nowMs: number): Promise<void> {
  const columns = {
    sent_messages: limits.sent_messages,
    webhook_events: limits.webhook_events,
    lines: limits.lines,
    updated_at: nowMs,
  };
  await db
    .insertInto('plans')
    .values({ name, ...columns })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(columns))
    .execute();
}

/** Deletes a plan that no account has. `in_use`: nothing was deleted. */
export async function deletePlan(db: Transaction<Database>, name: string): Promise<'deleted' | 'unknown' | 'in_use'> {
  const user = await db.selectFrom('accounts').select('id').where('plan', '=', name).limit(1).executeTakeFirst();
  if (user) return 'in_use';
  const gone = await db.deleteFrom('plans').where('name', '=', name).executeTakeFirst();
  return Number(gone.numDeletedRows) > 0 ? 'deleted' : 'unknown';
}
