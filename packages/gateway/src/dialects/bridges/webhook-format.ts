import { bareJid, type Party, phoneOf } from '@ponte/engine';
import type { EventPayloads, JournalEvent } from '../../core/events.ts';
import { remedyOf, toReason } from '../../core/line-reasons.ts';
import { structuredContent } from '../../http/message-content.ts';
import { mentionsAnswer, usernameOf } from '../../http/message-nuances.ts';
import type { FormatEvent, LineView, Rendered, RenderedFor, WebhookFormat } from '../../webhooks/format.ts';
import { groupUpdate } from './group-update.ts';

/** Events of the published list: what a bridge gets unless it asks otherwise. */
const PUBLISHED = {
  message: { selects: ['message.received'] },
  connected: { selects: ['line.status:connected'] },
  disconnected: { selects: ['line.status:disconnected', 'line.status:logged_out', 'line.status:unpaired'] },
  typing: { selects: ['typing'] },
  poll_vote: { selects: ['poll.vote'] },
  event_response: { selects: ['event.response'] },
  call_incoming: { selects: ['call.incoming'] },
  call_terminated: { selects: ['call.terminated'] },
  offline_sync_preview: { selects: ['offline.preview'] },
  offline_sync_completed: { selects: ['offline.completed'] },
  profile_picture_updated: { selects: ['picture.updated'] },
} as const satisfies Record<string, FormatEvent>;

/** Events beyond the published list: only for bridges that ask for them. */
const FURTHER = {
  message_status: { selects: ['message.status'], optIn: true },
  message_receipt: { selects: ['message.receipt'], optIn: true },
  message_edited: { selects: ['message.edited'], optIn: true },
  message_revoked: { selects: ['message.revoked'], optIn: true },
  reaction: { selects: ['message.reaction'], optIn: true },
  message_undecryptable: { selects: ['message.undecryptable'], optIn: true },
  group_update: { selects: ['group.updated'], optIn: true },
  restricted: { selects: ['line.restricted'], optIn: true },
  line_problem: { selects: ['line.problem'], optIn: true },
  approval_requested: { selects: ['approval.requested'], optIn: true },
  logged_out: { selects: ['line.status:logged_out'], optIn: true },
  line_status: { selects: ['line.status'], optIn: true },
} as const satisfies Record<string, FormatEvent>;

const EVENTS = { ...PUBLISHED, ...FURTHER };
export const PUBLISHED_EVENTS = Object.keys(PUBLISHED) as (keyof typeof PUBLISHED)[];
export const BRIDGES_EVENT_NAMES = Object.keys(EVENTS) as (keyof typeof EVENTS)[];

/**
 * The address a Bridges caller knows a person by: the phone number's, else the LID. Groups and
 * channels as they are.
 */
const addressOf = (party: Party): string => bareJid(party.pn ?? party.jid);
/** Digits, also when WhatsApp used the LID; empty when it never disclosed the number. */
const digitsOf = (party: Party): string => phoneOf(party.pn ?? party.jid) ?? '';

type Body = Record<string, unknown> & { event: string };
type Of<T extends JournalEvent['type']> = EventPayloads[T];

/** The Bridges API's bodies: flat, with the published fields in the published order. */
export const bridgesWebhookFormat: WebhookFormat = {
  name: 'bridges',
  events: EVENTS,
  legacySignatureHeader: null,
  render(event, line, delivery): Rendered | null {
    const body = bodyOf(event, line, delivery);
    if (!body) return null;
    const headers: Record<string, string> = line.customerRef === null ? {} : { 'X-Customer-Ref': line.customerRef };
    return { body: JSON.stringify(body), headers };
  },
};

