import { LRUCache } from 'lru-cache';
import { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import type { JournalEvent } from '../core/events.ts';
import { newDeliveryId, newEventId } from '../core/ids.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import type { Guard } from '../net/guarded-fetch.ts';
import type { Store } from '../store/db/store.ts';
import { findLineUnowned, type LineOwner } from '../store/lines/lines.ts';
import { type Endpoint, findEndpoint, WEBHOOK_SCOPE } from '../store/webhooks/webhooks.ts';
import { attempt } from './attempt.ts';
import type { LineView, WebhookFormats } from './format.ts';

/** What an endpoint answered to a test. */
export interface TestedWebhook {
  /** A complete 2xx came in time. */
  ok: boolean;
  statusCode: number | null;
  durationMs: number;
  /**
   * First bytes of the answer; null when there was none, or when it comes from a network only the
   * operator may read.
   */
  responseExcerpt: string | null;
  /** What went wrong when there was no complete answer. */
  errorClass: string | null;
}

export type TestWebhook = (target: LineOwner & { id: string }) => Promise<TestedWebhook | undefined>;

/** Tests per webhook and minute at most: any caller with a key can make us send one. */
const TESTS_PER_MINUTE = 10;
const MINUTE_MS = 60_000;
const MAX_REMEMBERED = 10_000;

/**
 * At most ten per webhook in any minute. Throws `rate_limited` with the seconds until the next one.
 */
function createTestLimit(clock: Clock): (webhookId: string) => void {
  const recent = new LRUCache<string, number[]>({ max: MAX_REMEMBERED });
  return (webhookId) => {
    const now = clock.monotonic();
    const times = (recent.get(webhookId) ?? []).filter((at) => now - at < MINUTE_MS);
    const [oldest] = times;
    if (oldest !== undefined && times.length >= TESTS_PER_MINUTE) {
      throw new AppError('rate_limited', { retryAfterSeconds: Math.ceil((MINUTE_MS - (now - oldest)) / 1_000) });
    }
    recent.set(webhookId, [...times, now]);
  };
}

async function lineOf(store: Store, lineId: string | null): Promise<LineView> {
  const line = lineId === null ? undefined : await findLineUnowned(store.db, lineId);
  if (!line) return { id: lineId ?? '', number: 0, customerRef: null, label: null, phone: null };
  const { id, number, customerRef, label, phone } = line;
  return { id, number, customerRef, label, phone };
}

function testEvent({ webhook }: Endpoint, now: number): JournalEvent {
  return {
    id: newEventId(),
    seq: 0,
    accountId: webhook.accountId,
    lineId: webhook.lineId ?? '',
    type: 'webhook.test',
    payload: { note: 'This is a test event. Nothing happened.' },
    createdAt: now,
  };
}

/**
 * Sends one `webhook.test` event now, signed like any delivery, to a webhook of the owner (also a
 * disabled one), and answers what came back. It is not in the journal, is never retried and says
 * nothing about the webhook's health. Undefined when there is no such webhook.
 */
export function createWebhookTester(deps: {
  store: Store;
  ring: KeyRing;
  formats: WebhookFormats;
  clock: Clock;
  guard: Guard;
}): TestWebhook {
  const { store, ring, formats, clock, guard } = deps;
  const limit = createTestLimit(clock);
  return async (target) => {
    const endpoint = await findEndpoint(store.db, await ring.box(WEBHOOK_SCOPE), target, clock.now());
    if (!endpoint) return undefined;
    limit(target.id);
    const format = formats[endpoint.webhook.format];
    const event = testEvent(endpoint, clock.now());
    const delivery = { id: newDeliveryId() };
    const view = { ...delivery, attempt: 1, events: endpoint.webhook.events };
    const rendered = format.render(event, await lineOf(store, endpoint.webhook.lineId), view);
    // A format without a test event of its own gets the plainest body.
    const body = rendered ?? { body: JSON.stringify({ event: 'webhook_test' }), headers: {} };
    const pool = guard.openPool({ connections: 1 });
    try {
      const { legacySignatureHeader } = format;
      const out = { endpoint, rendered: body, legacySignatureHeader, delivery, eventId: event.id, attempt: 1 };
      const { statusCode, durationMs, excerpt, errorClass } = await attempt(pool, clock, out);
      const ok = errorClass === null && statusCode !== null && statusCode >= 200 && statusCode <= 299;
      return { ok, statusCode, durationMs, responseExcerpt: excerpt, errorClass };
    } finally {
      pool.destroy();
    }
  };
}
