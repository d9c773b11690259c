import type { Db } from '../db/store.ts';

/** Since when a webhook has failed without a success between, and when it failed last. */
export interface StoredHealth {
  failingSince: number | null;
  lastFailureAt: number | null;
}

/** Undefined when the webhook is deleted. */
export async function readHealth(db: Db, webhookId: string): Promise<StoredHealth | undefined> {
  const row = await db
    .selectFrom('webhooks')
    .select(['failing_since', 'last_failure_at'])
    .where('id', '=', webhookId)
    .executeTakeFirst();
  return row && { failingSince: row.failing_since, lastFailureAt: row.last_failure_at };
}

export async function writeHealth(db: Db, webhookId: string, health: StoredHealth): Promise<void> {
  await db
    .updateTable('webhooks')
    .set({ failing_since: health.failingSince, last_failure_at: health.lastFailureAt })
    .where('id', '=', webhookId)
    .execute();
}

/** Disables a webhook because of what its endpoint did. False when it is disabled already. */
export async function disableWebhook(
  db: Db,
  webhookId: string,
  reason: 'failing' | 'gone',
  at: number,
): Promise<boolean> {
  const done = await db
    .updateTable('webhooks')
    .set({ status: 'disabled', disabled_reason: reason, disabled_at: at })
    .where('id', '=', webhookId)
    .where('status', '=', 'enabled')
    .executeTakeFirst();
  return Number(done.numUpdatedRows) > 0;
}