function bodyOf(event: JournalEvent, line: LineView, delivery: RenderedFor): Body | null {
  switch (event.type) {
    case 'message.received':
      return message(event.payload, delivery.hasDetails ?? false);
    case 'line.status':
      return lineStatus(event.payload, line, delivery.events ?? []);
    case 'typing':
      return typing(event.payload);
    case 'poll.vote':
      return pollVote(event.payload);
    case 'event.response':
      return eventResponse(event.payload);
    case 'call.incoming':
      return callIncoming(event.payload);
    case 'call.terminated':
      return callTerminated(event.payload);
    case 'offline.preview':
      return offlinePreview(event.payload);
    case 'offline.completed':
      return { event: 'offline_sync_completed', count: event.payload.count };
    case 'picture.updated':
      return pictureUpdated(event.payload);
    case 'message.status':
      return messageStatus(event.payload);
    case 'message.receipt':
      return messageReceipt(event.payload);
    case 'message.edited':
      return {
        event: 'message_edited',
        ...about(event.payload),
        body: event.payload.body,
        timestamp: event.payload.timestamp,
      };
    case 'message.revoked':
      return { event: 'message_revoked', ...about(event.payload), timestamp: event.payload.timestamp };
    case 'message.reaction':
      return reaction(event.payload);
    case 'message.undecryptable':
      return undecryptable(event.payload);
    case 'group.updated':
      return groupUpdate(event.payload);
    case 'line.restricted':
      return restricted(event.payload);
    case 'line.problem':
      return lineProblem(event.payload);
    case 'approval.requested':
      return approvalRequested(event.payload);
    case 'chat.archived':
    case 'message.sent':
    case 'webhook.test':
    case 'webhook.disabled':
      return null;
  }
}

const lineProblem = (of: Of<'line.problem'>): Body => ({
  event: 'line_problem',
  problem: of.problem,
  status: of.status,
  reason: of.reason,
  remedy: remedyOf(of.reason),
  since: Math.floor(of.since / 1_000),
  resolved: of.resolved,
});

const approvalRequested = (of: Of<'approval.requested'>): Body => ({
  event: 'approval_requested',
  approval_id: of.approvalId,
  operation: of.operation,
  to: of.to,
  asked_by: of.askedBy,
  expires_at: Math.floor(of.expiresAt / 1_000),
});

/**
 * The published twelve members, then what a bridge asked for, then the content of kinds that have
 * no place in the twelve.
 */
function message(of: Of<'message.received'>, hasDetails: boolean): Body {
  const content = structuredContent(of.content);
  return {
    event: 'message',
    message_id: of.messageId,
    contact_id: addressOf(of.sender),
    phone: digitsOf(of.sender),
    chat_id: addressOf(of.chat),
    name: of.pushName,
    body: of.content.body,
    type: of.content.kind,
    media_type: of.content.media?.mimeType ?? '',
    is_group: of.isGroup,
    from_me: of.fromMe,
    timestamp: of.timestamp,
    ...(hasDetails ? details(of) : {}),
    ...(content ? { content } : {}),
  };
}

const details = (of: Of<'message.received'>) => ({
  quoted_message_id: of.quotedId ?? '',
  mentions: mentionsAnswer(of),
  mentions_me: of.mentionsMe ?? false,
  ...usernameOf(of.sender),
});

/**
 * `disconnected` is said once, when a connected bridge stops being it; `logged_out` instead of it
 * to bridges that asked for that, and `line_status`, with the reason, instead of all of them.
 */
function lineStatus(of: Of<'line.status'>, line: LineView, asked: readonly string[]): Body | null {
  if (asked.includes('line_status')) return wholeStatus(of);
  if (of.status === 'connected') {
    // Already connected: something else about it changed.
    return of.previous === 'connected' ? null : { event: 'connected', phone: of.phone ?? line.phone ?? '' };
  }
  if (of.status === 'logged_out' && asked.includes('logged_out')) return { event: 'logged_out' };
  return of.previous === 'connected' ? { event: 'disconnected' } : null;
}

const restricted = ({ cause, isActive, until, detail, timestamp }: Of<'line.restricted'>): Body => ({
  event: 'restricted',
  cause,
  active: isActive,
  until,
  detail,
  timestamp,
});

