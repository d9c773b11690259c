import { AppError, invalid } from '../../core/app-error.ts';
import type { Webhook } from '../../core/webhooks.ts';
import { TARGET_PROBLEMS } from '../../net/target-url.ts';
import type { Tx } from '../../store/db/store.ts';
import {
  createWebhook,
  deleteWebhook,
  findWebhook,
  listWebhooks,
  updateWebhook,
  WEBHOOK_SCOPE,
} from '../../store/webhooks/webhooks.ts';
import { type FormatName, selectorsFor, unknownEventNames } from '../../webhooks/format.ts';
import { accountCommand } from '../command.ts';
import type { Context } from '../context.ts';
import { mayUseLine, requireWholeAccount } from '../line-limits.ts';
import { findLine, type LineName } from '../lines/find-line.ts';
import { checkHeaders, type WebhookSettings } from './webhook-settings.ts';

/** Webhooks of one account and mode; far above any need, far below what fan-out could not carry. */
const MAX_WEBHOOKS = 100;

export const ownerOf = ({ caller }: Context) => ({ accountId: caller.accountId, mode: caller.mode });

/** Refuses a URL that deliveries may not go to, saying why. */
export async function checkTarget(context: Context, url: string): Promise<void> {
  const check = await context.guard.checkTarget(url);
  if (!check.ok) throw new AppError('target_refused', {}, { message: `The URL ${TARGET_PROBLEMS[check.problem]}.` });
}

/** Names and what they select, in a format's words. */
export function subscription(context: Context, name: FormatName, events: readonly string[]) {
  const format = context.formats[name];
  const unknown = unknownEventNames(format, events)[0];
  if (unknown !== undefined) throw invalid('events', `"${unknown}" is no event of this API.`);
  return { format: name, events: [...new Set(events)], selectors: selectorsFor(format, events) };
}

/** Creates a webhook of the Lines API. The secret is in this answer only. */
export const addWebhook = accountCommand(
  { scope: 'webhooks:write', forLineKeys: 'own' },
  async (
    context: Context,
    input: {
      url: string;
      events: readonly string[];
      line?: LineName;
      description?: string;
    } & WebhookSettings,
  ): Promise<{ webhook: Webhook; secret: string }> => {
    const owner = ownerOf(context);
    const line = input.line && (await findLine(context, input.line));
    if (!line) requireWholeAccount(context.caller, 'Name one of them in line_id.');
    const asked = subscription(context, 'lines', input.events);
    checkHeaders(input.headers);
    await checkTarget(context, input.url);
    const known = await listWebhooks(context.store.db, owner, { format: 'lines' });
    if (known.length >= MAX_WEBHOOKS) throw invalid('url', `An account has at most ${MAX_WEBHOOKS} webhooks.`);
    return createWebhook(context.store.db, await context.ring.box(WEBHOOK_SCOPE), {
      ...owner,
      ...asked,
      lineId: line?.id ?? null,
      url: input.url,
      description: input.description ?? null,
      filters: input.filters,
      headers: input.headers,
      strictOrder: input.strictOrder,
      createdAt: context.clock.now(),
    });
  },
);

/** The webhooks of the Lines API, oldest first. */
export const allWebhooks = accountCommand(
  { scope: 'webhooks:read', forLineKeys: 'own' },
  async (context: Context, _: object) => {
    const all = await listWebhooks(context.store.db, ownerOf(context), { format: 'lines' });
    return all.filter(({ lineId }) => mayUseLine(context.caller, lineId));
  },
);

/** Webhooks of both formats, and the names that a person can choose from. */
export interface EveryWebhook {
  webhooks: Webhook[];
  /** Event names by format, in the format's words. */
  names: Record<FormatName, string[]>;
  /** Types of event that a delivery can be about, in the journal's words. */
  types: string[];
}

export const everyWebhook = accountCommand(
  { scope: 'webhooks:read', forLineKeys: 'never' },
  async (context: Context, _: object): Promise<EveryWebhook> => {
    const formats = Object.values(context.formats);
    const selected = formats.flatMap(({ events }) => Object.values(events).flatMap(({ selects }) => selects));
    return {
      webhooks: await listWebhooks(context.store.db, ownerOf(context)),
      names: { bridges: Object.keys(context.formats.bridges.events), lines: Object.keys(context.formats.lines.events) },
      types: [...new Set(selected.map((one) => one.replace(/:.*/, '')))].toSorted(),
    };
  },
);

