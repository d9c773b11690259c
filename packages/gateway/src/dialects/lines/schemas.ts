import type { MessageKind } from '@ponte/engine';
import { z } from 'zod';
import { ARCHIVE_POLICIES, type ArchivePolicy } from '../../commands/archive.ts';
import { SCOPES } from '../../commands/context.ts';
import { CUSTOMER_REF } from '../../commands/find-line.ts';
import { PRIORITIES, type Priority } from '../../core/pacing.ts';
import { chatSchema, phoneSchema, waitSchema } from '../../http/address-schema.ts';
import { text } from '../../http/route.ts';
import { timeSchema } from '../../http/time-schema.ts';
import { EVENT_NAMES } from './webhook-format.ts';

const MESSAGE_KINDS = [
  'text',
  'image',
  'video',
  'audio',
  'voice',
  'document',
  'sticker',
  'location',
  'contact',
  'poll',
  'event',
  'unknown',
] as const satisfies readonly MessageKind[];

export const lineId = text(1, 128, 'line_id').meta({ description: 'A connected line.', examples: ['line_xxx'] });
const customerRef = z
  .string('customer_ref must be a string.')
  .regex(CUSTOMER_REF, 'Use 1 to 128 characters of A-Z a-z 0-9 . _ : @ + -');

export const lineParams = z.object({ line_id: z.string() });
export const webhookParams = z.object({ id: z.string() });

const period = z.object({ start: z.string(), end: z.string() });
const limit = z.int().nullable();

export const me = z.object({
  ok: z.literal(true),
  account: z.object({ id: z.string(), name: z.string() }),
  plan: z.object({
    name: z.string(),
    limits: z.object({ sent_messages: limit, webhook_events: limit, lines: limit }),
  }),
  subscription: z.object({ status: z.string() }),
  period,
  api_key: z.object({
    id: z.string(),
    name: z.string(),
    prefix: z.string(),
    mode: z.enum(['live', 'test']),
    scopes: z.array(z.string()).meta({ description: `"*" or some of ${SCOPES.join(', ')}` }),
  }),
});

const metric = z.object({ used: z.int(), limit });
export const usage = z.object({
  ok: z.literal(true),
  period,
  plan: z.string(),
  metrics: z.object({ sent_messages: metric, webhook_events: metric, lines: metric }),
});

export const line = z.object({
  line_id: z.string(),
  label: z.string().nullable(),
  status: z.enum(['unpaired', 'pairing', 'connecting', 'connected', 'disconnected', 'logged_out']),
  phone: z.string().nullable(),
  name: z.string().nullable(),
  mode: z.enum(['live', 'test']),
  customer_ref: z.string().nullable(),
  created_at: z.string(),
  connected_at: z.string().nullable(),
});
export const lines = z.object({ ok: z.literal(true), lines: line.array() });
export const oneLine = z.object({ ok: z.literal(true), ...line.shape });

const label = text(1, 128, 'label');
export const newLine = z.object({ label: label.optional(), customer_ref: customerRef.optional() }).default({});
const gapMs = z.int('Use whole milliseconds.').min(0).max(600_000, 'At most 600000 (ten minutes).');
const pacing = z.object({
  min_gap_ms: gapMs.meta({ description: 'The smallest gap between two sends.' }),
  max_gap_ms: gapMs.meta({ description: 'The largest; 0 = no gaps.' }),
  burst: z.int('Use a whole number.').min(0).max(100).meta({ description: 'Sends without a gap after a pause.' }),
  pause_ms: gapMs.meta({ description: 'A silence this long is a pause.' }),
});
export const lineChange = z.object({
  label: label.nullable().optional(),
  customer_ref: customerRef.nullable().optional(),
  pacing: pacing.partial().nullable().optional().meta({
    description:
      'How far apart sends leave; what is left out takes the default (1–3 s, burst 5). Null: the default of the mode.',
  }),
});

