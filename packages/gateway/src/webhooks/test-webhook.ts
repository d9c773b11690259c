import type { Clock } from '../core/clock.ts';
import { newDeliveryId, newEventId } from '../core/ids.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import type { Guard } from '../net/guarded-fetch.ts';
import type { LineOwner } from '../store/lines.ts';
import type { Store } from '../store/store.ts';
import { findEndpoint, WEBHOOK_SCOPE } from '../store/webhooks.ts';
import { type AttemptResult, attempt } from './attempt.ts';
import type { WebhookFormats } from './format.ts';

export interface TestedWebhook {
  ok: boolean;
  statusCode: number | null;
  durationMs: number;
  responseExcerpt: string | null;
  /** What went wrong when there was no answer. */
  errorClass: string | null;
}

/**
 * Delivers a `webhook.test` event right now, signed like any other, and tells how it went. Not journaled, not retried, and it changes nothing about the
 * webhook's health. Undefined when there is no such webhook.
 */
export function createWebhookTester(services: {
  store: Store;
  ring: KeyRing;
  formats: WebhookFormats;
  clock: Clock;
  guard: Guard;
}): (target: LineOwner & { id: string }) => Promise<TestedWebhook | undefined> {
  const { store, ring, formats, clock, guard } = services;
  return async (target) => {
    const endpoint = await findEndpoint(store.db, await ring.box(WEBHOOK_SCOPE), target, clock.now());
    if (!endpoint) return undefined;
    const format = formats[endpoint.webhook.format];
    const eventId = newEventId();
    const rendered = format.render(
      {
        id: eventId,
        seq: 0,
        accountId: target.accountId,
        lineId: endpoint.webhook.lineId ?? '',
        type: 'webhook.test',
        payload: { note: 'This is a test of your webhook. Nothing happened on WhatsApp.' },
        createdAt: clock.now(),
      },
      { id: endpoint.webhook.lineId ?? '', number: 0, customerRef: null, label: null, phone: null },
      { id: newDeliveryId(), attempt: 1 },
    );
    if (!rendered) return undefined;
    const pool = guard.openPool({ connections: 1 });
    try {
      const result = await attempt(pool, clock, {
        endpoint,
        rendered,
        legacySignatureHeader: format.legacySignatureHeader,
        delivery: { id: newDeliveryId() },
        eventId,
        attempt: 1,
      });
      return toTested(result);
    } finally {
      pool.destroy();
    }
  };
}

function toTested({ statusCode, durationMs, excerpt, errorClass }: AttemptResult): TestedWebhook {
  const ok = errorClass === null && statusCode !== null && statusCode >= 200 && statusCode < 300;
  return { ok, statusCode, durationMs, responseExcerpt: excerpt, errorClass };
}
