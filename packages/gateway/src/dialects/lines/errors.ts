import { z } from 'zod';
import type { AppError, ErrorCode } from '../../core/app-error.ts';
import type { ErrorAnswer } from '../../http/route.ts';

/**
 * `envelope`: authentication, account and server errors. `flat`: validation and business errors.
 */
type Form = 'envelope' | 'flat';

/**
 * How the Lines API names each failure. Exhaustive: a new code does not compile until it is
 * answered here.
 */
const WORDS: Record<ErrorCode, { status: number; form: Form; code?: string }> = {
  unauthorized: { status: 401, form: 'envelope' },
  subscription_required: { status: 402, form: 'envelope' },
  forbidden: { status: 403, form: 'envelope' },
  rate_limited: { status: 429, form: 'envelope' },
  queue_full: { status: 429, form: 'envelope', code: 'rate_limited' },
  server_error: { status: 500, form: 'envelope' },
  unavailable: { status: 503, form: 'envelope' },
  line_failed: { status: 503, form: 'envelope', code: 'unavailable' },
  validation_error: { status: 400, form: 'flat' },
  target_refused: { status: 400, form: 'flat', code: 'validation_error' },
  not_found: { status: 404, form: 'flat' },
  method_not_allowed: { status: 405, form: 'flat' },
  payload_too_large: { status: 413, form: 'flat' },
  unsupported_media_type: { status: 415, form: 'flat' },
  line_not_found: { status: 404, form: 'flat' },
  message_not_found: { status: 404, form: 'flat' },
  message_cancelled: { status: 409, form: 'flat' },
  message_expired: { status: 504, form: 'flat' },
  message_left: { status: 409, form: 'flat' },
  message_revoked: { status: 409, form: 'flat' },
  account_not_found: { status: 404, form: 'flat' },
  plan_not_found: { status: 404, form: 'flat' },
  plan_in_use: { status: 409, form: 'flat' },
  chat_not_found: { status: 404, form: 'flat' },
  contact_not_found: { status: 404, form: 'flat' },
  group_not_found: { status: 404, form: 'flat' },
  group_forbidden: { status: 403, form: 'flat' },
  not_in_group: { status: 403, form: 'flat' },
  group_admins_only: { status: 403, form: 'flat' },
  channel_not_found: { status: 404, form: 'flat' },
  channel_admins_only: { status: 403, form: 'flat' },
  channel_text_only: { status: 422, form: 'flat' },
  unconfirmed: { status: 409, form: 'flat' },
  whatsapp_limit: { status: 429, form: 'flat' },
  invite_invalid: { status: 422, form: 'flat' },
  avatar_not_found: { status: 404, form: 'flat' },
  media_not_found: { status: 404, form: 'flat' },
  webhook_not_found: { status: 404, form: 'flat' },
  delivery_not_found: { status: 404, form: 'flat' },
  approval_required: { status: 403, form: 'flat' },
  approval_not_found: { status: 404, form: 'flat' },
  approval_over: { status: 409, form: 'flat' },
  key_not_found: { status: 404, form: 'flat' },
  already_paired: { status: 409, form: 'flat' },
  search_off: { status: 409, form: 'flat' },
  nothing_kept: { status: 409, form: 'flat' },
  line_not_connected: { status: 409, form: 'flat' },
  idempotency_conflict: { status: 409, form: 'flat' },
  idempotency_in_progress: { status: 409, form: 'flat' },
  media_expired: { status: 410, form: 'flat' },
  cursor_expired: { status: 410, form: 'flat' },
  not_on_whatsapp: { status: 422, form: 'flat' },
  media_fetch_failed: { status: 422, form: 'flat' },
  media_rejected: { status: 422, form: 'flat' },
  edit_window_closed: { status: 422, form: 'flat' },
  quota_exceeded: { status: 429, form: 'flat' },
  line_limit_reached: { status: 429, form: 'flat' },
  account_restricted: { status: 422, form: 'flat' },
  recipient_restricted: { status: 422, form: 'flat' },
  message_malformed: { status: 422, form: 'flat' },
  whatsapp_error: { status: 502, form: 'flat' },
  whatsapp_timeout: { status: 504, form: 'flat' },
};

/**
 * The envelope says whether the same request may succeed later; the flat form carries the details.
 */
export function errorAnswer(error: AppError): ErrorAnswer {
  const { status, form, code = error.code } = WORDS[error.code];
  if (form === 'envelope') {
    return { status, body: { ok: false, error: { code, message: error.message, retryable: error.retryable } } };
  }
  const { retryAfterSeconds: _, allow: __, ...details } = error.details;
  const target = error.code === 'target_refused' ? { details: [{ path: 'url', message: error.message }] } : {};
  return { status, body: { error: code, message: error.message, ...details, ...target } };
}

const envelope = z.object({
  ok: z.literal(false),
  error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }),
});

const flat = z.looseObject({
  error: z.string(),
  message: z.string(),
  details: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});

export const errorSchema = z.union([envelope, flat]);
