import { z } from 'zod';
import type { AppError, ErrorCode } from '../core/app-error.ts';
import type { ErrorAnswer } from './route.ts';

/**
 * Statuses of the catalogue where no published API words its own: the sandbox, and addresses
 * outside of every dialect.
 */
const STATUS: Record<ErrorCode, number> = {
  validation_error: 400,
  unauthorized: 401,
  subscription_required: 402,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  unsupported_media_type: 415,
  payload_too_large: 413,
  line_not_found: 404,
  message_not_found: 404,
  message_cancelled: 409,
  message_expired: 504,
  message_left: 409,
  message_revoked: 409,
  group_not_found: 404,
  group_forbidden: 403,
  not_in_group: 403,
  group_admins_only: 403,
  channel_not_found: 404,
  channel_admins_only: 403,
  channel_text_only: 422,
  unconfirmed: 409,
  whatsapp_limit: 429,
  invite_invalid: 422,
  account_not_found: 404,
  plan_not_found: 404,
  plan_in_use: 409,
  chat_not_found: 404,
  contact_not_found: 404,
  avatar_not_found: 404,
  media_not_found: 404,
  webhook_not_found: 404,
  delivery_not_found: 404,
  approval_required: 403,
  approval_not_found: 404,
  approval_over: 409,
  key_not_found: 404,
  already_paired: 409,
  nothing_kept: 409,
  search_off: 409,
  line_not_connected: 409,
  line_failed: 503,
  idempotency_conflict: 409,
  idempotency_in_progress: 409,
  not_on_whatsapp: 422,
  media_fetch_failed: 422,
  media_rejected: 422,
  media_expired: 410,
  cursor_expired: 410,
  edit_window_closed: 422,
  target_refused: 400,
  account_restricted: 422,
  recipient_restricted: 422,
  message_malformed: 422,
  whatsapp_error: 502,
  whatsapp_timeout: 504,
  rate_limited: 429,
  queue_full: 429,
  quota_exceeded: 429,
  line_limit_reached: 429,
  unavailable: 503,
  server_error: 500,
};

/** `{"error":code,"message",…details}` with the catalogue's own codes. */
export function flatErrorAnswer(error: AppError): ErrorAnswer {
  const { retryAfterSeconds: _, allow: __, ...details } = error.details;
  return { status: STATUS[error.code], body: { error: error.code, message: error.message, ...details } };
}

export const flatErrorSchema = z.looseObject({
  error: z.string(),
  message: z.string(),
  details: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
