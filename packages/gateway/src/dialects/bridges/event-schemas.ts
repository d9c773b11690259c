import { z } from 'zod';
import { REASON_CODES } from '../../core/line-reasons.ts';
import { messageContent } from '../../http/message-content.ts';
import type { DocumentedEvent } from '../../http/route.ts';
import type { BRIDGES_EVENT_NAMES } from './webhook-format.ts';

/*
 * What the webhooks of bridges deliver, as schemas. `webhook-format.ts` writes the bodies; a test
 * holds every one of them against these.
 */

const contact = z.string().meta({
  description: 'The person, by phone number where WhatsApp discloses it.',
  examples: ['15550002222@s.whatsapp.net'],
});
const phone = z
  .string()
  .meta({ description: 'Digits; empty when WhatsApp does not disclose it.', examples: ['15550002222'] });
const chat = z.string().meta({ description: 'Full address of the chat.', examples: ['15550002222@s.whatsapp.net'] });
/** No choice of codes: events of older versions are kept, with the reasons of their time. */
const lineReason = z.string().meta({ examples: ['connection_lost'] });
const timestamp = z.int();
const STATUS = ['unpaired', 'pairing', 'connecting', 'connected', 'disconnected', 'logged_out'] as const;
const about = { message_id: z.string(), contact_id: contact, phone, chat_id: chat, from_me: z.boolean() };
const answer = { contact_id: contact, phone, chat_id: chat };

/** The body of every event but for its name. */
export const BODIES = {
  message: z.strictObject({
    event: z.literal('message'),
    message_id: z.string(),
    contact_id: contact,
    phone,
    chat_id: chat,
    name: z.string(),
    body: z.string(),
    type: z.string(),
    media_type: z
      .string()
      .meta({ description: 'Media type of the file; empty without one.', examples: ['image/jpeg'] }),
    is_group: z.boolean(),
    from_me: z.boolean(),
    timestamp,
    quoted_message_id: z.string().optional().meta({ description: 'Only with webhook_details.' }),
    mentions: z.array(z.string()).optional().meta({ description: 'Only with webhook_details.' }),
    mentions_me: z.boolean().optional().meta({ description: 'Only with webhook_details.' }),
    username: z.string().optional().meta({
      description: 'Username of the sender, without the @; only with webhook_details, where one is known.',
    }),
    content: messageContent.optional().meta({ description: 'Of kinds that the members above cannot hold.' }),
  }),
  connected: z.strictObject({ event: z.literal('connected'), phone }),
  disconnected: z.strictObject({ event: z.literal('disconnected') }),
  typing: z.strictObject({
    event: z.literal('typing'),
    contact_id: contact,
    chat_id: chat,
    state: z.enum(['composing', 'paused']),
    mode: z.enum(['text', 'voice']),
  }),
  poll_vote: z.strictObject({
    event: z.literal('poll_vote'),
    ...answer,
    poll_id: z.string(),
    message_id: z.string(),
    name: z.string(),
    from_me: z.boolean(),
    timestamp,
    selected_options: z
      .array(z.string())
      .meta({ description: 'All that are chosen now; none = the vote was taken back.' }),
  }),
  event_response: z.strictObject({
    event: z.literal('event_response'),
    ...answer,
    event_id: z.string(),
    message_id: z.string(),
    name: z.string(),
    from_me: z.boolean(),
    timestamp,
    response: z.string(),
    extra_guest_count: z.int(),
  }),
  call_incoming: z.strictObject({
    event: z.literal('call_incoming'),
    call_id: z.string(),
    contact_id: contact,
    platform: z.string(),
    timestamp,
  }),
  call_terminated: z.strictObject({
    event: z.literal('call_terminated'),
    call_id: z.string(),
    contact_id: contact,
    reason: z.string(),
    timestamp,
  }),
  offline_sync_preview: z.strictObject({
    event: z.literal('offline_sync_preview'),
    total: z.int().meta({ description: 'Everything that waits at WhatsApp.' }),
    messages: z.int().meta({ description: 'Messages among it.' }),
    notifications: z.int().meta({ description: 'Notifications among it.' }),
    receipts: z.int().meta({ description: 'Receipts among it.' }),
    app_data_changes: z.int().meta({ description: 'Changes of settings among it.' }),
  }),
  offline_sync_completed: z.strictObject({
    event: z.literal('offline_sync_completed'),
    count: z.int().meta({ description: 'What came.' }),
  }),
  profile_picture_updated: z.strictObject({
    event: z.literal('profile_picture_updated'),
    remove: z.boolean().meta({ description: 'True: there is none any more.' }),
    picture_id: z.string().optional(),
    timestamp,
  }),
  message_status: z.strictObject({
    event: z.literal('message_status'),
    message_id: z.string(),
    chat_id: chat,
    status: z.enum(['pending', 'sent', 'delivered', 'read', 'played', 'failed']),
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
      .string()
      .optional()
      .meta({ description: 'The code of a failure.', examples: ['not_on_whatsapp'] }),
  }),
  message_receipt: z.strictObject({
    event: z.literal('message_receipt'),
    message_id: z.string(),
    contact_id: contact,
    phone,
    chat_id: chat,
    status: z.enum(['delivered', 'read', 'played']),
    timestamp,
  }),
  message_edited: z.strictObject({ event: z.literal('message_edited'), ...about, body: z.string(), timestamp }),
  message_revoked: z.strictObject({ event: z.literal('message_revoked'), ...about, timestamp }),
  reaction: z.strictObject({ event: z.literal('reaction'), ...about, name: z.string(), emoji: z.string(), timestamp }),
  message_undecryptable: z.strictObject({
    event: z.literal('message_undecryptable'),
    ...about,
    name: z.string(),
    is_group: z.boolean(),
    type: z.literal('undecryptable'),
    reason: z.enum(['decryption_failed', 'unavailable', 'unsupported', 'malformed']),
    timestamp,
  }),
  group_update: z.looseObject({
    event: z.literal('group_update'),
    chat_id: chat,
    contact_id: contact.meta({ description: 'Who changed it; empty when WhatsApp did not say.' }),
    phone,
    change: z
      .string()
      .meta({ description: 'What changed; its new value stands under its own name.', examples: ['subject'] }),
    timestamp,
  }),
  restricted: z.strictObject({
    event: z.literal('restricted'),
    cause: z.enum(['reachout_timelock', 'new_chat_cap']).meta({ description: 'What WhatsApp keeps the number from.' }),
    active: z.boolean().meta({ description: 'False: it was lifted.' }),
    until: z.int().nullable().meta({ description: 'Unix seconds; null when WhatsApp did not say.' }),
    detail: z.string().meta({ description: 'WhatsApp’s own word for it.' }),
    timestamp,
  }),
  logged_out: z.strictObject({ event: z.literal('logged_out') }),
  line_problem: z.strictObject({
    event: z.literal('line_problem'),
    problem: z.string().meta({ description: 'What is wrong.' }),
    status: z.string(),
    reason: z.string().nullable().meta({ description: 'Why; as in status_reason.' }),
    remedy: z.string().nullable().meta({ description: 'What to do.' }),
    since: z.int(),
    resolved: z.boolean().meta({ description: 'True: it is over.' }),
  }),
  approval_requested: z.strictObject({
    event: z.literal('approval_requested'),
    approval_id: z.string(),
    operation: z.string(),
    to: z.string().nullable(),
    asked_by: z.string().meta({ description: 'Name of the key.' }),
    expires_at: z.int(),
  }),
  line_status: z.strictObject({
    event: z.literal('line_status'),
    status: z.enum(STATUS),
    previous: z.enum(STATUS),
    phone,
    reason: lineReason.nullable().meta({ description: `Why, as status_reason: ${REASON_CODES.join(', ')}.` }),
    until: z
      .string()
      .nullable()
      .meta({ description: 'When it ends by itself (RFC 3339); null when unknown or never.' }),
    whatsapp_code: z.int().nullable(),
    remedy: z.string().nullable().meta({ description: 'What to do.' }),
  }),
} as const satisfies Record<(typeof BRIDGES_EVENT_NAMES)[number], z.ZodType>;

