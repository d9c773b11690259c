import { z } from 'zod';
import { CUSTOMER_REF } from '../../commands/lines/find-line.ts';
import { askedNumbers, chatSchema, phoneSchema, waitSchema } from '../../http/address-schema.ts';
import { mentionsField } from '../../http/content-schema.ts';
import { USERNAME } from '../../http/message-nuances.ts';
import { text } from '../../http/route.ts';
import { shownText } from '../../http/shown-schema.ts';
import { standingFields } from '../../http/standing-schema.ts';
import { BRIDGES_EVENT_NAMES } from './webhook-format.ts';

export const customerRef = z
  .string('customer_ref must be a string.')
  .regex(CUSTOMER_REF, 'Use 1 to 128 characters of A-Z a-z 0-9 . _ : @ + -, and not . or .. alone.');

export const bridgeParams = z.object({ bridge: z.string().meta({ description: 'customer_ref, or the integer id.' }) });
export const messageParams = bridgeParams.extend({
  id: text(1, 128, 'The message id').meta({ description: 'WhatsApp’s message id.' }),
});

const webhookUrl = z.string('webhook_url must be a string.').max(2_048, 'webhook_url takes at most 2048 characters.');
const webhookEvents = z
  .array(z.enum(BRIDGES_EVENT_NAMES, `Use names of ${BRIDGES_EVENT_NAMES.join(', ')}.`))
  .max(BRIDGES_EVENT_NAMES.length)
  .meta({ description: 'Events to deliver; without it, those of the published list.' });

export const provisionBody = z.object({
  customer_ref: customerRef,
  webhook_url: webhookUrl.nullish(),
  webhook_events: webhookEvents.optional(),
});
export const changeBody = z.object({
  webhook_url: webhookUrl.nullable().optional(),
  webhook_events: webhookEvents.optional(),
  webhook_details: z
    .boolean('webhook_details must be true or false.')
    .optional()
    .meta({ description: 'Message events say quoted_message_id, mentions and mentions_me, too.' }),
});

const state = z.enum(['starting', 'running', 'stopped', 'failed']);
const status = z.enum(['unpaired', 'pairing', 'connecting', 'connected', 'disconnected', 'logged_out']);

export const provisioned = z
  .object({ id: z.int(), customer_ref: z.string().nullable(), state })
  .meta({ id: 'ProvisionedBridge' });
export const listed = provisioned.extend({ created_at: z.string() }).meta({ id: 'ListedBridge' });
export const detailed = listed
  .extend({
    webhook_url: z.string().nullable(),
    line_id: z.string(),
    status,
    manager: z.object({
      health: z.enum(['healthy', 'degraded', 'unhealthy']),
      started_at: z.string().nullable(),
      fail_count: z.int(),
      worker: z.string().nullable(),
    }),
    ...standingFields,
    webhook_details: z.boolean(),
  })
  .meta({ id: 'Bridge' });

export const connection = z
  .object({
    status,
    phone: z.string().optional(),
    jid: z.string().optional(),
    name: z.string().optional(),
    lid: z.string().optional(),
    ...z.object(standingFields).partial().shape,
  })
  .meta({ id: 'BridgeConnection' });

export const qrQuery = z.object({
  format: z.enum(['png', 'svg', 'text', 'json'], 'Use png, svg, text or json.').default('png'),
});
export const qrJson = z.object({ qr: z.string(), expires_at: z.string() });

export const pairBody = z.object({ phone: phoneSchema });
export const pairCode = z.object({ code: z.string() });

export const ok = z.object({ ok: z.literal(true) }).meta({ id: 'BridgeDone' });

export const waitQuery = z.object({ wait: waitSchema });
/** What hangs on any send. */
export const sendContext = {
  quoted_message_id: text(1, 128, 'quoted_message_id')
    .optional()
    .meta({ description: 'The message that this one answers.' }),
  mentions: mentionsField,
};
export const textBody = z.object({
  chat: chatSchema,
  body: shownText(65_536, 'body'),
  link_preview: z
    .boolean('link_preview is true or false.')
    .optional()
    .meta({ description: 'False: the first link in the text gets no card. Default true.' }),
  ...sendContext,
});

export const sent = z.object({ message_id: z.string(), timestamp: z.int() });
export const queued = sent.extend({ status: z.enum(['queued', 'pending']) });

export const readBody = z.object({
  chat: chatSchema,
  sender: chatSchema.optional(),
  played: z.boolean('played is true or false.').default(false),
});

export const checkBody = z.object({ phones: askedNumbers });
export const checked = z.array(
  z.object({
    phone: z.string(),
    registered: z.boolean(),
    is_business: z.boolean().optional(),
    jid: z.string().optional().meta({ description: 'The address WhatsApp has the number under.' }),
    username: z.string().optional().meta(USERNAME),
  }),
);

const figure = z.number().nullable();
export const stats = z.object({
  goroutines: figure,
  heap_alloc_mb: figure,
  heap_sys_mb: figure,
  heap_objects: figure,
  total_alloc_mb: figure,
  gc_cycles: figure,
  next_gc_mb: figure,
  media_cache_size: figure,
  worker: z.string(),
  lines_in_worker: z.int(),
  event_loop_lag_ms: z.number(),
});
