import { phoneOf } from '@ponte/engine';
import type { Me, Usage } from '../../commands/account.ts';
import type { LineView } from '../../commands/lines.ts';
import type { Sent } from '../../commands/sends.ts';
import type { Period } from '../../core/quota.ts';
import type { Webhook } from '../../core/webhooks.ts';
import { qrPng, qrSvg, qrText } from '../../http/qr-image.ts';
import { type Answer, json } from '../../http/route.ts';
import { internationalPhone } from './phone.ts';

const rfc3339 = (ms: number): string => new Date(ms).toISOString();
const rfc3339OrNull = (ms: number | null): string | null => (ms === null ? null : rfc3339(ms));
const period = ({ startMs, endMs }: Period) => ({ start: rfc3339(startMs), end: rfc3339(endMs) });

export const me = ({ account, limits, period: of, key }: Me) => ({
  ok: true,
  account: { id: account.id, name: account.name },
  plan: { name: account.plan, limits },
  subscription: { status: account.subscription },
  period: period(of),
  api_key: { id: key.keyId, name: key.keyName, prefix: key.keyPrefix, mode: key.mode, scopes: key.scopes },
});

export const usage = (of: Usage) => ({ ok: true, period: period(of.period), plan: of.plan, metrics: of.metrics });

export const line = ({ line: of }: Pick<LineView, 'line'>) => ({
  line_id: of.id,
  label: of.label,
  status: of.status,
  phone: internationalPhone(of.phone),
  name: of.name,
  mode: of.mode,
  customer_ref: of.customerRef,
  created_at: rfc3339(of.createdAt),
  connected_at: rfc3339OrNull(of.connectedAt),
});

const NO_STORE = { 'cache-control': 'no-store' };

/** The QR in the form asked for. Never cached: it changes every few seconds. */
export function qr(
  format: 'json' | 'png' | 'svg' | 'text',
  lineId: string,
  code: { data: string; expiresAt: number },
): Answer {
  if (format === 'json') {
    return json(200, { ok: true, line_id: lineId, qr: code.data, expires_at: rfc3339(code.expiresAt) }, NO_STORE);
  }
  const bytes = {
    png: () => ({ contentType: 'image/png', data: qrPng(code.data) }),
    svg: () => ({ contentType: 'image/svg+xml', data: qrSvg(code.data) }),
    text: () => ({ contentType: 'text/plain; charset=utf-8', data: qrText(code.data) }),
  }[format]();
  return { status: 200, bytes, headers: NO_STORE };
}

/** 200 once WhatsApp has it, 202 while it waits. */
export const sent = (of: Sent): Answer =>
  json(of.state === 'sent' ? 200 : 202, {
    ok: true,
    message_id: of.messageId,
    line_id: of.lineId,
    to: internationalPhone(phoneOf(of.to) ?? null) ?? of.to,
    chat_id: of.to,
    status: of.state,
    timestamp: of.timestamp,
  });

export const webhook = (of: Webhook) => ({
  id: of.id,
  url: of.url,
  events: of.events,
  line_id: of.lineId,
  description: of.description,
  status: of.status,
  disabled_reason: of.disabledReason,
  created_at: rfc3339(of.createdAt),
});
