import type { Kysely, Selectable, Transaction } from 'kysely';
import { newWebhookId, randomBase62 } from '../../core/ids.ts';
import type { Webhook, WebhookFilters } from '../../core/webhooks.ts';
import type { SealedBox } from '../../crypto/sealed-box.ts';
import type { Database, WebhooksTable } from '../db/schema.ts';
import type { LineOwner } from '../lines/lines.ts';

type Db = Kysely<Database> | Transaction<Database>;
type Row = Selectable<WebhooksTable>;
type SealedColumn = 'secret' | 'previous_secret' | 'headers';

/** The scope of the key ring that webhook secrets are sealed under. */
export const WEBHOOK_SCOPE = 'system';

const aad = (id: string, column: SealedColumn) => `webhooks|${column}|${id}`;
const sealText = (box: SealedBox, id: string, column: SealedColumn, text: string) =>
  box.seal(Buffer.from(text, 'utf8'), aad(id, column));
const openText = (box: SealedBox, id: string, column: SealedColumn, sealed: Uint8Array) =>
  box.open(sealed, aad(id, column)).toString('utf8');

/**
 * A new signing secret. Behind `wzb_` it reads `whsec_<base64>`, the form of the Standard Webhooks
 * libraries: 40 base62 characters are valid base64 of 30 bytes (238 random bits).
 */
export const newWebhookSecret = (): string => `wzb_whsec_${randomBase62(40)}`;

export interface NewWebhook {
  accountId: string;
  mode: 'live' | 'test';
  lineId: string | null;
  url: string;
  /** Names in the format's words, and what they select (webhooks/format.ts `selectorsFor`). */
  events: readonly string[];
  selectors: readonly string[];
  format: 'bridges' | 'lines';
  description?: string | null;
  filters?: WebhookFilters | null;
  /** The owner's own headers, sent with every delivery. */
  headers?: Record<string, string> | null;
  strictOrder?: boolean;
  hasDetails?: boolean;
  createdAt: number;
}

const optionalTime = (value: number | null): number | null => (value === null ? null : Number(value));

/** A row in the words of the core. */
export function toWebhook(row: Row): Webhook {
  return {
    id: row.id,
    accountId: row.account_id,
    mode: row.mode,
    lineId: row.line_id,
    url: row.url,
    events: JSON.parse(row.events) as string[],
    filters: row.filters === null ? null : (JSON.parse(row.filters) as WebhookFilters),
    format: row.format,
    description: row.description,
    strictOrder: Number(row.strict_order) === 1,
    hasDetails: Number(row.details) === 1,
    status: row.status,
    disabledReason: row.disabled_reason,
    disabledAt: optionalTime(row.disabled_at),
    createdAt: Number(row.created_at),
    failingSince: optionalTime(row.failing_since),
    rotatingUntil: optionalTime(row.previous_secret_until),
  };
}

/**
 * Creates a webhook with a secret of its own, which is answered here and never again. The URL must
 * have been checked before.
 */
