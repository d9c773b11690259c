import type { Mode } from '../../core/lines.ts';
import type { Webhook, WebhookFilters } from '../../core/webhooks.ts';
import type { Db } from '../db/store.ts';

/** What fan-out needs to know of a webhook. */
export interface Subscription {
  id: string;
  mode: Mode;
  selectors: ReadonlySet<string>;
  filters: WebhookFilters | null;
}

const COLUMNS = ['webhooks.id', 'webhooks.mode', 'webhooks.selectors', 'webhooks.filters'] as const;

function toSubscription(row: { id: string; mode: Mode; selectors: string; filters: string | null }): Subscription {
  return {
    id: row.id,
    mode: row.mode,
    selectors: new Set(JSON.parse(row.selectors) as string[]),
    filters: row.filters === null ? null : (JSON.parse(row.filters) as WebhookFilters),
  };
}

/** The enabled webhooks that hear of a line: of its account and mode, of this line or of all. */
export async function subscriptionsOfLine(db: Db, lineId: string): Promise<Subscription[]> {
  const rows = await db
    .selectFrom('lines')
    .innerJoin('webhooks', (join) =>
      join.onRef('webhooks.account_id', '=', 'lines.account_id').onRef('webhooks.mode', '=', 'lines.mode'),
    )
    .select(COLUMNS)
    .where('lines.id', '=', lineId)
    .where('webhooks.status', '=', 'enabled')
    .where((eb) => eb.or([eb('webhooks.line_id', 'is', null), eb('webhooks.line_id', '=', lineId)]))
    .execute();
  return rows.map(toSubscription);
}

/** The account's enabled webhooks of this mode that cover all lines. */
export async function subscriptionsOfAccount(
  db: Db,
  owner: { accountId: string; mode: Mode },
): Promise<Subscription[]> {
  const rows = await db
    .selectFrom('webhooks')
    .select(COLUMNS)
    .where('account_id', '=', owner.accountId)
    .where('mode', '=', owner.mode)
    .where('line_id', 'is', null)
    .where('status', '=', 'enabled')
    .execute();
  return rows.map(toSubscription);
}

/** What one webhook asks for, enabled or not; undefined when it is deleted. */
export async function findSubscription(
  db: Db,
  webhookId: string,
): Promise<(Subscription & { accountId: string }) | undefined> {
  const row = await db
    .selectFrom('webhooks')
    .select([...COLUMNS, 'webhooks.account_id'])
    .where('id', '=', webhookId)
    .executeTakeFirst();
  return row && { ...toSubscription(row), accountId: row.account_id };
}

/** What every webhook asks for, as its owner wrote it and as it was understood then. */
export async function listSelectors(
  db: Db,
): Promise<{ id: string; format: Webhook['format']; events: string; selectors: string }[]> {
  return db.selectFrom('webhooks').select(['id', 'format', 'events', 'selectors']).execute();
}

/** Writes what a webhook selects, unless its owner has changed `events` meanwhile. */
export async function refreshSelector(
  db: Db,
  webhook: { id: string; events: string },
  selectors: string,
): Promise<boolean> {
  const update = db.updateTable('webhooks').set({ selectors }).where('id', '=', webhook.id);
  const done = await update.where('events', '=', webhook.events).executeTakeFirst();
  return Number(done.numUpdatedRows) > 0;
}
