import { bareJid, phoneOf } from '@ponte/engine';
import type { Me, Usage } from '../../commands/account/account.ts';
import type { ChatCursor, ListedChat, MemberReading, MessagePage, MessageReport } from '../../commands/chats/chats.ts';
import type { LineView } from '../../commands/lines/lines.ts';
import type { QueueView } from '../../commands/sends/queue.ts';
import type { Sent } from '../../commands/sends/sends.ts';
import type {
  AttemptView,
  DeliveryReport,
  DeliveryView,
  WebhookReport,
} from '../../commands/webhooks/webhook-deliveries.ts';
import type { Period } from '../../core/quota.ts';
import type { Webhook } from '../../core/webhooks.ts';
import { contentAnswer } from '../../http/message-content.ts';
import { changesAnswer, mentionsAnswer, nuances } from '../../http/message-nuances.ts';
import { qrPng, qrSvg, qrText } from '../../http/qr-image.ts';
import { type Answer, json } from '../../http/route.ts';
import { standingMembers } from '../../http/standing-schema.ts';
import { mediaUrl } from './media-url.ts';
import { internationalPhone } from './phone.ts';

const rfc3339 = (ms: number): string => new Date(ms).toISOString();
const rfc3339OrNull = (ms: number | null): string | null => (ms === null ? null : rfc3339(ms));
const period = ({ startMs, endMs }: Period) => ({ start: rfc3339(startMs), end: rfc3339(endMs) });

export const me = ({ account, limits, period: of, key }: Me) => ({
  ok: true,
  account: { id: account.id, name: account.name, contents: account.contents },
  plan: { name: account.plan, limits },
  subscription: { status: account.subscription },
  period: period(of),
  api_key: {
    id: key.keyId,
    name: key.keyName,
    prefix: key.keyPrefix,
    mode: key.mode,
    scopes: key.scopes,
    line_ids: key.lines ?? null,
    networks: key.networks ?? null,
  },
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
  ...standingMembers(of),
  lid: of.lid === null ? null : bareJid(of.lid),
  credentials_kept_until: rfc3339OrNull(of.credentialsKeptUntil),
});

/** A stored message, as every list shows it. `publicUrl`: where its file is downloaded. */
export const listedMessage = (of: MessageReport['message'], lineId: string, publicUrl: string) => {
  const { sender, content, quotedId, isGroup } = of.facts;
  const { media } = content;
  return {
    message_id: of.messageId,
    jid: of.chat,
    from: bareJid(sender.pn ?? sender.jid),
    from_me: of.fromMe,
    type: of.kind,
    body: of.body,
    media: media
      ? {
          mime_type: media.mimeType,
          size: media.sizeBytes ?? null,
          filename: media.fileName ?? null,
          url: mediaUrl(publicUrl, lineId, of.messageId),
        }
      : null,
    quoted_message_id: quotedId,
    status: of.status,
    timestamp: of.timestamp,
    name: of.name,
    is_group: isGroup,
    mentions: mentionsAnswer(of.facts),
    content: contentAnswer(content),
    ...nuances(of.facts),
  };
};

export const messages = (lineId: string, { messages: all, isMore, publicUrl }: MessagePage) => ({
  ok: true,
  messages: all.map((message) => listedMessage(message, lineId, publicUrl)),
  next_before: isMore ? (all.at(-1)?.messageId ?? null) : null,
});

const failure = (error: MessageReport['error']) =>
  error && { code: error.code, message: error.message, whatsapp_code: error.whatsappCode };

const reader = (of: MemberReading) => ({
  jid: bareJid(of.party.pn ?? of.party.jid),
  phone: internationalPhone(phoneOf(of.party.pn ?? of.party.jid) ?? null),
  name: of.name,
  delivered_at: of.deliveredAt,
  read_at: of.readAt,
  played_at: of.playedAt,
});

export function oneMessage(lineId: string, report: MessageReport) {
  const { message, readers, timeline, error, send, publicUrl, traceId } = report;
  return {
    ok: true,
    ...listedMessage(message, lineId, publicUrl),
    line_id: lineId,
    error: failure(error),
    priority: send?.priority ?? null,
    send_at: rfc3339OrNull(send?.sendAt ?? null),
    ...changesAnswer(message.facts),
    readers: readers?.map(reader) ?? null,
    timeline: timeline.map((entry) => ({
      state: entry.stage,
      timestamp: entry.timestamp,
      error: failure(entry.error),
    })),
    trace_id: traceId,
  };
}

