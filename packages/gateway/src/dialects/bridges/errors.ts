import { z } from 'zod';
import type { AppError, ErrorCode } from '../../core/app-error.ts';
import type { ErrorAnswer } from '../../http/route.ts';

/**
 * How the Bridges API names each failure. Exhaustive: a new code does not compile until it is
 * answered here.
 */
const WORDS: Record<ErrorCode, { status: number; code: string; message?: string }> = {
  validation_error: { status: 400, code: 'validation_error' },
  unauthorized: { status: 401, code: 'unauthorized' },
  subscription_required: { status: 402, code: 'subscription_required' },
  forbidden: { status: 403, code: 'forbidden' },
  not_found: { status: 404, code: 'not_found' },
  method_not_allowed: { status: 405, code: 'method_not_allowed' },
  unsupported_media_type: { status: 415, code: 'unsupported_media_type' },
  payload_too_large: { status: 413, code: 'payload_too_large' },
  line_not_found: { status: 404, code: 'bridge_not_found', message: 'No such bridge in this account.' },
  message_not_found: { status: 404, code: 'message_not_found' },
  message_cancelled: { status: 409, code: 'message_cancelled' },
  message_expired: { status: 504, code: 'message_expired' },
  message_left: { status: 409, code: 'message_left' },
  message_revoked: { status: 409, code: 'message_revoked' },
  cursor_expired: { status: 410, code: 'cursor_expired' },
  account_not_found: { status: 404, code: 'account_not_found' },
  plan_not_found: { status: 404, code: 'plan_not_found' },
  plan_in_use: { status: 409, code: 'plan_in_use' },
  chat_not_found: { status: 404, code: 'chat_not_found' },
  contact_not_found: { status: 404, code: 'contact_not_found' },
  group_not_found: { status: 404, code: 'group_not_found' },
  group_forbidden: { status: 403, code: 'group_forbidden' },
  not_in_group: { status: 403, code: 'not_in_group' },
  group_admins_only: { status: 403, code: 'group_admins_only' },
  channel_not_found: { status: 404, code: 'channel_not_found' },
  channel_admins_only: { status: 403, code: 'channel_admins_only' },
  channel_text_only: { status: 422, code: 'channel_text_only' },
  unconfirmed: { status: 409, code: 'unconfirmed' },
  whatsapp_limit: { status: 429, code: 'whatsapp_limit' },
  invite_invalid: { status: 422, code: 'invite_invalid' },
  avatar_not_found: { status: 404, code: 'avatar_not_found' },
  media_not_found: { status: 404, code: 'media_not_found' },
  webhook_not_found: { status: 404, code: 'webhook_not_found' },
  delivery_not_found: { status: 404, code: 'delivery_not_found' },
  approval_required: { status: 403, code: 'approval_required' },
  approval_not_found: { status: 404, code: 'approval_not_found' },
  approval_over: { status: 409, code: 'approval_over' },
  key_not_found: { status: 404, code: 'key_not_found' },
  already_paired: {
    status: 409,
    code: 'already_paired',
    message: 'This bridge is paired already. Log it out first (DELETE logout) to pair it again.',
  },
  nothing_kept: { status: 409, code: 'nothing_kept' },
  search_off: { status: 409, code: 'search_off' },
  line_not_connected: {
    status: 409,
    code: 'not_connected',
    message: 'The bridge is not connected to WhatsApp. Pair it, or wait until it is connected again.',
  },
  line_failed: { status: 503, code: 'unavailable' },
  idempotency_conflict: { status: 409, code: 'idempotency_conflict' },
  idempotency_in_progress: { status: 409, code: 'idempotency_in_progress' },
  not_on_whatsapp: { status: 422, code: 'not_on_whatsapp' },
  media_fetch_failed: { status: 422, code: 'media_fetch_failed' },
  media_rejected: { status: 422, code: 'media_rejected' },
  media_expired: { status: 410, code: 'media_expired' },
  edit_window_closed: { status: 422, code: 'edit_window_closed' },
  target_refused: { status: 400, code: 'validation_error' },
  account_restricted: { status: 422, code: 'account_restricted' },
  recipient_restricted: { status: 502, code: 'whatsapp_error' },
  message_malformed: { status: 502, code: 'whatsapp_error' },
  whatsapp_error: { status: 502, code: 'whatsapp_error' },
  whatsapp_timeout: { status: 504, code: 'whatsapp_timeout' },
  rate_limited: { status: 429, code: 'rate_limited' },
  queue_full: { status: 429, code: 'rate_limited' },
  quota_exceeded: { status: 429, code: 'quota_exceeded' },
  line_limit_reached: { status: 429, code: 'line_limit_reached' },
  unavailable: { status: 503, code: 'unavailable' },
  server_error: { status: 500, code: 'server_error' },
};

/** Flat: code, sentence, details. A sentence that a handler made more exact wins over ours. */
export function errorAnswer(error: AppError): ErrorAnswer {
  const { status, code, message } = WORDS[error.code];
  const { retryAfterSeconds: _, allow: __, whatsapp_code: whatsappCode, ...details } = error.details;
  const sentence = message !== undefined && error.isStandard ? message : error.message;
  return {
    status,
    body: {
      error: code,
      message: sentence,
      ...details,
      ...(whatsappCode === undefined ? {} : { details: { whatsapp_code: whatsappCode } }),
      ...(error.code === 'target_refused' ? { details: [{ path: 'webhook_url', message: sentence }] } : {}),
    },
  };
}

export const errorSchema = z.looseObject({
  error: z.string().describe('What went wrong, for programs.'),
  message: z.string().describe('What went wrong and what to do, for people.'),
  details: z
    .union([
      z.array(z.object({ path: z.string(), message: z.string() })),
      z.looseObject({ whatsapp_code: z.number().optional() }),
    ])
    .optional()
    .describe('validation_error: the fields; whatsapp_error: WhatsApp’s own code.'),
  status: z.string().optional().describe('not_connected: the state the bridge is in.'),
});
