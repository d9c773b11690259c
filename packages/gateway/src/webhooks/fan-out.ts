import { DELIVER_WITHIN_MS, type JournalEvent } from '../core/events.ts';
import { newDeliveryId } from '../core/ids.ts';
import type { Mode } from '../core/lines.ts';
import { periodOf } from '../core/quota.ts';
import type { Tx } from '../store/db/store.ts';
import { type AccountTerms, findTerms, takeUsage } from '../store/sends/usage.ts';
import { insertDeliveries, type NewDelivery } from '../store/webhooks/insert-deliveries.ts';
import {
  findSubscription,
  listenersOf,
  type Subscription,
  subscriptionsOfAccount,
} from '../store/webhooks/subscriptions.ts';
import { orderKeyOf, passes } from './filters.ts';
import { selects } from './format.ts';

function deliveryRow(event: JournalEvent, webhookId: string): NewDelivery {
  const within = DELIVER_WITHIN_MS[event.type];
  return {
    id: newDeliveryId(),
    account_id: event.accountId,
    webhook_id: webhookId,
    event_seq: event.seq,
    order_key: orderKeyOf(event),
    expires_at: within === undefined ? null : event.createdAt + within,
    created_at: event.createdAt,
  };
}

interface Owner {
  accountId: string;
  mode: Mode;
}

/**
 * Inserts what the account's plan still lets through in this billing cycle: events beyond it are
 * not delivered. One per event and endpoint; further attempts are free.
 */
async function deliver(
  tx: Tx,
  owner: Owner,
  wanted: NewDelivery[],
  termsOf: () => Promise<AccountTerms | undefined>,
): Promise<number> {
  const [first] = wanted;
  const terms = first && (await termsOf());
  if (!terms) return 0;
  const { startMs: periodStartMs } = periodOf(first.created_at, terms.cycleAnchor);
  const counter = { ...owner, metric: 'webhook_events', periodStartMs } as const;
  const { taken } = await takeUsage(tx.db, counter, wanted.length, terms.limits.webhook_events);
  await insertDeliveries(tx.db, wanted.slice(0, taken));
  return taken;
}

const rowsFor = (events: JournalEvent[], subscriptions: Subscription[]) =>
  events.flatMap((event) =>
    subscriptions
      .filter((s) => selects(s.selectors, event) && passes(s.filters, event))
      .map((s) => deliveryRow(event, s.id)),
  );

/**
 * Inserts one delivery per event and subscribed webhook, in the events' own transaction: an event
 * is in the outbox or it never happened. Answers how many it inserted; the caller nudges the
 * dispatcher after the commit when there are any. Must be called once per event (the journal's
 * dedupe key sees to that).
 */
export async function fanOut(tx: Tx, events: JournalEvent[]): Promise<number> {
  const byLine = new Map<string, JournalEvent[]>();
  for (const event of events) {
    const known = byLine.get(event.lineId);
    if (known) known.push(event);
    else byLine.set(event.lineId, [event]);
  }
  let inserted = 0;
  for (const [lineId, ofLine] of byLine) {
    const listeners = await listenersOf(tx.db, lineId);
    const [event] = ofLine;
    const [subscription] = listeners?.subscriptions ?? [];
    if (!event || !listeners || !subscription) continue;
    const owner = { accountId: event.accountId, mode: subscription.mode };
    inserted += await deliver(tx, owner, rowsFor(ofLine, listeners.subscriptions), async () => listeners.terms);
  }
  return inserted;
}

/**
 * Like `fanOut`, for an event of the account itself: it goes to the account's webhooks that cover
 * all lines.
 */
export async function fanOutToAccount(tx: Tx, owner: Owner, event: JournalEvent): Promise<number> {
  const rows = rowsFor([event], await subscriptionsOfAccount(tx.db, owner));
  return deliver(tx, owner, rows, () => findTerms(tx.db, owner.accountId));
}

/**
 * Like `fanOut`, for one webhook only: what it asks for of these events, which must be of its
 * account and have no delivery to it yet.
 */
export async function fanOutTo(tx: Tx, webhookId: string, events: JournalEvent[]): Promise<number> {
  const subscription = await findSubscription(tx.db, webhookId);
  if (!subscription) return 0;
  const owner = { accountId: subscription.accountId, mode: subscription.mode };
  return deliver(tx, owner, rowsFor(events, [subscription]), () => findTerms(tx.db, owner.accountId));
}