export const qrQuery = z.object({
  format: z.enum(['json', 'png', 'svg', 'text'], 'Use json, png, svg or text.').default('json'),
});
export const qr = z.object({
  ok: z.literal(true),
  line_id: z.string(),
  qr: z.string().meta({ description: 'The text of the QR code.' }),
  expires_at: z.string(),
});
export const pairBody = z.object({ phone: phoneSchema });
export const pairCode = z.object({
  ok: z.literal(true),
  line_id: z.string(),
  code: z.string(),
  expires_at: z.string(),
});
export const connectLink = z.object({
  ok: z.literal(true),
  line_id: z.string(),
  url: z.string().meta({ description: 'A secret: whoever opens it can pair the line.' }),
  expires_at: z.string(),
});
export const done = z.object({ ok: z.literal(true) });
export const loggedOut = done.extend({ line_id: z.string(), unlinked: z.boolean() });
export const deleted = done.extend({ line_id: z.string(), deleted: z.literal(true) });

export const waitQuery = z.object({ wait: waitSchema });
const quotedMessageId = text(1, 128, 'quoted_message_id').meta({ description: 'The message that this one answers.' });
/** What hangs on any send. */
export const sendContext = {
  quoted_message_id: quotedMessageId.optional(),
  mentions: z
    .array(chatSchema)
    .max(256, 'At most 256 people can be mentioned.')
    .optional()
    .meta({ description: 'People named in the text: phone numbers or JIDs.' }),
};
/** What every send takes beside its content. */
export const queueing = {
  priority: z
    .enum(PRIORITIES, 'Use high, normal or bulk.')
    .optional()
    .meta({ description: 'Of what waits on a line, high leaves before normal, normal before bulk.' }),
  send_at: timeSchema.optional().meta({
    description:
      'Not before this time: RFC 3339, or Unix seconds. At most a year ahead. Answered 202, unless it is due within wait.',
    examples: ['2030-01-01T09:00:00Z'],
  }),
  wait: waitSchema
    .removeDefault()
    .optional()
    .meta({ description: 'Like the parameter of this name, which it replaces.' }),
};
export interface Queueing {
  archive_policy?: ArchivePolicy;
  priority?: Priority;
  send_at?: number;
  wait?: number;
}
/** The same, in the words of the commands. */
export const queueingOf = (query: { wait: number }, body: Queueing) => ({
  priority: body.priority,
  sendAt: body.send_at,
  archivePolicy: body.archive_policy,
  waitMs: (body.wait ?? query.wait) * 1_000,
});

export const sendBody = z.object({
  line_id: lineId,
  to: chatSchema,
  message: text(1, 65_536, 'message'),
  ...queueing,
  ...sendContext,
  archive_policy: z
    .enum(ARCHIVE_POLICIES, `Use one of ${ARCHIVE_POLICIES.join(', ')}.`)
    .optional()
    .meta({
      description:
        'never (default): sending changes nothing. always: the chat is archived after the send. preserve_if_previously_archived: a chat that was archived goes back to the archive.',
    }),
});
export const replyBody = sendBody.extend({ quoted_message_id: quotedMessageId });
export const sent = z.object({
  ok: z.literal(true),
  message_id: z.string(),
  line_id: z.string(),
  to: z.string(),
  chat_id: z.string(),
  status: z.enum(['sent', 'queued']),
  timestamp: z.int(),
});

export const readBody = z
  .object({
    line_id: lineId,
    jid: chatSchema.optional(),
    phone: phoneSchema.optional(),
    message_ids: z
      .array(text(1, 128, 'A message id'), 'message_ids must be an array.')
      .min(1, 'Leave message_ids out to mark the whole chat.')
      .max(200, 'At most 200 messages in one call.')
      .optional(),
  })
  .refine(({ jid, phone }) => (jid === undefined) !== (phone === undefined), {
    path: ['jid'],
    message: 'Give either jid or phone.',
  });
export const read = done.extend({ line_id: z.string(), jid: z.string(), message_ids: z.array(z.string()) });

