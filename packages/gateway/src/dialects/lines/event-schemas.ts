import { z } from 'zod';
import { REASON_CODES } from '../../core/line-reasons.ts';
import { messageContent } from '../../http/message-content.ts';
import { mentionsShape, nuancesShape } from '../../http/message-nuances.ts';
import type { DocumentedEvent } from '../../http/route.ts';
import type { EVENT_NAMES } from './webhook-format.ts';

/*
 * What webhooks, event streams and `GET /v1/events` deliver, as schemas. `webhook-format.ts` writes
 * the bodies; a test holds every one of them against these.
 */

const address = z.string().meta({ examples: ['15550002222@s.whatsapp.net'] });
const phone = z
  .string()
  .nullable()
  .meta({ description: 'International format; null when WhatsApp does not disclose it.', examples: ['+15550002222'] });
/** No choice of codes: events of older versions are kept, with the reasons of their time. */
const lineReason = z.string().meta({ examples: ['connection_lost'] });
const timestamp = z.int().meta({ description: 'Unix seconds.', examples: [1777180605] });
const messageId = z.string();

/** Who did something to which message. */
const about = {
  message_id: messageId.meta({ description: 'The message that it is about.' }),
  chat_id: address,
  from: address.meta({ description: 'Who did it.' }),
  phone,
  from_me: z.boolean(),
};
const named = { ...about, name: z.string() };

const message = {
  message_id: messageId,
  chat_id: address,
  from: address,
  phone,
  name: z.string(),
  from_me: z.boolean(),
  is_group: z.boolean(),
  type: z.string().meta({
    description: 'text, image, video, audio, voice, document, sticker, location, contact, poll, event or unknown.',
  }),
  body: z.string(),
  media: z
    .strictObject({
      mime_type: z.string(),
      size: z.int().nullable(),
      filename: z.string().nullable(),
      sha256: z.string().nullable().meta({ description: 'Of the file, in base64.' }),
      url: z.string().nullable().meta({ description: 'Where Ponte gives the file to this key.' }),
    })
    .nullable(),
  quoted_message_id: z.string().nullable(),
  mentions: mentionsShape,
  timestamp,
  content: messageContent.nullable(),
  ...nuancesShape,
};

const STATUS = ['pending', 'sent', 'delivered', 'read', 'played', 'failed'] as const;
const LINE_STATUS = ['unpaired', 'pairing', 'connecting', 'connected', 'disconnected', 'logged_out'] as const;
const call = { call_id: z.string(), from: address, phone, timestamp };

/** `data` of every event. */
export const EVENT_DATA = {
  'message.received': z.strictObject(message),
  'message.sent': z.strictObject({ ...message, status: z.literal('sent') }),
  'message.status': z.strictObject({
    message_id: messageId,
    chat_id: address,
    status: z.enum(STATUS),
    timestamp,
    counts: z
      .strictObject({
        delivered: z.int().meta({ description: 'Members who have it.' }),
        read: z.int().meta({ description: 'Members who read it.' }),
        played: z.int().meta({ description: 'Members who played it.' }),
      })
      .optional()
      .meta({ description: 'In groups: how many members have got this far.' }),
    error: z
      .strictObject({ code: z.string(), message: z.string(), whatsapp_code: z.int().optional() })
      .optional()
      .meta({ description: 'Why it failed.' }),
  }),
  'message.receipt': z.strictObject({
    message_id: messageId,
    chat_id: address,
    from: address.meta({ description: 'Whose receipt it is.' }),
    phone,
    status: z.enum(['delivered', 'read', 'played']),
    timestamp,
  }),
  'line.status': z.strictObject({
    status: z.enum(LINE_STATUS),
    previous: z.enum(LINE_STATUS),
    phone,
    reason: lineReason.nullable().meta({ description: `Why, as status_reason: ${REASON_CODES.join(', ')}.` }),
    until: z
      .string()
      .nullable()
      .meta({ description: 'When it ends by itself (RFC 3339); null when unknown or never.' }),
    whatsapp_code: z.int().nullable(),
    remedy: z.string().nullable().meta({ description: 'What to do.' }),
  }),
  'line.restricted': z.strictObject({
    cause: z.enum(['reachout_timelock', 'new_chat_cap']),
    active: z.boolean().meta({ description: 'False: it was lifted.' }),
    until: z.int().nullable().meta({ description: 'Unix seconds; null when WhatsApp did not say.' }),
    detail: z.string().meta({ description: 'WhatsApp’s own word for it.' }),
    timestamp,
  }),
  'message.edited': z.strictObject({ ...named, body: z.string(), timestamp }),
  'message.revoked': z.strictObject({
    ...named,
    by_admin: z.boolean().meta({ description: 'An admin of the group deleted it.' }),
    timestamp,
  }),
  'message.reaction': z.strictObject({ ...named, emoji: z.string(), timestamp }),
  'message.undecryptable': z.strictObject({
    ...named,
    is_group: z.boolean(),
    type: z.literal('undecryptable'),
    reason: z.enum(['decryption_failed', 'unavailable', 'unsupported', 'malformed']),
    timestamp,
  }),
  'poll.vote': z.strictObject({
    ...named,
    poll_id: z.string(),
    selected_options: z
      .array(z.string())
      .meta({ description: 'All that are chosen now; none = the vote was taken back.' }),
    timestamp,
  }),
  'event.response': z.strictObject({
    ...named,
    event_id: z.string(),
    response: z.string(),
    extra_guest_count: z.int(),
    timestamp,
  }),
  'call.incoming': z.strictObject({ ...call, video: z.boolean(), platform: z.string() }),
  'call.terminated': z.strictObject({ ...call, reason: z.string() }),
  'contact.typing': z.strictObject({
    chat_id: address,
    from: address,
    phone,
    state: z.enum(['composing', 'paused']),
    mode: z.enum(['text', 'voice']),
  }),
  'chat.archived': z.strictObject({ chat_id: address, phone, archived: z.boolean(), timestamp }),
  'group.updated': z.looseObject({
    group_id: address,
    by: z
      .strictObject({ jid: address, phone, lid: z.string().nullable() })
      .nullable()
      .meta({ description: 'Who changed it; null when WhatsApp did not say.' }),
    change: z
      .string()
      .meta({ description: 'What changed; its new value stands under its own name.', examples: ['subject'] }),
    timestamp,
  }),
  'line.problem': z.strictObject({
    problem: z.string().meta({ description: 'What is wrong.' }),
    status: z.string(),
    reason: z.string().nullable().meta({ description: 'Why; as in status_reason.' }),
    remedy: z.string().nullable().meta({ description: 'What to do.' }),
    since: z.string(),
    resolved: z.boolean().meta({ description: 'True: it is over.' }),
  }),
  'approval.requested': z.strictObject({
    approval_id: z.string(),
    operation: z.string(),
    to: z.string().nullable(),
    asked_by: z.string().meta({ description: 'Name of the key.' }),
    expires_at: z.string(),
  }),
  'webhook.disabled': z.strictObject({
    webhook_id: z.string(),
    reason: z.string(),
    failing_since: z.string().nullable(),
  }),
  'webhook.test': z.strictObject({ note: z.string() }),
} as const satisfies Record<(typeof EVENT_NAMES)[number] | 'webhook.test', z.ZodType>;

