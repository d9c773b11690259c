import { z } from 'zod';
import { ROLES } from '../../access/console-roles.ts';
import { SCOPES } from '../../commands/context.ts';
import { clientVersionSchema } from '../../http/client-version-answer.ts';
import { text } from '../../http/route.ts';

const email = text(3, 254, 'email').regex(/^\s*[^\s@]+@[^\s@]+\s*$/, 'Give an e-mail address.');
const password = text(10, 256, 'password');
const name = text(1, 100, 'name');
const role = z.enum(ROLES, `Use ${ROLES.join(', ')}.`);

export const setUpBody = z.object({ token: text(1, 128, 'token'), email, name, password });
export const signInBody = z.object({ email: text(1, 254, 'email'), password: text(1, 256, 'password') });
export const passwordBody = z.object({ current: text(1, 256, 'current'), next: password });
export const newUserBody = z.object({ email, name, role });
export const userChangeBody = z.object({
  role: role.optional(),
  disabled: z.boolean().optional(),
  reset_password: z.boolean().optional(),
});
export const idParams = z.object({ id: z.string() });
export const lineParams = z.object({ line_id: z.string() });

/** A place in a log, and how much of it. */
export const pageQuery = z.object({
  before: z.coerce.number().int().positive().optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

export const timelineKind = z.enum(['messages', 'connection']);
export const timelineQuery = pageQuery.extend({ kind: timelineKind.optional() });

export const user = z.object({
  id: z.string(),
  email: z.string(),
  name: z.string(),
  role,
  created_at: z.string(),
  signed_in_at: z.string().nullable(),
  disabled: z.boolean(),
});
export const state = z.object({
  set_up: z.boolean(),
  insecure: z.boolean(),
  version: z.string(),
  sandbox: z.boolean(),
  whatsapp_version: clientVersionSchema.nullable(),
  user: user.pick({ id: true, email: true, name: true, role: true }).nullable(),
});
export const oneUser = z.object({ user });
export const users = z.object({ users: user.array() });
export const madeUser = z.object({ user, password: z.string().optional() });

export const session = z.object({
  id: z.string(),
  address: z.string(),
  user_agent: z.string(),
  created_at: z.string(),
  seen_at: z.string(),
  current: z.boolean(),
});
export const sessions = z.object({ sessions: session.array() });

export const auditEntry = z.object({
  seq: z.int(),
  at: z.string(),
  actor: z.string(),
  action: z.string(),
  target: z.string(),
  mode: z.enum(['live', 'test']).nullable(),
  outcome: z.string(),
  address: z.string(),
  request_id: z.string(),
});
export const audit = z.object({ entries: auditEntry.array(), next: z.int().nullable() });

export const newKeyBody = z.object({
  name,
  scopes: z
    .array(z.enum(['*', ...SCOPES]))
    .min(1, 'Give at least one scope, or "*".')
    .max(SCOPES.length + 1)
    .optional(),
  expires_in_days: z.int().min(1).max(3_650).optional(),
  approval: z.enum(['none', 'required'], 'Use none or required.').optional(),
  line_ids: z.array(z.string().max(64)).optional(),
  networks: z.array(z.string().max(64)).optional(),
});
export const decided = z.object({ id: z.string(), status: z.string(), error: z.string().nullable() });
export const rotateBody = z
  .object({ grace_hours: z.number().min(0).max(168).default(24) })
  .default({ grace_hours: 24 });
export const key = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  mode: z.enum(['live', 'test']),
  scopes: z.string().array(),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
  approval: z.enum(['none', 'required']),
  line_ids: z.string().array().nullable(),
  networks: z.string().array().nullable(),
});
export const keys = z.object({ keys: key.array() });
export const madeKey = z.object({ id: z.string(), key: z.string(), prefix: z.string() });
export const done = z.object({ ok: z.literal(true) });

export const timelineEvent = z.object({
  id: z.string(),
  seq: z.int(),
  type: z.string(),
  chat: z.string().nullable(),
  payload: z.record(z.string(), z.unknown()),
  created_at: z.string(),
});
export const timeline = z.object({ events: timelineEvent.array(), next: z.int().nullable() });
const health = z.enum(['healthy', 'degraded', 'unhealthy']);
export const process = z.object({
  state: z.string(),
  health,
  started_at: z.string().nullable(),
  fail_count: z.int(),
  worker: z.string().nullable(),
  webhook_url: z.string().nullable(),
});
export const webhookUrlBody = z.object({ url: text(1, 2_048, 'url').nullable() });
export const stats = z.object({
  worker: z.string(),
  lines_in_worker: z.int(),
  heap_used_bytes: z.number(),
  rss_bytes: z.number(),
  event_loop_lag_ms: z.number(),
});
export const activity = z.object({
  lines: z.array(
    z.object({
      line_id: z.string(),
      state: z.string(),
      health,
      waiting: z.int(),
      received: z.int(),
      sent: z.int(),
      failed: z.int(),
      /** Received and sent by hour, oldest first; empty when there were none. */
      hours: z.int().array(),
    }),
  ),
});

const endpoint = z.object({
  id: z.string(),
  format: z.enum(['bridges', 'lines']),
  url: z.string(),
  events: z.string().array(),
  line_id: z.string().nullable(),
  description: z.string().nullable(),
  status: z.enum(['enabled', 'disabled']),
  disabled_reason: z.string().nullable(),
  failing_since: z.string().nullable(),
  created_at: z.string(),
  filters: z
    .object({
      chats: z.string().array().nullable(),
      direction: z.enum(['in', 'out']).nullable(),
      types: z.string().array().nullable(),
    })
    .nullable(),
  strict_order: z.boolean(),
  rotating_until: z.string().nullable(),
});
/** Names of events are checked against the format of the webhook, by the command. */
export const endpointChange = z.object({
  url: text(1, 2_048, 'url').optional(),
  events: z
    .array(text(1, 64, 'An event'))
    .min(1, 'Name at least one event, or use ["*"].')
    .max(100)
    .optional(),
});
export const endpoints = z.object({
  webhooks: endpoint.array(),
  names: z.object({ bridges: z.string().array(), lines: z.string().array() }),
  types: z.string().array(),
});

export const problems = z.object({
  problems: z.array(
    z.object({
      kind: z.enum(['line_down', 'queue_stuck', 'webhook_failing']),
      line_id: z.string().nullable(),
      webhook_id: z.string().nullable(),
      reason: z.string().nullable(),
      since: z.string(),
    }),
  ),
  approvals: z.object({ waiting: z.int(), expiring: z.int(), first_ends_at: z.string().nullable() }),
  disk: z.object({ free_bytes: z.number(), empty: z.boolean() }).nullable(),
  clock: z.object({ offset_ms: z.int(), source: z.string() }).nullable(),
});

export const alerts = z.object({
  email: z.boolean(),
  url: z.string().nullable(),
  texts: z.boolean(),
  can_mail: z.boolean(),
});

export const changedAlerts = alerts.extend({ secret: z.string().nullable() });

export const log = z.object({
  entries: z.array(
    z.object({
      id: z.string(),
      kind: z.enum(['request', 'event', 'delivery', 'line']),
      at: z.string(),
      title: z.string(),
      result: z.string(),
      ok: z.boolean(),
      duration_ms: z.number().nullable(),
      line_id: z.string().nullable(),
      /** Entries that belong together share one. */
      ids: z.array(z.string()),
      body: z.unknown(),
      answer: z.unknown(),
    }),
  ),
  bodies_until: z.string().nullable(),
});
