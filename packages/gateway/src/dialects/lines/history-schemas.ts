import { z } from 'zod';
import { PRIORITIES } from '../../core/pacing.ts';
import { chatSchema, phoneSchema, waitSchema } from '../../http/address-schema.ts';
import { messageContent } from '../../http/message-content.ts';
import { changesShape, mentionsShape, nuancesShape, readingShape } from '../../http/message-nuances.ts';
import { text } from '../../http/route.ts';
import { done, limitOf, lineId, pacing } from './schemas.ts';

export { lineParams } from './schemas.ts';

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
        .object({
          id: z.string(),
          body: z.string(),
          type: z.string(),
          from_me: z.boolean(),
          timestamp: z.int(),
          revoked: z.boolean(),
        })
        .nullable(),
      updated_at: z.string(),
    })
    .meta({ id: 'Chat' })
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
export const listedMessage = z
  .object({
    ...messageBase,
    type: z.string(),
    body: z.string(),
    media,
    quoted_message_id: z.string().nullable(),
    status: z.enum(['pending', 'sent', 'delivered', 'read', 'played', 'failed']),
    timestamp: z.int(),
    name: z.string().meta({ description: 'Current name of the sender; empty when it is unknown.' }),
    is_group: z.boolean(),
    mentions: mentionsShape,
    content: messageContent.nullable(),
    ...nuancesShape,
  })
  .meta({ id: 'Message' });
export const messages = z.object({
  ok: z.literal(true),
  messages: listedMessage.array(),
  next_before: z
    .string()
    .nullable()
    .meta({ description: 'Give it as before for the following page; null at the end.' }),
});

const chatAndWait = z.object({
  line_id: lineId,
  jid: chatSchema.optional(),
  phone: phoneSchema.optional(),
  after: text(1, 128, 'after')
    .optional()
    .meta({ description: 'Only what came after this message_id; else after the newest message that the line sent.' }),
  wait: waitSchema.clone().meta({ description: 'Seconds to wait for a reply that is not there yet.' }),
});
export const replyQuery = chatAndWait.refine(({ jid, phone }) => (jid === undefined) !== (phone === undefined), {
  path: ['jid'],
  message: 'Give either jid or phone.',
});
export const replies = done.extend({
  line_id: z.string(),
  messages: listedMessage.array(),
  timed_out: z.boolean().meta({ description: 'True: no message arrived. Ask again to keep waiting.' }),
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
  ...changesShape,
  readers: z
    .object({
      jid: z.string(),
      phone: z.string().nullable(),
      name: z.string(),
      ...readingShape,
    })
    .array()
    .nullable()
    .meta({ description: 'Own messages to groups: members known to have got it, for 35 days. Else null.' }),
  timeline: z
    .object({
      state: z.enum(['received', 'accepted', 'queued', 'sent', 'server_ack', 'delivered', 'read', 'played', 'failed']),
      timestamp: z.int(),
      error: failure,
    })
    .array(),
  trace_id: z
    .string()
    .nullable()
    .meta({
      description: 'Of the OpenTelemetry trace of this message, where the server collects traces. Else null.',
      examples: ['4bf92f3577b34da6a3ce929d0e0e4736'],
    }),
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

export const olderBody = z
  .object({
    line_id: lineId,
    jid: chatSchema.optional(),
    phone: phoneSchema.optional(),
    count: z
      .int('count is a whole number from 1 to 500.')
      .min(1, 'count is a whole number from 1 to 500.')
      .max(500, 'count is a whole number from 1 to 500.')
      .default(50)
      .meta({ description: 'How many at most; the phone may send fewer.' }),
  })
  .refine(({ jid, phone }) => (jid === undefined) !== (phone === undefined), {
    path: ['jid'],
    message: 'Give either jid or phone.',
  });
export const olderAsked = done.extend({
  line_id: z.string(),
  jid: z.string(),
  status: z.literal('requested'),
  before: z.int().meta({ description: 'Unix seconds of the oldest message known here.' }),
});
