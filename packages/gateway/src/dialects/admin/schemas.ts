import { z } from 'zod';
import { SUBSCRIPTIONS } from '../../commands/account/operator.ts';
import { text } from '../../http/route.ts';
import { timeSchema } from '../../http/time-schema.ts';

export const idParams = z.object({ id: text(1, 64, 'id') });
export const planParams = z.object({ name: text(1, 64, 'name') });
export const modeQuery = z.object({ mode: z.enum(['live', 'test'], 'Use live or test.').default('live') });
export const keysQuery = z.object({ account_id: text(1, 64, 'account_id').optional() });

const limit = z.int('Use a whole number.').min(0, 'Use 0 or more, or null for no limit.').nullable();
export const planBody = z.object({ sent_messages: limit, webhook_events: limit, lines: limit });
const plan = z.object({ name: z.string(), limits: planBody });

export const accountChange = z.object({
  name: text(1, 100, 'name').optional(),
  plan: text(1, 64, 'plan').optional(),
  subscription: z.enum(SUBSCRIPTIONS, `Use one of ${SUBSCRIPTIONS.join(', ')}.`).optional(),
  cycle_anchor: timeSchema
    .nullable()
    .optional()
    .meta({ description: 'The start of a billing cycle; null = the calendar month, UTC.' }),
  contents: z.enum(['plain', 'sealed'], 'Use plain or sealed.').optional().meta({
    description:
      '`sealed`: texts of messages are encrypted under a key of the account, and cannot be searched. What is there already follows within minutes.',
  }),
});
export const newAccount = accountChange.extend({ name: text(1, 100, 'name') });

const period = z.object({ start: z.string(), end: z.string() });
const account = z.object({
  id: z.string(),
  name: z.string(),
  plan: plan.shape.name,
  limits: planBody,
  subscription: z.object({ status: z.string() }),
  cycle_anchor: z.string().nullable(),
  contents: z
    .enum(['plain', 'sealing', 'sealed', 'opening'])
    .meta({ description: 'How texts lie in the database; `sealing` and `opening` are on their way.' }),
  created_at: z.string(),
});
export const accounts = z.object({ ok: z.literal(true), accounts: account.array() });
export const oneAccount = account.extend({ ok: z.literal(true) });
const used = z.object({ used: z.int(), limit });
export const usage = z.object({
  ok: z.literal(true),
  period,
  plan: z.string(),
  metrics: z.object({ sent_messages: used, webhook_events: used, lines: used }),
});
export const plans = z.object({ ok: z.literal(true), plans: plan.array() });
export const onePlan = plan.extend({ ok: z.literal(true) });
export const done = z.object({ ok: z.literal(true) });

export const newKey = z.object({
  account_id: text(1, 64, 'account_id'),
  mode: z.enum(['live', 'test'], 'Use live or test.'),
  name: text(1, 100, 'name'),
  scopes: z
    .array(text(1, 64, 'A scope'))
    .min(1, 'Leave scopes out for all of them.')
    .max(50)
    .optional(),
  expires_at: timeSchema.nullable().optional(),
  approval: z
    .enum(['none', 'required'], 'Use none or required.')
    .optional()
    .meta({ description: 'required: what the key sends waits for a person’s yes in the console.' }),
  line_ids: z
    .array(text(1, 64, 'A line_id'))
    .optional()
    .meta({ description: 'Lines of the account and mode that the key is for. Left out: every line.' }),
  networks: z
    .array(text(1, 64, 'A network'))
    .optional()
    .meta({ description: 'Addresses and networks (CIDR) it may be used from. Left out: anywhere.' }),
});
export const rotation = z
  .object({ grace_hours: z.number().min(0).max(168, 'At most 168 (a week).').default(24) })
  .default({ grace_hours: 24 });
const key = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  mode: z.enum(['live', 'test']),
  account_id: z.string(),
  scopes: z.string().array(),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
  approval: z.enum(['none', 'required']),
  line_ids: z.string().array().nullable(),
  networks: z.string().array().nullable(),
});
export const keys = z.object({ ok: z.literal(true), keys: key.array() });
export const madeKey = z.object({ ok: z.literal(true), id: z.string(), key: z.string(), prefix: z.string() });
