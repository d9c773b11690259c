import type { Mode } from '../../core/lines.ts';
import type { Webhook, WebhookFilters } from '../../core/webhooks.ts';
import { hot } from '../db/hot.ts';
import type { Db } from '../db/store.ts';
import { type AccountTerms, type TermsRow, toTerms } from '../sends/usage.ts';

/** What fan-out needs to know of a webhook. */
export interface Subscription {
  id: string;
  mode: Mode;
  selectors: ReadonlySet<string>;
  filters: WebhookFilters | null;
}

const COLUMNS = ['webhooks.id', 'webhooks.mode', 'webhooks.selectors', 'webhooks.filters'] as const;

const REMEMBERED_MAX = 500;
const remembered = new Map<string, ReadonlySet<string>>();

/** The same few texts come with every event: each is parsed once. */
function selectorsOf(text: string): ReadonlySet<string> {
  const known = remembered.get(text);
  if (known) return known;
  if (remembered.size >= REMEMBERED_MAX) remembered.clear();
  const selectors = new Set(JSON.parse(text) as string[]);
  remembered.set(text, selectors);
  return selectors;
}

function toSubscription(row: { id: string; mode: Mode; selectors: string; filters: string | null }): Subscription {
  return {
    id: row.id,
    mode: row.mode,
    selectors: selectorsOf(row.selectors),
    filters: row.filters === null ? null : (JSON.parse(row.filters) as WebhookFilters),
  };
}

/** The subscribers of a line and what they select: all that fan-out needs for any of its events. */
export interface Listeners {
  /** Of the line's account. */
  terms: AccountTerms;
  /** The enabled webhooks of its account and mode, of this line or of all. */
  subscriptions: Subscription[];
}

type SubscriptionRow = Parameters<typeof toSubscription>[0];
type ListenersRow = TermsRow & { [C in keyof SubscriptionRow]: SubscriptionRow[C] | null };

const selectListeners = hot<[string], ListenersRow>(
  `select a.plan, a.cycle_anchor, p.name as known, p.sent_messages, p.webhook_events, p.lines,
    w.id, w.mode, w.selectors, w.filters
  from lines l
  join accounts a on a.id = l.account_id
  left join plans p on p.name = a.plan
  left join webhooks w on w.account_id = l.account_id and w.mode = l.mode and w.status = 'enabled'
    and (w.line_id is null or w.line_id = l.id)
  where l.id = ?`,
);

/** Undefined when there is no such line. */
export async function listenersOf(db: Db, lineId: string): Promise<Listeners | undefined> {
  const rows = await selectListeners.all(db, lineId);
  const [first] = rows;
  if (!first) return undefined;
  const subscriptions = rows.flatMap(({ id, mode, selectors, filters }) =>
    id === null || mode === null || selectors === null ? [] : [toSubscription({ id, mode, selectors, filters })],
  );
  return { terms: toTerms(first), subscriptions };
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
