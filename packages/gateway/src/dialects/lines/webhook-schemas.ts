import { z } from 'zod';
import type { WebhookSettings } from '../../commands/webhooks/webhook-settings.ts';
import { text } from '../../http/route.ts';
import { queryTime, timeSchema } from '../../http/time-schema.ts';
import { done, limitOf, newWebhook, oneWebhook } from './schemas.ts';

export { madeWebhook, oneWebhook, webhookParams } from './schemas.ts';

const { filters, headers, strict_order } = newWebhook.shape;
export const webhookChange = z.object({
  url: newWebhook.shape.url.optional(),
  events: newWebhook.shape.events.optional(),
  description: text(0, 256, 'description').nullable().optional(),
  status: z.enum(['enabled', 'disabled'], 'Use enabled or disabled.').optional(),
  filters,
  headers,
  strict_order,
});

/** Settings in the words of the commands. */
export const settingsOf = (
  body: Pick<z.output<typeof newWebhook>, 'filters' | 'headers' | 'strict_order'>,
): WebhookSettings => ({
  filters: body.filters && {
    chats: body.filters.chats,
    direction: body.filters.direction,
    kinds: body.filters.types,
  },
  headers: body.headers,
  strictOrder: body.strict_order,
});

export const rotation = z
  .object({
    grace_hours: z
      .number('grace_hours must be a number.')
      .min(0, 'Use 0 or more hours.')
      .max(168, 'At most 168 hours (a week).')
      .default(24),
  })
  .default({ grace_hours: 24 });

const STATUS = ['pending', 'delivered', 'dead', 'expired', 'skipped'] as const;
export const deliveriesQuery = z.object({
  status: z.enum(STATUS, `Use one of ${STATUS.join(', ')}.`).optional(),
  event: text(1, 64, 'event').optional().meta({ description: 'Only deliveries of this type of event.' }),
  line_id: text(1, 64, 'line_id').optional().meta({ description: 'Only deliveries of events of this line.' }),
  q: text(1, 64, 'q')
    .optional()
    .meta({ description: 'The id of a delivery or an event: only that one, or the deliveries of that event.' }),
  since: queryTime.optional().meta({ description: 'Only deliveries of events from this time on.' }),
  until: queryTime.optional().meta({ description: 'Only deliveries of events before this time.' }),
  cursor: z.coerce.number('This is no cursor of this API.').int().min(0).max(Number.MAX_SAFE_INTEGER).optional(),
  limit: limitOf(200, 50),
});
const attempt = z
  .object({
    number: z.int(),
    at: z.string(),
    duration_ms: z.number(),
    status_code: z.int().nullable(),
    error: z.string().nullable(),
    response_excerpt: z.string().nullable(),
  })
  .meta({ id: 'Attempt' });
const delivery = z
  .object({
    id: z.string(),
    webhook_id: z.string(),
    event: z.object({ id: z.string(), type: z.string(), line_id: z.string(), created_at: z.string() }).nullable(),
    status: z.enum(STATUS),
    attempts: z.int(),
    next_attempt_at: z.string().nullable(),
    created_at: z.string(),
    finished_at: z.string().nullable(),
    last_attempt: attempt.nullable(),
  })
  .meta({ id: 'Delivery' });
export const deliveries = done.extend({ deliveries: delivery.array(), next_cursor: z.string().nullable() });
export const oneDelivery = done.extend({
  ...delivery.shape,
  attempt_log: attempt.array(),
  payload: z
    .unknown()
    .meta({ description: 'The body, as the next attempt would carry it; null when its event is gone.' }),
});
export const webhookReport = oneWebhook.extend({
  failing_since: z.string().nullable(),
  pending: z.int().meta({ description: '10000 stands for that many or more.' }),
  dead: z.int().meta({ description: '10000 stands for that many or more.' }),
  blocked_on: z
    .object(delivery.shape)
    .nullable()
    .meta({ description: 'In strict order: the failed delivery that the others wait for.' }),
});
const REPLAYED = ['dead', 'expired', 'delivered', 'skipped'] as const;
export const replayBody = z.object({
  since: timeSchema,
  until: timeSchema.optional(),
  status: z
    .array(z.enum(REPLAYED, `Use some of ${REPLAYED.join(', ')}.`))
    .min(1, 'Name at least one status.')
    .optional()
    .meta({ description: 'How they ended; default: dead and expired.' }),
  events: z
    .array(z.string('Event names are strings.'))
    .min(1, 'Name at least one event.')
    .max(50)
    .optional()
    .meta({ description: 'Only these events, by the names of the webhook.' }),
  missing: z
    .boolean('missing must be true or false.')
    .default(false)
    .meta({ description: 'Also what it never got a delivery of: it was off, new, or asked for less.' }),
});
export const replayed = done.extend({ id: z.string(), replayed: z.int() });
export const givenUp = done.extend({ id: z.string(), webhook_id: z.string(), status: z.literal('dead') });
export const oneReplayed = done.extend({ id: z.string(), webhook_id: z.string(), status: z.literal('pending') });