export const newWebhook = z.object({
  url: text(1, 2_048, 'url').meta({ examples: ['https://yourbackend.com/hook'] }),
  events: z
    .array(z.enum([...EVENT_NAMES, '*'], `Use "*" or names of ${EVENT_NAMES.join(', ')}.`), 'events must be an array.')
    .min(1, 'Name at least one event, or use ["*"].')
    .max(100, 'At most 100 names.'),
  line_id: lineId.optional(),
  description: text(0, 256, 'description').optional(),
  filters: z
    .object({
      chats: z.array(chatSchema).min(1).max(100, 'At most 100 chats.').optional(),
      direction: z.enum(['in', 'out'], 'Use in or out.').optional(),
      types: z
        .array(z.enum(MESSAGE_KINDS, `Use names of ${MESSAGE_KINDS.join(', ')}.`))
        .min(1)
        .max(50)
        .optional(),
    })
    .nullable()
    .optional()
    .meta({ description: 'Narrows the events further; one that a condition says nothing about passes it.' }),
  headers: z
    .record(z.string(), z.string('A header is a string.'))
    .nullable()
    .optional()
    .meta({ description: 'Your own headers, sent with every delivery; never shown again.' }),
  strict_order: z
    .boolean('strict_order must be true or false.')
    .optional()
    .meta({ description: 'One delivery at a time, in order; a failing one holds back the rest.' }),
});
export const webhook = z.object({
  id: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  line_id: z.string().nullable(),
  description: z.string().nullable(),
  status: z.enum(['enabled', 'disabled']),
  disabled_reason: z.string().nullable(),
  created_at: z.string(),
  filters: z
    .object({
      chats: z.string().array().nullable(),
      direction: z.enum(['in', 'out']).nullable(),
      types: z.string().array().nullable(),
    })
    .nullable(),
  strict_order: z.boolean(),
  rotating_until: z.string().nullable().meta({ description: 'Until when the old secret signs too.' }),
});
export const webhooks = z.object({ ok: z.literal(true), webhooks: webhook.array() });
export const oneWebhook = z.object({ ok: z.literal(true), ...webhook.shape });
export const madeWebhook = oneWebhook.extend({ secret: z.string() });
export const tested = z.object({
  ok: z.boolean(),
  status_code: z.int().nullable(),
  duration_ms: z.number(),
  response_excerpt: z.string().nullable(),
  error: z.string().optional(),
});
export const removed = done.extend({ id: z.string(), deleted: z.literal(true) });

export const limitOf = (max: number, fallback: number) =>
  z.coerce
    .number('Use a whole number.')
    .int('Use a whole number.')
    .min(1, 'Ask for at least one.')
    .transform((asked) => Math.min(asked, max))
    .default(fallback)
    .meta({ description: `${max} at most; a larger number counts as ${max}.` });

const chatCursor = z
  .string()
  .max(512, 'This is no cursor of this API.')
  .transform((value, context) => {
    const [at, jid, ...rest] = Buffer.from(value, 'base64url').toString().split(' ');
    if (at !== undefined && /^\d{1,15}$/.test(at) && jid && rest.length === 0 && !jid.includes('\0')) {
      return { at: Number(at), jid };
    }
    context.addIssue({ code: 'custom', message: 'This is no cursor of this API. Take it from next_cursor.' });
    return z.NEVER;
  });
export const chatsQuery = z.object({
  line_id: lineId,
  limit: limitOf(500, 100),
  archived: z
    .enum(['true', 'false', '1', '0'], 'Use true or false.')
    .transform((value) => value === 'true' || value === '1')
    .optional(),
  cursor: chatCursor.optional().meta({ description: 'next_cursor of the page before.' }),
});
const messageBase = { message_id: z.string(), jid: z.string(), from: z.string(), from_me: z.boolean() };
export const chats = z.object({
  ok: z.literal(true),
  chats: z
    .object({
      jid: z.string(),
      phone: z.string().nullable(),
      name: z.string().nullable(),
      is_group: z.boolean(),
      archived: z.boolean(),
      unread_count: z.int(),
      last_message: z
        .object({ id: z.string(), body: z.string(), type: z.string(), from_me: z.boolean(), timestamp: z.int() })
        .nullable(),
      updated_at: z.string(),
    })
    .array(),
  next_cursor: z.string().nullable(),
});