export const chats = ({ chats: all, next }: { chats: ListedChat[]; next: ChatCursor | null }) => ({
  ok: true,
  chats: all.map((chat) => ({
    jid: chat.pn ?? chat.jid,
    phone: internationalPhone(phoneOf(chat.pn ?? chat.jid) ?? null),
    name: chat.name,
    is_group: chat.isGroup,
    archived: chat.archived,
    unread_count: chat.unreadCount,
    last_message: chat.lastMessage && {
      id: chat.lastMessage.id,
      body: chat.lastMessage.body,
      type: chat.lastMessage.kind,
      from_me: chat.lastMessage.fromMe,
      timestamp: chat.lastMessage.timestamp,
      revoked: chat.lastMessage.isRevoked,
    },
    updated_at: rfc3339(chat.updatedAt),
  })),
  next_cursor: next && Buffer.from(`${next.at} ${next.jid}`).toString('base64url'),
});

export const queue = (lineId: string, of: QueueView) => ({
  ok: true,
  line_id: lineId,
  depth: of.depth,
  scheduled: of.scheduled,
  in_flight: of.inFlight,
  next_send_at: rfc3339OrNull(of.nextSendAt),
  pacing: of.pacing && {
    min_gap_ms: of.pacing.minGapMs,
    max_gap_ms: of.pacing.maxGapMs,
    burst: of.pacing.burst,
    pause_ms: of.pacing.pauseMs,
  },
  items: of.items.map((item) => ({
    message_id: item.messageId,
    to: internationalPhone(phoneOf(item.to) ?? null) ?? item.to,
    type: item.content.kind,
    priority: item.priority,
    state: item.state !== 'accepted' ? 'sending' : item.isLater ? 'scheduled' : 'queued',
    accepted_at: rfc3339(item.acceptedAt),
    send_at: rfc3339OrNull(item.sendAt),
  })),
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

/** 200 once WhatsApp has it, 202 while it waits, or while it is unknown whether it arrived. */
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

/** A secret as it is shown once: as it stands, and as libraries for Standard Webhooks take it. */
export const webhookSecret = (secret: string) => ({ secret, standard_secret: secret.replace(/^wzb_/, '') });

export const webhook = (of: Webhook) => ({
  id: of.id,
  url: of.url,
  events: of.events,
  line_id: of.lineId,
  description: of.description,
  status: of.status,
  disabled_reason: of.disabledReason,
  created_at: rfc3339(of.createdAt),
  filters: of.filters && {
    chats: of.filters.chats ?? null,
    direction: of.filters.direction ?? null,
    types: of.filters.kinds ?? null,
  },
  strict_order: of.strictOrder,
  rotating_until: rfc3339OrNull(of.rotatingUntil),
});

export const attempt = (of: AttemptView) => ({
  number: of.number,
  at: rfc3339(of.at),
  duration_ms: of.durationMs,
  status_code: of.statusCode,
  error: of.errorClass,
  response_excerpt: of.responseExcerpt,
});

export const delivery = (of: DeliveryView) => ({
  id: of.id,
  webhook_id: of.webhookId,
  event: of.event && {
    id: of.event.id,
    type: of.event.type,
    line_id: of.event.lineId,
    created_at: rfc3339(of.event.createdAt),
  },
  status: of.state,
  attempts: of.attempts,
  next_attempt_at: of.state === 'pending' ? rfc3339(of.nextAt === 0 ? of.createdAt : of.nextAt) : null,
  created_at: rfc3339(of.createdAt),
  finished_at: rfc3339OrNull(of.finishedAt),
  last_attempt: of.lastAttempt && attempt(of.lastAttempt),
});

export const deliveries = ({ deliveries: all, next }: { deliveries: DeliveryView[]; next: number | null }) => ({
  ok: true,
  deliveries: all.map(delivery),
  next_cursor: next === null ? null : String(next),
});

export const webhookReport = ({ webhook: of, open, blockedOn }: WebhookReport) => ({
  ok: true,
  ...webhook(of),
  failing_since: rfc3339OrNull(of.failingSince),
  pending: open.pending,
  dead: open.dead,
  blocked_on: blockedOn && delivery(blockedOn),
});

export const deliveryReport = ({ delivery: of, attempts, body }: DeliveryReport) => ({
  ok: true,
  ...delivery(of),
  attempt_log: attempts.map(attempt),
  payload: body === null ? null : (JSON.parse(body) as unknown),
});
