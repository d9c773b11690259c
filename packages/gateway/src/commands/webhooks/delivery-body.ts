import type { JournalEvent } from '../../core/events.ts';
import { type DeliveryView, findDeliveryEvent } from '../../store/webhooks/deliveries.ts';
import { findWebhook } from '../../store/webhooks/webhooks.ts';
import type { Context } from '../context.ts';

/**
 * The body of a delivery as its next attempt would carry it: formats render from the journal every
 * time, so it is what earlier attempts carried too, unless the webhook's events or the line's names
 * changed meanwhile. Null when the event is gone, or the format has nothing to say about it.
 */
export async function deliveryBody(context: Context, delivery: DeliveryView): Promise<string | null> {
  const { store, formats, caller } = context;
  const owner = { accountId: caller.accountId, mode: caller.mode };
  const webhook = await findWebhook(store.db, owner, delivery.webhookId);
  const found = delivery.event && (await findDeliveryEvent(store.db, delivery.seq));
  if (!webhook || !found) return null;
  const event = { ...found.event, payload: JSON.parse(found.event.payload) } as JournalEvent;
  const { events, hasDetails } = webhook;
  const view = { id: delivery.id, attempt: delivery.attempts + 1, events, hasDetails };
  return formats[webhook.format].render(event, found.line, view)?.body ?? null;
}