export type EventName = keyof typeof EVENT_DATA;

const DESCRIPTIONS: Record<EventName, string> = {
  'message.received': 'A message came in, or was sent from another device of the account (`from_me`).',
  'message.sent': 'A message of this line reached WhatsApp.',
  'message.status': 'A sent message got further: delivered, read, played, or failed.',
  'message.receipt': 'One member of a group got or read a message. Only for webhooks that name it.',
  'line.status': 'The line is connected, or is not any more.',
  'line.restricted': 'WhatsApp limits what the number may do, or lifted such a limit.',
  'message.edited': 'A message was edited.',
  'message.revoked': 'A message was deleted for everyone.',
  'message.reaction': 'A reaction was given, changed or taken back (empty emoji).',
  'message.undecryptable': 'A message whose content could not be read; message.received follows when it can.',
  'poll.vote': 'A vote in a poll.',
  'event.response': 'An answer to an invitation.',
  'call.incoming': 'A call comes in.',
  'call.terminated': 'A call ended.',
  'contact.typing': 'A person types or records, or stopped. Live only: it is not kept.',
  'chat.archived': 'A chat was put into the archive or taken out of it.',
  'group.updated': 'Something about a group changed.',
  'line.problem': 'Something is wrong with a line for longer than a moment, or is over.',
  'approval.requested': 'A key wants to send something that needs a person’s yes.',
  'webhook.disabled': 'A webhook was switched off, because it failed for days or answered 410.',
  'webhook.test': 'Sent on request, to try an endpoint.',
};

const shapeOf = (name: EventName) =>
  z
    .strictObject({
      event: z.literal(name),
      line_id: z.string().nullable(),
      data: EVENT_DATA[name],
      id: z.string().meta({
        description: 'The event: the same at every attempt, and for every replay.',
        examples: ['evt_Ks9R4Zt8Qx7WcVbN2mKd'],
      }),
      created_at: z.string(),
    })
    .meta({
      id: `Lines${name
        .split(/[._]/)
        .map((part) => `${part[0]?.toUpperCase()}${part.slice(1)}`)
        .join('')}Event`,
    });

const NAMES = Object.keys(EVENT_DATA) as EventName[];
const [first, ...rest] = NAMES.map(shapeOf);
if (!first) throw new Error('there are no events');

/** Any event of the Lines format; `event` says which. */
export const linesEvent = z.discriminatedUnion('event', [first, ...rest]).meta({ id: 'LinesEvent' });

/** For the reference. */
export const LINES_EVENTS: readonly DocumentedEvent[] = NAMES.map((name, index) => ({
  name,
  summary: name,
  description: DESCRIPTIONS[name],
  schema: [first, ...rest][index] ?? first,
}));
