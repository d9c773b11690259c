import { AppError, invalid } from '../../core/app-error.ts';
import type { JournalEvent } from '../../core/events.ts';
import type { DeliveryState, Webhook } from '../../core/webhooks.ts';
import {
  attemptsOf,
  blockedOn,
  countOpen,
  type DeliveryQuery,
  type DeliveryView,
  findDelivery,
  giveUpDelivery,
  listDeliveries,
  replayDelivery,
  replayRange,
} from '../../store/webhooks/deliveries.ts';
import type { AttemptView } from '../../store/webhooks/delivering-attempt.ts';
import { findWebhook } from '../../store/webhooks/webhooks.ts';
import { ALL_EVENTS, selects } from '../../webhooks/format.ts';
import { replayMissing } from '../../webhooks/replay-missing.ts';
import { accountCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { mayUseLine } from '../line-limits.ts';
import { deliveryBody } from './delivery-body.ts';
import { ownerOf, ownWebhook, subscription } from './webhooks.ts';

export type { AttemptView, DeliveryView };

/** A webhook, and how it stands with its deliveries. */
export interface WebhookReport {
  webhook: Webhook;
  /** 10 000 stands for that many or more. */
  open: { pending: number; dead: number };
  /** In strict order: the failed delivery that the others wait for. */
  blockedOn: DeliveryView | null;
}

/** A webhook with what waits for it, and what that waits for. `webhook_not_found`. */
export const getWebhook = accountCommand(
  { scope: 'webhooks:read', forLineKeys: 'own' },
  async (context: Context, input: { id: string }): Promise<WebhookReport> => {
    const { db } = context.store;
    const webhook = await ownWebhook(context, input);
    const blocked = await blockedOn(db, ownerOf(context), webhook.id);
    return { webhook, open: await countOpen(db, webhook.id), blockedOn: blocked ?? null };
  },
);

/** A webhook's log, newest first. */
export const webhookDeliveries = accountCommand(
  { scope: 'webhooks:read', forLineKeys: 'own' },
  async (
    context: Context,
    input: { id: string } & Omit<DeliveryQuery, 'webhookId'>,
  ): Promise<{ deliveries: DeliveryView[]; next: number | null }> => {
    const { id } = await ownWebhook(context, input);
    return listDeliveries(context.store.db, ownerOf(context), { ...input, webhookId: id });
  },
);

export interface DeliveryReport {
  delivery: DeliveryView;
  attempts: AttemptView[];
  /**
   * The bytes that are signed, as text; null when its event was deleted with its line, when its API
   * has nothing to say about the event, and for keys without `messages:read`.
   */
  body: string | null;
}

/** One delivery with its body and every attempt. `delivery_not_found`. */
export const oneDelivery = accountCommand(
  { scope: 'webhooks:read', forLineKeys: 'own' },
  async (context: Context, input: { id: string }): Promise<DeliveryReport> => {
    const delivery = await ownDelivery(context, input);
    const attempts = await attemptsOf(context.store.db, delivery.id);
    // The body is a message's text: a caller who may not read messages sees that it was sent, not
    // its content.
    const mayRead = ['*', 'messages:read'].some((scope) => context.caller.scopes.includes(scope));
    return { delivery, attempts, body: mayRead ? await deliveryBody(context, delivery) : null };
  },
);

/** Sends a delivery again now, whatever became of it: same ids, new timestamp. */
export const replayOne = accountCommand(
  { scope: 'webhooks:write', forLineKeys: 'own' },
  async (context: Context, input: { id: string }): Promise<{ id: string; webhookId: string }> => {
    const { id } = await ownDelivery(context, input);
    const replayed = await replayDelivery(context.store, ownerOf(context), id);
    if (!replayed) throw new AppError('delivery_not_found');
    context.nudgeDeliveries();
    return { id, ...replayed };
  },
);

/**
 * Gives up a delivery that waits, so that a webhook in strict order goes on without it; it can be
 * replayed. `delivery_not_found`.
 */
export const giveUpOne = accountCommand(
  { scope: 'webhooks:write', forLineKeys: 'own' },
  async (context: Context, input: { id: string }): Promise<{ id: string; webhookId: string }> => {
    const { store, clock } = context;
    const delivery = await ownDelivery(context, input);
    const { id } = delivery;
    if (!(await giveUpDelivery(store.db, ownerOf(context), id, clock.now()))) {
      throw invalid('id', `Only a delivery that is pending can be given up; this one is ${delivery.state}.`);
    }
    context.nudgeDeliveries();
    return { id, webhookId: delivery.webhookId };
  },
);

/**
 * Sends again, in the order of the events, what failed for good since a time, or what ended in the
 * named ways; and with `missing` what the webhook never got a delivery of because it was off, new,
 * or asked for less.
 */
export const replayFailed = accountCommand(
  { scope: 'webhooks:write', forLineKeys: 'own' },
  async (
    context: Context,
    input: {
      id: string;
      since: number;
      until?: number;
      states?: readonly DeliveryState[];
      events?: readonly string[];
      missing?: boolean;
    },
  ): Promise<{ count: number }> => {
    const webhook = await ownWebhook(context, input);
    const { since, until, states } = input;
    const range = { since, until, wants: wantsOf(context, webhook, input.events) };
    let count = await replayRange(context.store, { ...range, webhookId: webhook.id, states });
    if (input.missing) count += await replayMissing(context.store, webhook, range);
    if (count > 0) context.nudgeDeliveries();
    return { count };
  },
);

type Wanted = { type: string; payload: string };

/** Undefined: all of them. */
function wantsOf(
  context: Context,
  webhook: Webhook,
  names: readonly string[] | undefined,
): ((event: Wanted) => boolean) | undefined {
  if (!names || names.includes(ALL_EVENTS)) return undefined;
  const selectors = new Set<string>(subscription(context, webhook.format, names).selectors);
  return ({ type, payload }) => selects(selectors, { type, payload: JSON.parse(payload) as unknown } as JournalEvent);
}

/** A delivery of a webhook that the caller may look at. `delivery_not_found`. */
async function ownDelivery(context: Context, input: { id: string }): Promise<DeliveryView> {
  const delivery = await findDelivery(context.store.db, ownerOf(context), deliveryIdOf(input));
  if (!delivery) throw new AppError('delivery_not_found');
  if (context.caller.lines === undefined) return delivery;
  const webhook = await findWebhook(context.store.db, ownerOf(context), delivery.webhookId);
  if (!webhook || !mayUseLine(context.caller, webhook.lineId)) throw new AppError('delivery_not_found');
  return delivery;
}

function deliveryIdOf({ id }: { id: string }): string {
  if (!/^[A-Za-z0-9_]{1,64}$/.test(id)) throw new AppError('delivery_not_found');
  return id;
}
