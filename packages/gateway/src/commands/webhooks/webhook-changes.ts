import { AppError } from '../../core/app-error.ts';
import type { Webhook } from '../../core/webhooks.ts';
import { finishRotation, rotateSecret, updateWebhook, WEBHOOK_SCOPE } from '../../store/webhooks/webhooks.ts';
import { accountCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { checkHeaders, type WebhookSettings } from './webhook-settings.ts';
import { checkTarget, ownerOf, ownWebhook, subscription } from './webhooks.ts';

export type { WebhookSettings };

/** Changes a webhook; absent fields stay. Enabling one lets what waited go on. */
export const patchWebhook = accountCommand(
  { scope: 'webhooks:write', forLineKeys: 'own' },
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
    const known = await ownWebhook(context, input);
    const target = { ...ownerOf(context), id: known.id };
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

/**
 * A new secret, which is in this answer only. Until the grace ends deliveries carry the signatures
 * of both.
 */
export const rotateWebhookSecret = accountCommand(
  { scope: 'webhooks:write', forLineKeys: 'own' },
  async (context: Context, input: { id: string; graceMs: number }): Promise<{ webhook: Webhook; secret: string }> => {
    const target = { ...ownerOf(context), id: (await ownWebhook(context, input)).id };
    const graceUntil = context.clock.now() + input.graceMs;
    const box = await context.ring.box(WEBHOOK_SCOPE);
    const rotated = await rotateSecret(context.store.db, box, target, graceUntil);
    if (!rotated) throw new AppError('webhook_not_found');
    return rotated;
  },
);

/** From here on only the new secret signs. */
export const finishWebhookRotation = accountCommand(
  { scope: 'webhooks:write', forLineKeys: 'own' },
  async (context: Context, input: { id: string }): Promise<Webhook> => {
    const { id } = await ownWebhook(context, input);
    const webhook = await finishRotation(context.store.db, { ...ownerOf(context), id });
    if (!webhook) throw new AppError('webhook_not_found');
    return webhook;
  },
);
