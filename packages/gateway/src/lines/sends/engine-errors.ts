import { EngineError } from '@ponte/engine';
import { AppError, type ErrorCode, type ErrorDetails, standingDetails } from '../../core/app-error.ts';
import type { LineStanding } from '../../core/lines.ts';
import { isStoreUnreachable } from '../../core/store-unreachable.ts';

/**
 * What a caller is told about an engine's refusal, or a database that is away. Anything else is a
 * defect of ours.
 */
export function toLineError(error: unknown, standing: LineStanding): AppError {
  if (error instanceof AppError) return error;
  if (isStoreUnreachable(error)) return new AppError('unavailable', {}, { cause: error });
  if (!(error instanceof EngineError)) return new AppError('server_error', {}, { cause: error });
  const { code, details, message } = failureOf(error, standing);
  return new AppError(code, details, { cause: error, ...(message === undefined ? {} : { message }) });
}

/**
 * WhatsApp's codes that mean something a sender can act on. 463: the reach-out time-lock, or a
 * missing privacy token (whatsmeow, Baileys messages-recv.js); every further try counts against the
 * account. 479: the stanza is not valid for this recipient's devices.
 */
const REFUSALS: Readonly<Record<number, ErrorCode>> = {
  400: 'message_malformed',
  429: 'whatsapp_limit',
  463: 'recipient_restricted',
  479: 'message_malformed',
};

const DAMAGED =
  'What WhatsApp delivered is not the file of this message: it does not have the hash that the sender gave. Ask the sender to send it again.';

/**
 * Code and details of an engine's refusal, as plain data; `message` where it says more than the
 * code's own sentence.
 */
export function failureOf(
  error: EngineError,
  standing: LineStanding,
): { code: ErrorCode; details: ErrorDetails; message?: string } {
  switch (error.code) {
    case 'not_connected':
    case 'wrong_state':
    case 'credentials_unreadable':
      return { code: 'line_not_connected', details: standingDetails(standing) };
    case 'rejected':
      return {
        code: REFUSALS[error.serverCode ?? 0] ?? 'whatsapp_error',
        details: error.serverCode === undefined ? {} : { whatsapp_code: error.serverCode },
      };
    case 'timeout':
      return { code: 'whatsapp_timeout', details: {} };
    case 'not_on_whatsapp':
      return { code: 'not_on_whatsapp', details: {} };
    case 'no_such_group':
      return { code: 'group_not_found', details: {} };
    case 'not_in_group':
    case 'group_admins_only':
    case 'channel_admins_only':
      return { code: error.code, details: {} };
    case 'no_such_channel':
      return { code: 'channel_not_found', details: {} };
    case 'store_failed':
      return { code: 'unavailable', details: {} };
    case 'unknown_message':
      return { code: 'message_not_found', details: {} };
    case 'media_gone':
      return { code: 'media_expired', details: {} };
    case 'media_damaged':
      return { code: 'whatsapp_error', details: {}, message: DAMAGED };
  }
}