const wholeStatus = (of: Of<'line.status'>): Body => ({
  event: 'line_status',
  status: of.status,
  previous: of.previous,
  phone: of.phone ?? '',
  reason: of.reason,
  until: of.until == null ? null : new Date(of.until).toISOString(),
  whatsapp_code: of.whatsappCode ?? null,
  remedy: remedyOf(toReason(of.reason)),
});

const typing = (of: Of<'typing'>): Body => ({
  event: 'typing',
  contact_id: addressOf(of.sender),
  chat_id: addressOf(of.chat),
  state: of.state,
  mode: of.mode,
});

/** Who answered which message. */
const answerer = (of: { sender: Party; chat: Party }) => ({
  contact_id: addressOf(of.sender),
  phone: digitsOf(of.sender),
  chat_id: addressOf(of.chat),
});

const pollVote = (of: Of<'poll.vote'>): Body => ({
  event: 'poll_vote',
  ...answerer(of),
  poll_id: of.pollId,
  message_id: of.messageId,
  name: of.pushName,
  from_me: of.fromMe,
  timestamp: of.timestamp,
  selected_options: of.options,
});

const eventResponse = (of: Of<'event.response'>): Body => ({
  event: 'event_response',
  ...answerer(of),
  event_id: of.eventId,
  message_id: of.messageId,
  name: of.pushName,
  from_me: of.fromMe,
  timestamp: of.timestamp,
  response: of.response,
  extra_guest_count: of.extraGuestCount,
});

const callIncoming = (of: Of<'call.incoming'>): Body => ({
  event: 'call_incoming',
  call_id: of.callId,
  contact_id: addressOf(of.from),
  platform: of.platform,
  timestamp: of.timestamp,
});

const callTerminated = (of: Of<'call.terminated'>): Body => ({
  event: 'call_terminated',
  call_id: of.callId,
  contact_id: addressOf(of.from),
  reason: of.reason,
  timestamp: of.timestamp,
});

const offlinePreview = (of: Of<'offline.preview'>): Body => ({
  event: 'offline_sync_preview',
  total: of.total,
  messages: of.messages,
  notifications: of.notifications,
  receipts: of.receipts,
  app_data_changes: of.appDataChanges,
});

const pictureUpdated = (of: Of<'picture.updated'>): Body => ({
  event: 'profile_picture_updated',
  remove: of.removed,
  ...(of.pictureId === null ? {} : { picture_id: of.pictureId }),
  timestamp: of.timestamp,
});

const messageStatus = (of: Of<'message.status'>): Body => ({
  event: 'message_status',
  message_id: of.messageId,
  chat_id: addressOf(of.chat),
  status: of.status,
  timestamp: of.timestamp,
  ...(of.counts ? { counts: of.counts } : {}),
  ...(of.error === null ? {} : { error: of.error.code }),
});

const messageReceipt = (of: Of<'message.receipt'>): Body => ({
  event: 'message_receipt',
  message_id: of.messageId,
  contact_id: addressOf(of.by),
  phone: digitsOf(of.by),
  chat_id: addressOf(of.chat),
  status: of.status,
  timestamp: of.timestamp,
});

/** Who did something to which message. */
const about = (of: { messageId: string; chat: Party; sender: Party; fromMe: boolean }) => ({
  message_id: of.messageId,
  contact_id: addressOf(of.sender),
  phone: digitsOf(of.sender),
  chat_id: addressOf(of.chat),
  from_me: of.fromMe,
});

const undecryptable = (of: Of<'message.undecryptable'>): Body => ({
  event: 'message_undecryptable',
  ...about(of),
  name: of.pushName,
  is_group: of.isGroup,
  type: 'undecryptable',
  reason: of.cause,
  timestamp: of.timestamp,
});

const reaction = (of: Of<'message.reaction'>): Body => ({
  event: 'reaction',
  ...about({ ...of, messageId: of.targetId }),
  name: of.pushName,
  emoji: of.emoji,
  timestamp: of.timestamp,
});