export const messagesQuery = z
  .object({
    line_id: lineId,
    jid: chatSchema.optional(),
    phone: phoneSchema.optional(),
    q: text(1, 256, 'q')
      .optional()
      .meta({ description: 'Words that a message must have, whole or as the beginning of a longer one.' }),
    limit: limitOf(200, 50),
    before: z
      .union([
        z
          .string()
          .regex(/^\d{9,11}$/)
          .transform((value) => ({ timestamp: Number(value) })),
        text(1, 128, 'before').transform((messageId) => ({ messageId })),
      ])
      .optional()
      .meta({ description: 'Only messages older than this one (its message_id), or than a time in Unix seconds.' }),
  })
  .refine(({ jid, phone }) => jid === undefined || phone === undefined, {
    path: ['jid'],
    message: 'Give either jid or phone.',
  })
  .refine(({ jid, phone, q }) => jid !== undefined || phone !== undefined || q !== undefined, {
    path: ['jid'],
    message: 'Give jid or phone for the messages of a chat, or q to search.',
  });
const media = z
  .object({
    mime_type: z.string(),
    size: z.int().nullable(),
    filename: z.string().nullable(),
    url: z.string().nullable(),
  })
  .nullable();
export const listedMessage = z.object({
  ...messageBase,
  type: z.string(),
  body: z.string(),
  media,
  quoted_message_id: z.string().nullable(),
  status: z.enum(['pending', 'sent', 'delivered', 'read', 'played', 'failed']),
  timestamp: z.int(),
});
export const messages = z.object({
  ok: z.literal(true),
  messages: listedMessage.array(),
  next_before: z
    .string()
    .nullable()
    .meta({ description: 'Give it as before for the following page; null at the end.' }),
});

export const messageParams = z.object({ id: z.string() });
export const lineQuery = z.object({ line_id: lineId });
const failure = z.object({ code: z.string(), message: z.string(), whatsapp_code: z.int().nullable() }).nullable();
export const oneMessage = listedMessage.extend({
  ok: z.literal(true),
  line_id: z.string(),
  error: failure,
  priority: z.enum(PRIORITIES).nullable(),
  send_at: z.string().nullable(),
  timeline: z
    .object({
      state: z.enum(['received', 'accepted', 'queued', 'sent', 'server_ack', 'delivered', 'read', 'played', 'failed']),
      timestamp: z.int(),
      error: failure,
    })
    .array(),
});

export const queueQuery = z.object({ limit: limitOf(500, 100) });
export const queue = z.object({
  ok: z.literal(true),
  line_id: z.string(),
  depth: z.int().meta({ description: 'Messages that wait for their turn.' }),
  scheduled: z.int().meta({ description: 'Messages for a later time.' }),
  in_flight: z.int(),
  next_send_at: z.string().nullable(),
  pacing: pacing.nullable(),
  items: z
    .object({
      message_id: z.string(),
      to: z.string(),
      type: z.string(),
      priority: z.enum(PRIORITIES),
      state: z.enum(['queued', 'scheduled', 'sending']),
      accepted_at: z.string(),
      send_at: z.string().nullable(),
    })
    .array(),
});
export const queueItemParams = z.object({ line_id: z.string(), message_id: z.string() });
export const cancelled = done.extend({ line_id: z.string(), message_id: z.string(), status: z.literal('cancelled') });

export const archiveBody = z
  .object({
    line_id: lineId,
    jid: chatSchema.optional(),
    phone: phoneSchema.optional(),
    archive: z.boolean('archive must be true or false.').default(true),
  })
  .refine(({ jid, phone }) => (jid === undefined) !== (phone === undefined), {
    path: ['jid'],
    message: 'Give either jid or phone.',
  });
export const archived = done.extend({ line_id: z.string(), jid: z.string(), archived: z.boolean() });
