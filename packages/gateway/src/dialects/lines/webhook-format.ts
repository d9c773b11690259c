import { bareJid, type Party, phoneOf } from '@ponte/engine';
import type { EventPayloads, JournalEvent, MessageFacts } from '../../core/events.ts';
import { remedyOf, toReason } from '../../core/line-reasons.ts';
import { contentAnswer } from '../../http/message-content.ts';
import { mentionsAnswer, nuances } from '../../http/message-nuances.ts';
import type { FormatEvent, LineView, Rendered, WebhookFormat } from '../../webhooks/format.ts';
import { groupUpdate } from './group-update.ts';
import { mediaUrl } from './media-url.ts';
import { internationalPhone } from './phone.ts';

/**
 * Every event name of the Lines API that this version produces. `webhook.test` is sent on request
 * only, so it cannot be subscribed to.
 */
const EVENTS = {
  'message.received': { selects: ['message.received'] },
  'message.sent': { selects: ['message.sent'] },
  'message.status': { selects: ['message.status'] },
  'message.receipt': { selects: ['message.receipt'], optIn: true },
  'line.status': { selects: ['line.status'] },
  'message.edited': { selects: ['message.edited'] },
  'message.revoked': { selects: ['message.revoked'] },
  'message.reaction': { selects: ['message.reaction'] },
  'message.undecryptable': { selects: ['message.undecryptable'] },
  'poll.vote': { selects: ['poll.vote'] },
  'event.response': { selects: ['event.response'] },
  'call.incoming': { selects: ['call.incoming'] },
  'call.terminated': { selects: ['call.terminated'] },
  'contact.typing': { selects: ['typing'] },
  'chat.archived': { selects: ['chat.archived'] },
  'group.updated': { selects: ['group.updated'] },
  'line.restricted': { selects: ['line.restricted'] },
  'webhook.disabled': { selects: ['webhook.disabled'] },
  'line.problem': { selects: ['line.problem'] },
  'approval.requested': { selects: ['approval.requested'] },
} as const satisfies Record<string, FormatEvent>;

export const EVENT_NAMES = Object.keys(EVENTS) as (keyof typeof EVENTS)[];

const addressOf = (party: Party): string => bareJid(party.pn ?? party.jid);
const phoneOfParty = (party: Party): string | null => internationalPhone(phoneOf(party.pn ?? party.jid) ?? null);

type Of<T extends JournalEvent['type']> = EventPayloads[T];
type Data = Record<string, unknown>;

/**
 * The Lines API's bodies: `{event, line_id, data, id, created_at}`, signed over the whole body.
 * Without the address where files are downloaded.
 */
export const linesWebhookFormat: WebhookFormat = linesWebhookFormatAt(() => null);

/** The same, with addresses of files on the server that others reach at `publicUrl`. */
export function linesWebhookFormatAt(publicUrl: () => string | null): WebhookFormat {
  return {
    name: 'lines',
    events: EVENTS,
    legacySignatureHeader: 'X-WAzion-Bridge-Signature',
    render: (event, line) => renderBody(event, line, publicUrl()),
  };
}

function renderBody(event: JournalEvent, line: LineView, publicUrl: string | null): Rendered | null {
  const fileUrl = (messageId: string) => (publicUrl === null ? null : mediaUrl(publicUrl, line.id, messageId));
  const rendered = dataOf(event, fileUrl);
  if (!rendered) return null;
  const [name, data] = rendered;
  const body = {
    event: name,
    line_id: line.id === '' ? null : line.id,
    data,
    id: event.id,
    created_at: new Date(event.createdAt).toISOString(),
  };
  return { body: JSON.stringify(body), name, headers: { 'X-WAzion-Bridge-Event': name } };
}

type FileUrl = (messageId: string) => string | null;

/** The event's name in this API and its data; null when it has none here. */
function dataOf(event: JournalEvent, fileUrl: FileUrl): [string, Data] | null {
  switch (event.type) {
    case 'message.received':
      return ['message.received', message(event.payload, fileUrl)];
    case 'message.sent':
      return ['message.sent', { ...message(event.payload, fileUrl), status: 'sent' }];
    case 'message.status':
      return ['message.status', messageStatus(event.payload)];
    case 'message.receipt':
      return ['message.receipt', receipt(event.payload)];
    case 'line.status':
      return ['line.status', lineStatus(event.payload)];
    case 'line.restricted':
      return ['line.restricted', lineRestricted(event.payload)];
    case 'message.edited':
      return [
        'message.edited',
        { ...changed(event.payload), body: event.payload.body, timestamp: event.payload.timestamp },
      ];
    case 'message.revoked':
      return [
        'message.revoked',
        { ...changed(event.payload), by_admin: event.payload.byAdmin, timestamp: event.payload.timestamp },
      ];
    case 'message.reaction':
      return ['message.reaction', reaction(event.payload)];
    case 'message.undecryptable':
      return ['message.undecryptable', undecryptable(event.payload)];
    case 'poll.vote':
      return ['poll.vote', pollVote(event.payload)];
    case 'event.response':
      return ['event.response', eventResponse(event.payload)];
    case 'call.incoming':
      return [
        'call.incoming',
        { ...call(event.payload), video: event.payload.video, platform: event.payload.platform },
      ];
    case 'call.terminated':
      return ['call.terminated', { ...call(event.payload), reason: event.payload.reason }];
    case 'typing':
      return ['contact.typing', typing(event.payload)];
    case 'chat.archived': {
      const { chat, archived, timestamp } = event.payload;
      return ['chat.archived', { chat_id: addressOf(chat), phone: phoneOfParty(chat), archived, timestamp }];
    }
    case 'group.updated':
      return ['group.updated', groupUpdate(event.payload)];
    case 'webhook.test':
      return ['webhook.test', { note: event.payload.note }];
    case 'webhook.disabled':
      return ['webhook.disabled', disabled(event.payload)];
    case 'line.problem':
      return ['line.problem', lineProblem(event.payload)];
    case 'approval.requested':
      return ['approval.requested', approvalRequested(event.payload)];
    case 'offline.preview':
    case 'offline.completed':
    case 'picture.updated':
      return null;
  }
}