type EventName = keyof typeof BODIES;

const DESCRIPTIONS: Record<EventName, string> = {
  message: 'A message came in, or was sent from another device of the account (`from_me`).',
  connected: 'The bridge is connected.',
  disconnected: 'The bridge is not connected any more.',
  typing: 'A person types or records, or stopped.',
  poll_vote: 'A vote in a poll.',
  event_response: 'An answer to an invitation.',
  call_incoming: 'A call comes in.',
  call_terminated: 'A call ended.',
  offline_sync_preview: 'What waited at WhatsApp while the bridge was away is about to come.',
  offline_sync_completed: 'It has come.',
  profile_picture_updated: 'The picture of the number was changed or removed.',
  message_status: 'A sent message got further, or failed. Only for bridges that ask for it.',
  message_receipt: 'One member of a group got or read a message. Only for bridges that ask for it.',
  message_edited: 'A message was edited. Only for bridges that ask for it.',
  message_revoked: 'A message was deleted for everyone. Only for bridges that ask for it.',
  reaction: 'A reaction was given, changed or taken back. Only for bridges that ask for it.',
  message_undecryptable: 'A message whose content could not be read. Only for bridges that ask for it.',
  group_update: 'Something about a group changed. Only for bridges that ask for it.',
  restricted: 'WhatsApp limits what the number may do, or lifted that. Only for bridges that ask for it.',
  logged_out: 'The bridge must be linked again. Only for bridges that ask for it.',
  line_problem: 'Something is wrong with a bridge for longer than a moment, or is over. Only for bridges that ask.',
  approval_requested: 'A key wants to send something that needs a person’s yes. Only for bridges that ask.',
  line_status: 'The bridge’s status changed, with the reason, in place of the three above. Only for bridges that ask.',
};

const NAMES = Object.keys(BODIES) as EventName[];
const SHAPES = NAMES.map((name) =>
  BODIES[name].meta({
    id: `Bridges${name
      .split('_')
      .map((part) => `${part[0]?.toUpperCase()}${part.slice(1)}`)
      .join('')}Event`,
  }),
);
const [first, ...rest] = SHAPES;
if (!first) throw new Error('there are no events');

/** Any event of the Bridges format; `event` says which. */
export const bridgesEvent = z.discriminatedUnion('event', [first, ...rest]).meta({ id: 'BridgesEvent' });

/** For the reference. */
export const BRIDGES_EVENTS: readonly DocumentedEvent[] = NAMES.map((name, index) => ({
  name,
  summary: name,
  description: DESCRIPTIONS[name],
  schema: SHAPES[index] ?? first,
}));