export async function createWebhook(
  db: Db,
  box: SealedBox,
  webhook: NewWebhook,
): Promise<{ webhook: Webhook; secret: string }> {
  const id = newWebhookId();
  const secret = newWebhookSecret();
  const row = await db
    .insertInto('webhooks')
    .values({
      id,
      account_id: webhook.accountId,
      mode: webhook.mode,
      line_id: webhook.lineId,
      url: webhook.url,
      secret: sealText(box, id, 'secret', secret),
      previous_secret: null,
      previous_secret_until: null,
      events: JSON.stringify(webhook.events),
      selectors: JSON.stringify(webhook.selectors),
      filters: webhook.filters ? JSON.stringify(webhook.filters) : null,
      headers: webhook.headers ? sealText(box, id, 'headers', JSON.stringify(webhook.headers)) : null,
      format: webhook.format,
      description: webhook.description ?? null,
      strict_order: webhook.strictOrder ? 1 : 0,
      details: webhook.hasDetails ? 1 : 0,
      status: 'enabled',
      disabled_reason: null,
      disabled_at: null,
      created_at: webhook.createdAt,
      failing_since: null,
      last_failure_at: null,
      lane_owner: null,
      lane_until: 0,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return { webhook: toWebhook(row), secret };
}

const ownedBy = (db: Db, owner: LineOwner) =>
  db.selectFrom('webhooks').selectAll().where('account_id', '=', owner.accountId).where('mode', '=', owner.mode);

export async function findWebhook(db: Db, owner: LineOwner, id: string): Promise<Webhook | undefined> {
  const row = await ownedBy(db, owner).where('id', '=', id).executeTakeFirst();
  return row && toWebhook(row);
}

/**
 * An account's webhooks of one mode, oldest first; `lineId` narrows to those of this line alone.
 */
export async function listWebhooks(
  db: Db,
  owner: LineOwner,
  only: { lineId?: string; format?: Webhook['format'] } = {},
): Promise<Webhook[]> {
  let query = ownedBy(db, owner).orderBy('created_at').orderBy('id');
  if (only.lineId !== undefined) query = query.where('line_id', '=', only.lineId);
  if (only.format !== undefined) query = query.where('format', '=', only.format);
  return (await query.execute()).map(toWebhook);
}

/**
 * What an owner may change. `selectors` goes with `events`. A null takes a thing away, undefined
 * leaves it.
 */
export interface WebhookPatch {
  url?: string;
  events?: readonly string[];
  selectors?: readonly string[];
  filters?: WebhookFilters | null;
  headers?: Record<string, string> | null;
  description?: string | null;
  strictOrder?: boolean;
  hasDetails?: boolean;
  /** Enabling forgets the run of failures and lets what waited go on. */
  status?: 'enabled' | 'disabled';
}

function statusColumns(status: WebhookPatch['status'], now: number): Partial<Row> {
  if (status === undefined) return {};
  if (status === 'disabled') return { status, disabled_reason: 'by_owner', disabled_at: now };
  return { status, disabled_reason: null, disabled_at: null, failing_since: null, last_failure_at: null };
}

/**
 * Changes a webhook; undefined when it does not exist. A new URL or status starts with a clean
 * record of failures.
 */
export async function updateWebhook(
  db: Db,
  box: SealedBox,
  target: LineOwner & { id: string },
  patch: WebhookPatch,
  now: number,
): Promise<Webhook | undefined> {
  const { id } = target;
  const json = (value: unknown) => (value === undefined ? undefined : value === null ? null : JSON.stringify(value));
  const headers = json(patch.headers);
  const row = await db
    .updateTable('webhooks')
    .set({
      // Setting the id to itself keeps an empty patch a valid statement.
      id,
      url: patch.url,
      events: json(patch.events) ?? undefined,
      selectors: json(patch.selectors) ?? undefined,
      filters: json(patch.filters),
      headers: typeof headers === 'string' ? sealText(box, id, 'headers', headers) : headers,
      description: patch.description,
      strict_order: patch.strictOrder === undefined ? undefined : patch.strictOrder ? 1 : 0,
      details: patch.hasDetails === undefined ? undefined : patch.hasDetails ? 1 : 0,
      ...(patch.url === undefined ? {} : { failing_since: null, last_failure_at: null }),
      ...statusColumns(patch.status, now),
    })
    .where('id', '=', id)
    .where('account_id', '=', target.accountId)
    .where('mode', '=', target.mode)
    .returningAll()
    .executeTakeFirst();
  return row && toWebhook(row);
}

/** Deletes a webhook with its deliveries and their log. False when it does not exist. */
export async function deleteWebhook(db: Db, owner: LineOwner, id: string): Promise<boolean> {
  const gone = await db
    .deleteFrom('webhooks')
    .where('id', '=', id)
    .where('account_id', '=', owner.accountId)
    .where('mode', '=', owner.mode)
    .executeTakeFirst();
  return Number(gone.numDeletedRows) > 0;
}

/**
 * Gives a webhook a new secret. Until `graceUntil` deliveries are signed with both (the
 * single-valued legacy header with the old one only). A rotation during a rotation keeps the secret
 * in use now as the old one. Undefined when the webhook does not exist.
 */
export async function rotateSecret(
  db: Db,
  box: SealedBox,
  target: LineOwner & { id: string },
  graceUntil: number,
): Promise<{ webhook: Webhook; secret: string } | undefined> {
  const { id } = target;
  const row = await ownedBy(db, target).where('id', '=', id).executeTakeFirst();
  if (!row) return undefined;
  const secret = newWebhookSecret();
  const current = openText(box, id, 'secret', row.secret);
  const changed = await db
    .updateTable('webhooks')
    .set({
      secret: sealText(box, id, 'secret', secret),
      previous_secret: sealText(box, id, 'previous_secret', current),
      previous_secret_until: graceUntil,
    })
    .where('id', '=', id)
    .where('secret', '=', row.secret)
    .returningAll()
    .executeTakeFirst();
  // Another request rotated in between: its caller received that secret, so it becomes the old one.
  return changed ? { webhook: toWebhook(changed), secret } : rotateSecret(db, box, target, graceUntil);
}

/**
 * Ends a rotation now: only the new secret signs from here on. Undefined when the webhook does not
 * exist.
 */
export async function finishRotation(db: Db, target: LineOwner & { id: string }): Promise<Webhook | undefined> {
  const row = await db
    .updateTable('webhooks')
    .set({ previous_secret: null, previous_secret_until: null })
    .where('id', '=', target.id)
    .where('account_id', '=', target.accountId)
    .where('mode', '=', target.mode)
    .returningAll()
    .executeTakeFirst();
  return row && toWebhook(row);
}

/**
 * Everything an attempt needs to know of its webhook. Holds open secrets: never logged, never
 * answered.
 */
export interface Endpoint {
  webhook: Webhook;
  /** The current secret first, then the one before while its grace lasts. */
  secrets: [string, ...string[]];
  headers: Record<string, string>;
}

/** Opens what is sealed in a row. Throws UnreadableError. */
export function openEndpoint(box: SealedBox, row: Row, now: number): Endpoint {
  const { id } = row;
  const inGrace = row.previous_secret !== null && Number(row.previous_secret_until ?? 0) > now;
  const previous = inGrace && row.previous_secret ? [openText(box, id, 'previous_secret', row.previous_secret)] : [];
  const headers = row.headers === null ? '{}' : openText(box, id, 'headers', row.headers);
  return {
    webhook: toWebhook(row),
    secrets: [openText(box, id, 'secret', row.secret), ...previous],
    headers: JSON.parse(headers) as Record<string, string>,
  };
}

/** The endpoint of one webhook, for a test delivery. */
export async function findEndpoint(
  db: Db,
  box: SealedBox,
  target: LineOwner & { id: string },
  now: number,
): Promise<Endpoint | undefined> {
  const row = await ownedBy(db, target).where('id', '=', target.id).executeTakeFirst();
  return row && openEndpoint(box, row, now);
}
