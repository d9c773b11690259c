import { AppError } from '../core/app-error.ts';
import type { DeliveryState, Webhook } from '../core/webhooks.ts';
import {
  type AttemptView,
  attemptsOf,
  type DeliveryView,
  findDelivery,
  listDeliveries,
  replayDelivery,
  replayRange,
} from '../store/deliveries.ts';
import { findWebhook, finishRotation, rotateSecret, updateWebhook, WEBHOOK_SCOPE } from '../store/webhooks.ts';
import { accountCommand } from './command.ts';
import type { Context } from './context.ts';
import { deliveryBody } from './delivery-body.ts';
import { checkHeaders, type WebhookSettings } from './webhook-settings.ts';
import { checkTarget, idOf, ownerOf, subscription } from './webhooks.ts';

export type { AttemptView, DeliveryView, WebhookSettings };

/** Changes a webhook; absent fields stay. Enabling one lets what waited go on. */
export const patchWebhook = accountCommand(
  { scope: 'webhooks:write' },
  async (
    context: Context,
    input: {
      id: string;
      url?: string;
      events?: readonly string[];
      description?: string | null;
      status?: Webhook['status'];
    } & WebhookSettings,
  ): Promise<Webhook> => {
    const target = { ...ownerOf(context), id: idOf(input) };
    const known = await findWebhook(context.store.db, target, target.id);
    if (!known) throw new AppError('webhook_not_found');
    checkHeaders(input.headers);
    const asked = input.events && subscription(context, known.format, input.events);
    if (input.url !== undefined) await checkTarget(context, input.url);
    const changed = await updateWebhook(
      context.store.db,
      await context.ring.box(WEBHOOK_SCOPE),
      target,
      {
        url: input.url === known.url ? undefined : input.url,
        events: asked?.events,
        selectors: asked?.selectors,
        description: input.description,
        status: input.status === known.status ? undefined : input.status,
        filters: input.filters,
        headers: input.headers,
        strictOrder: input.strictOrder,
      },
      context.clock.now(),
    );
    if (!changed) throw new AppError('webhook_not_found');
    context.nudgeDeliveries();
    return changed;
  },
);

/** A new secret, which is in this answer only. Until the grace ends deliveries carry the signatures of both. */
export const rotateWebhookSecret = accountCommand(
  { scope: 'webhooks:write' },
  async (context: Context, input: { id: string; graceMs: number }): Promise<{ webhook: Webhook; secret: string }> => {
    const target = { ...ownerOf(context), id: idOf(input) };
    const graceUntil = context.clock.now() + input.graceMs;
    const box = await context.ring.box(WEBHOOK_SCOPE);
    const rotated = await rotateSecret(context.store.db, box, target, graceUntil);
    if (!rotated) throw new AppError('webhook_not_found');
    return rotated;
  },
);

/** From here on only the new secret signs. */
export const finishWebhookRotation = accountCommand(
  { scope: 'webhooks:write' },
  async (context: Context, input: { id: string }): Promise<Webhook> => {
    const webhook = await finishRotation(context.store.db, { ...ownerOf(context), id: idOf(input) });
    if (!webhook) throw new AppError('webhook_not_found');
    return webhook;
  },
);

/** A webhook's log, newest first. */
export const webhookDeliveries = accountCommand(
  { scope: 'webhooks:read' },
  async (
    context: Context,
    input: { id: string; state?: DeliveryState; type?: string; lineId?: string; before?: number; limit: number },
  ): Promise<{ deliveries: DeliveryView[]; next: number | null }> => {
    const owner = ownerOf(context);
    const id = idOf(input);
    if (!(await findWebhook(context.store.db, owner, id))) throw new AppError('webhook_not_found');
    return listDeliveries(context.store.db, owner, { ...input, webhookId: id });
  },
);

/** One delivery with every attempt and its body. `delivery_not_found`. */
export const oneDelivery = accountCommand(
  { scope: 'webhooks:read' },
  async (
    context: Context,
    input: { id: string },
  ): Promise<{ delivery: DeliveryView; attempts: AttemptView[]; body: string | null }> => {
    const delivery = await findDelivery(context.store.db, ownerOf(context), deliveryIdOf(input));
    if (!delivery) throw new AppError('delivery_not_found');
    return {
      delivery,
      attempts: await attemptsOf(context.store.db, delivery.id),
      body: await deliveryBody(context, delivery),
    };
  },
);

/** Sends a delivery again now, whatever became of it: same ids, new timestamp. */
export const replayOne = accountCommand(
  { scope: 'webhooks:write' },
  async (context: Context, input: { id: string }): Promise<{ id: string; webhookId: string }> => {
    const id = deliveryIdOf(input);
    const replayed = await replayDelivery(context.store.db, ownerOf(context), id);
    if (!replayed) throw new AppError('delivery_not_found');
    context.nudgeDeliveries();
    return { id, ...replayed };
  },
);

/** Sends again what failed for good since a time (of the events), in their order. */
export const replayFailed = accountCommand(
  { scope: 'webhooks:write' },
  async (context: Context, input: { id: string; since: number; until?: number }): Promise<{ count: number }> => {
    const webhookId = idOf(input);
    if (!(await findWebhook(context.store.db, ownerOf(context), webhookId))) throw new AppError('webhook_not_found');
    const { since, until } = input;
    const count = await replayRange(context.store.db, { webhookId, since, until });
    if (count > 0) context.nudgeDeliveries();
    return { count };
  },
);

function deliveryIdOf({ id }: { id: string }): string {
  if (!/^[A-Za-z0-9_]{1,64}$/.test(id)) throw new AppError('delivery_not_found');
  return id;
}
