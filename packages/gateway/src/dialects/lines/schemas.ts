import type { MessageKind } from '@ponte/engine';
import { z } from 'zod';
import { ARCHIVE_POLICIES, type ArchivePolicy } from '../../commands/chats/archive.ts';
import { SCOPES } from '../../commands/context.ts';
import { CUSTOMER_REF } from '../../commands/lines/find-line.ts';
import { IF_RESTRICTED, type IfRestricted } from '../../commands/sends/sends.ts';
import { PRIORITIES, type Priority } from '../../core/pacing.ts';
import { chatSchema, memberSchema, phoneSchema, waitSchema } from '../../http/address-schema.ts';
import { mentionsField } from '../../http/content-schema.ts';
import { text } from '../../http/route.ts';
import { shownText } from '../../http/shown-schema.ts';
import { standingFields } from '../../http/standing-schema.ts';
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
  'undecryptable',
] as const satisfies readonly MessageKind[];

export const lineId = text(1, 128, 'line_id').meta({ description: 'A connected line.', examples: ['line_xxx'] });
const customerRef = z
  .string('customer_ref must be a string.')
  .regex(CUSTOMER_REF, 'Use 1 to 128 characters of A-Z a-z 0-9 . _ : @ + -, and not . or .. alone.');

export const lineParams = z.object({ line_id: z.string() });
export const webhookParams = z.object({ id: z.string() });

const period = z.object({ start: z.string(), end: z.string() }).meta({ id: 'Period' });
const limit = z.int().nullable();

export const me = z.object({
  ok: z.literal(true),
  account: z.object({
    id: z.string(),
    name: z.string(),
    contents: z.enum(['plain', 'sealing', 'sealed', 'opening']).meta({
      description:
        'How texts lie in the database: `plain`, `sealed` (encrypted under a key of the account; messages cannot be searched), or on the way (`sealing`, `opening`).',
    }),
  }),
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
    line_ids: z.array(z.string()).nullable().meta({ description: 'The lines it is for; null = every one.' }),
    networks: z.array(z.string()).nullable().meta({ description: 'Where it may come from; null = anywhere.' }),
  }),
});

const metric = z.object({ used: z.int(), limit }).meta({ id: 'UsageMetric' });
export const usage = z.object({
  ok: z.literal(true),
  period,
  plan: z.string(),
  metrics: z.object({ sent_messages: metric, webhook_events: metric, lines: metric }),
});

export const line = z
  .object({
    line_id: z.string(),
    label: z.string().nullable(),
    status: z.enum(['unpaired', 'pairing', 'connecting', 'connected', 'disconnected', 'logged_out']),
    phone: z.string().nullable(),
    name: z.string().nullable(),
    mode: z.enum(['live', 'test']),
    customer_ref: z.string().nullable(),
    created_at: z.string(),
    connected_at: z.string().nullable(),
    ...standingFields,
    lid: z.string().nullable().meta({ description: 'The line’s own LID: how groups may name it.' }),
    credentials_kept_until: z.string().nullable().meta({
      description: 'Until when a line that the phone logged out can be restored; null: nothing is kept.',
    }),
  })
  .meta({ id: 'Line' });
export const lines = z.object({ ok: z.literal(true), lines: line.array() });
export const oneLine = z.object({ ok: z.literal(true), ...line.shape }).meta({ id: 'LineAnswer' });

const label = text(1, 128, 'label');
export const newLine = z.object({ label: label.optional(), customer_ref: customerRef.optional() }).default({});
const gapMs = z.int('Use whole milliseconds.').min(0).max(600_000, 'At most 600000 (ten minutes).');
export const pacing = z
  .object({
    min_gap_ms: gapMs.meta({ description: 'The smallest gap between two sends.' }),
    max_gap_ms: gapMs.meta({ description: 'The largest; 0 = no gaps.' }),
    burst: z.int('Use a whole number.').min(0).max(100).meta({ description: 'Sends without a gap after a pause.' }),
    pause_ms: gapMs.meta({ description: 'A silence this long is a pause.' }),
  })
  .meta({ id: 'Pacing' });
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
export const qr = z
  .object({
    ok: z.literal(true),
    line_id: z.string(),
    qr: z.string().meta({ description: 'The text of the QR code.' }),
    expires_at: z.string(),
  })
  .meta({ id: 'QrCode' });
export const pairBody = z.object({ phone: phoneSchema });
export const pairCode = z
  .object({
    ok: z.literal(true),
    line_id: z.string(),
    code: z.string(),
    expires_at: z.string(),
  })
  .meta({ id: 'LinkCode' });
const isOrigin = (value: string): boolean =>
  URL.canParse(value) && new URL(value).origin === value && /^https?:/.test(value);
