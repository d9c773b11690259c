import { z } from 'zod';
import { SCOPES } from '../../commands/context.ts';
import { CUSTOMER_REF } from '../../commands/find-line.ts';
import { chatSchema, phoneSchema, waitSchema } from '../../http/address-schema.ts';
import { text } from '../../http/route.ts';
import { EVENT_NAMES } from './webhook-format.ts';

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
export const lineChange = z.object({
  label: label.nullable().optional(),
  customer_ref: customerRef.nullable().optional(),
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
export const sendBody = z.object({
  line_id: lineId,
  to: chatSchema,
  message: text(1, 65_536, 'message'),
  ...sendContext,
  archive_policy: z
    .literal('never', 'This version takes "never" (or no archive_policy): sending leaves the chat where it is.')
    .optional(),
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