function message(of: MessageFacts, fileUrl: FileUrl): Data {
  const { media } = of.content;
  return {
    message_id: of.messageId,
    chat_id: addressOf(of.chat),
    from: addressOf(of.sender),
    phone: phoneOfParty(of.sender),
    name: of.pushName,
    from_me: of.fromMe,
    is_group: of.isGroup,
    type: of.content.kind,
    body: of.content.body,
    media: media
      ? {
          mime_type: media.mimeType,
          size: media.sizeBytes ?? null,
          filename: media.fileName ?? null,
          sha256: media.sha256 ?? null,
          url: fileUrl(of.messageId),
        }
      : null,
    quoted_message_id: of.quotedId,
    mentions: mentionsAnswer(of),
    timestamp: of.timestamp,
    content: contentAnswer(of.content),
    ...nuances(of),
  };
}

function messageStatus(of: Of<'message.status'>): Data {
  const error = of.error && {
    code: of.error.code,
    message: of.error.message,
    ...(of.error.whatsappCode === undefined ? {} : { whatsapp_code: of.error.whatsappCode }),
  };
  return {
    message_id: of.messageId,
    chat_id: addressOf(of.chat),
    status: of.status,
    timestamp: of.timestamp,
    ...(of.counts ? { counts: of.counts } : {}),
    ...(error ? { error } : {}),
  };
}

const receipt = (of: Of<'message.receipt'>): Data => ({
  message_id: of.messageId,
  chat_id: addressOf(of.chat),
  from: addressOf(of.by),
  phone: phoneOfParty(of.by),
  status: of.status,
  timestamp: of.timestamp,
});

const lineStatus = (of: Of<'line.status'>): Data => ({
  status: of.status,
  previous: of.previous,
  phone: internationalPhone(of.phone),
  reason: of.reason,
  until: of.until == null ? null : new Date(of.until).toISOString(),
  whatsapp_code: of.whatsappCode ?? null,
  remedy: remedyOf(toReason(of.reason)),
});

const lineRestricted = ({ cause, isActive, until, detail, timestamp }: Of<'line.restricted'>): Data => ({
  cause,
  active: isActive,
  until,
  detail,
  timestamp,
});

/** Who did something to which message. */
const about = (of: { messageId: string; chat: Party; sender: Party; fromMe: boolean }): Data => ({
  message_id: of.messageId,
  chat_id: addressOf(of.chat),
  from: addressOf(of.sender),
  phone: phoneOfParty(of.sender),
  from_me: of.fromMe,
});

/** The same of an edit or a deletion, with the name of who did it. */
const changed = (of: Of<'message.edited'> | Of<'message.revoked'>): Data => ({
  ...about(of),
  name: of.pushName ?? '',
});

const reaction = (of: Of<'message.reaction'>): Data => ({
  ...about({ ...of, messageId: of.targetId }),
  name: of.pushName,
  emoji: of.emoji,
  timestamp: of.timestamp,
});

const undecryptable = (of: Of<'message.undecryptable'>): Data => ({
  ...about(of),
  name: of.pushName,
  is_group: of.isGroup,
  type: 'undecryptable',
  reason: of.cause,
  timestamp: of.timestamp,
});

const pollVote = (of: Of<'poll.vote'>): Data => ({
  ...about(of),
  poll_id: of.pollId,
  name: of.pushName,
  selected_options: of.options,
  timestamp: of.timestamp,
});

const eventResponse = (of: Of<'event.response'>): Data => ({
  ...about(of),
  event_id: of.eventId,
  name: of.pushName,
  response: of.response,
  extra_guest_count: of.extraGuestCount,
  timestamp: of.timestamp,
});

const call = (of: { callId: string; from: Party; timestamp: number }): Data => ({
  call_id: of.callId,
  from: addressOf(of.from),
  phone: phoneOfParty(of.from),
  timestamp: of.timestamp,
});

const typing = (of: Of<'typing'>): Data => ({
  chat_id: addressOf(of.chat),
  from: addressOf(of.sender),
  phone: phoneOfParty(of.sender),
  state: of.state,
  mode: of.mode,
});

const lineProblem = (of: Of<'line.problem'>): Data => ({
  problem: of.problem,
  status: of.status,
  reason: of.reason,
  remedy: remedyOf(of.reason),
  since: new Date(of.since).toISOString(),
  resolved: of.resolved,
});

const approvalRequested = (of: Of<'approval.requested'>): Data => ({
  approval_id: of.approvalId,
  operation: of.operation,
  to: of.to,
  asked_by: of.askedBy,
  expires_at: new Date(of.expiresAt).toISOString(),
});

const disabled = (of: Of<'webhook.disabled'>): Data => ({
  webhook_id: of.webhookId,
  reason: of.reason,
  failing_since: of.failingSince === null ? null : new Date(of.failingSince).toISOString(),
});