/** How a connect page looks; everything may be left out, the body too. */
export const connectPage = z
  .object({
    name: text(1, 64, 'name').optional().meta({ description: 'Who asks for the number; stands on the page.' }),
    logo: z
      .string('logo must be a string.')
      .max(65_536, 'At most 64 KiB.')
      .regex(/^data:image\/(?:png|jpeg|webp);base64,[A-Za-z0-9+/]+=*$/, 'Use a data: URL of a PNG, JPEG or WebP.')
      .optional()
      .meta({ description: 'A picture as data: URL (PNG, JPEG, WebP; at most 64 KiB): the page asks no other host.' }),
    colour: z
      .string('colour must be a string.')
      .regex(/^#[0-9a-fA-F]{6}$/, 'Use #rrggbb.')
      .optional()
      .meta({ description: 'Of buttons, as #rrggbb; their text is black or white, whichever can be read.' }),
    locale: z
      .enum(['en', 'es', 'pt'], 'Use en, es or pt.')
      .optional()
      .meta({ description: 'Language of the page; without it the visitor’s.' }),
    redirect_url: z
      .string('redirect_url must be a string.')
      .max(2_048, 'At most 2048 characters.')
      .refine((url) => URL.canParse(url) && new URL(url).protocol === 'https:', 'Use an https address.')
      .optional()
      .meta({ description: 'Where the browser goes when the number is connected.' }),
    embed_origins: z
      .array(z.string().refine(isOrigin, 'Use origins, such as https://app.example.com.'))
      .max(10, 'At most 10 origins.')
      .optional()
      .meta({ description: 'Origins whose pages may show this one in a frame; without them, none.' }),
  })
  .default({});
export const connectLink = z
  .object({
    ok: z.literal(true),
    line_id: z.string(),
    url: z.string().meta({ description: 'A secret: the first browser that asks for a code there can pair the line.' }),
    expires_at: z.string(),
  })
  .meta({ id: 'ConnectLink' });
export const done = z.object({ ok: z.literal(true) }).meta({ id: 'Done' });
export const restored = done.extend({ line_id: z.string() }).meta({ id: 'RestoredLine' });
export const loggedOut = done.extend({ line_id: z.string(), unlinked: z.boolean() }).meta({ id: 'LoggedOutLine' });
export const deleted = done.extend({ line_id: z.string(), deleted: z.literal(true) }).meta({ id: 'DeletedLine' });

export const waitQuery = z.object({ wait: waitSchema });
const quotedMessageId = text(1, 128, 'quoted_message_id').meta({ description: 'The message that this one answers.' });
/** What hangs on any send. */
export const sendContext = {
  quoted_message_id: quotedMessageId.optional(),
  mentions: mentionsField,
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
  if_restricted: z.enum(IF_RESTRICTED, 'Use refuse or wait.').optional().meta({
    description:
      'While WhatsApp restricts the account, a message to a person who never wrote is not tried: refuse (default) answers account_restricted, wait sends it after the stated end.',
  }),
  wait: waitSchema
    .removeDefault()
    .optional()
    .meta({ description: 'Like the parameter of this name, which it replaces.' }),
};
export interface Queueing {
  link_preview?: boolean;
  archive_policy?: ArchivePolicy;
  priority?: Priority;
  send_at?: number;
  if_restricted?: IfRestricted;
  wait?: number;
}
/** The same, in the words of the commands. */
export const queueingOf = (query: { wait: number }, body: Queueing) => ({
  priority: body.priority,
  sendAt: body.send_at,
  ifRestricted: body.if_restricted,
  archivePolicy: body.archive_policy,
  linkPreview: body.link_preview,
  waitMs: (body.wait ?? query.wait) * 1_000,
});

export const sendBody = z.object({
  line_id: lineId,
  to: chatSchema,
  message: shownText(65_536, 'message'),
  link_preview: z
    .boolean('link_preview is true or false.')
    .optional()
    .meta({ description: 'False: the first link in the text gets no card. Default true.' }),
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
export const sent = z
  .object({
    ok: z.literal(true),
    message_id: z.string(),
    line_id: z.string(),
    to: z.string(),
    chat_id: z.string(),
    status: z.enum(['sent', 'queued', 'pending']),
    timestamp: z.int(),
  })
  .meta({ id: 'SentMessage' });

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
export const read = done
  .extend({ line_id: z.string(), jid: z.string(), message_ids: z.array(z.string()) })
  .meta({ id: 'ReadAnswer' });

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
      chats: z.array(memberSchema).min(1).max(100, 'At most 100 chats.').optional(),
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
export const webhook = z
  .object({
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
  })
  .meta({ id: 'Webhook' });
export const webhooks = z.object({ ok: z.literal(true), webhooks: webhook.array() });
export const oneWebhook = z.object({ ok: z.literal(true), ...webhook.shape }).meta({ id: 'WebhookAnswer' });
export const madeWebhook = oneWebhook
  .extend({
    secret: z.string().meta({ description: 'Shown in this answer only. Keys X-WAzion-Bridge-Signature as it stands.' }),
    standard_secret: z
      .string()
      .meta({ description: 'The same secret as libraries for Standard Webhooks take it (whsec_…).' }),
  })
  .meta({ id: 'NewWebhookAnswer' });
export const tested = z
  .object({
    ok: z.boolean(),
    status_code: z.int().nullable(),
    duration_ms: z.number(),
    response_excerpt: z.string().nullable(),
    error: z.string().optional(),
  })
  .meta({ id: 'WebhookTest' });
export const removed = done.extend({ id: z.string(), deleted: z.literal(true) }).meta({ id: 'RemovedWebhook' });

export const limitOf = (max: number, fallback: number) =>
  z.coerce
    .number('Use a whole number.')
    .int('Use a whole number.')
    .min(1, 'Ask for at least one.')
    .transform((asked) => Math.min(asked, max))
    .default(fallback)
    .meta({ description: `${max} at most; a larger number counts as ${max}.` });