/** Deletes a webhook with what it was still to get. */
export const removeWebhook = accountCommand(
  { scope: 'webhooks:write', forLineKeys: 'own' },
  async (context: Context, input: { id: string }) => {
    const { id } = await ownWebhook(context, input);
    const isGone = await deleteWebhook(context.store.db, ownerOf(context), id);
    if (!isGone) throw new AppError('webhook_not_found');
    return {};
  },
);

/** Delivers a test event now, and says what the endpoint answered. */
export const testWebhook = accountCommand(
  { scope: 'webhooks:write', forLineKeys: 'own' },
  async (context: Context, input: { id: string }) => {
    const { id } = await ownWebhook(context, input);
    const tested = await context.testWebhook({ ...ownerOf(context), id });
    if (!tested) throw new AppError('webhook_not_found');
    return tested;
  },
);

/**
 * A webhook of the account; one of the key's lines, when the key is limited to lines.
 * `webhook_not_found`.
 */
export async function ownWebhook(context: Context, input: { id: string }): Promise<Webhook> {
  const webhook = await findWebhook(context.store.db, ownerOf(context), idOf(input));
  if (!webhook || !mayUseLine(context.caller, webhook.lineId)) throw new AppError('webhook_not_found');
  return webhook;
}

/** A value that cannot be an id belongs to no webhook; the database is not asked. */
function idOf({ id }: { id: string }): string {
  if (!/^[A-Za-z0-9_]{1,64}$/.test(id)) throw new AppError('webhook_not_found');
  return id;
}

/** Where a bridge delivers, and what. */
export interface BridgeWebhook {
  url: string;
  /** Event names of the Bridges format. */
  events: readonly string[];
  /** Bodies carry more than the published members. */
  hasDetails?: boolean;
}

/** What is to be another; what is absent stays. A null url takes the webhook away. */
export interface BridgeWebhookChange {
  url?: string | null;
  events?: readonly string[];
  /** Of a webhook that is made by it. */
  defaultEvents: readonly string[];
  hasDetails?: boolean;
}

export async function bridgeWebhookOf(context: Context, lineId: string): Promise<Webhook | undefined> {
  const [webhook] = await listWebhooks(context.store.db, ownerOf(context), { lineId, format: 'bridges' });
  return webhook;
}

/**
 * Checks a bridge's webhook and answers the step that creates it, to be taken in the transaction
 * that creates the line.
 */
export async function prepareBridgeWebhook(
  context: Context,
  lineId: string,
  webhook: BridgeWebhook,
): Promise<(tx: Tx) => Promise<void>> {
  await checkTarget(context, webhook.url);
  const box = await context.ring.box(WEBHOOK_SCOPE);
  const row = {
    ...ownerOf(context),
    ...subscription(context, 'bridges', webhook.events),
    lineId,
    url: webhook.url,
    hasDetails: webhook.hasDetails,
    createdAt: context.clock.now(),
  };
  return async (tx) => {
    await createWebhook(tx.db, box, row);
  };
}

/**
 * Changes where a bridge delivers, or what; a null url takes the webhook away. A changed one is
 * enabled again.
 */
export async function changeBridgeWebhook(
  context: Context,
  lineId: string,
  change: BridgeWebhookChange,
): Promise<void> {
  const { db } = context.store;
  const owner = ownerOf(context);
  const known = await bridgeWebhookOf(context, lineId);
  if (change.url === null) {
    if (known) await deleteWebhook(db, owner, known.id);
    return;
  }
  if (!known) {
    if (change.url === undefined) {
      if (change.events || change.hasDetails !== undefined)
        throw invalid('webhook_url', 'This bridge has no webhook_url yet. Give one.');
      return;
    }
    const { hasDetails } = change;
    const webhook = { url: change.url, events: change.events ?? change.defaultEvents, hasDetails };
    const create = await prepareBridgeWebhook(context, lineId, webhook);
    await context.store.transaction(create);
    return;
  }
  if (change.url !== undefined) await checkTarget(context, change.url);
  const asked = change.events && subscription(context, 'bridges', change.events);
  await updateWebhook(
    db,
    await context.ring.box(WEBHOOK_SCOPE),
    { ...owner, id: known.id },
    {
      url: change.url === known.url ? undefined : change.url,
      events: asked?.events,
      selectors: asked?.selectors,
      hasDetails: change.hasDetails,
      status: known.status === 'disabled' ? 'enabled' : undefined,
    },
    context.clock.now(),
  );
  context.nudgeDeliveries();
}
