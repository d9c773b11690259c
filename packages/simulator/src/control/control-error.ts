import { FaultError } from '../faults/rules.ts';
import { CallNotFoundError } from '../phone/calls.ts';
import { InputError } from '../phone/content/input.ts';
import { NotInGroupError } from '../phone/groups.ts';
import { CodeMismatchError, IqError, LinkError } from '../phone/network.ts';
import { NotOnWhatsAppError } from '../phone/outbound.ts';
import { MessageNotFoundError } from '../phone/sending.ts';
import { LimitError } from '../world/accounts.ts';

/** What the sandbox API can answer besides success. */
export type ControlCode =
  | 'validation_error'
  | 'not_found'
  | 'method_not_allowed'
  | 'phone_not_found'
  | 'message_not_found'
  | 'call_not_found'
  | 'group_not_found'
  | 'not_in_group'
  | 'channel_not_found'
  | 'refused'
  | 'line_not_found'
  | 'not_on_whatsapp'
  | 'not_linked'
  | 'qr_expired'
  | 'code_mismatch'
  | 'phone_offline'
  | 'limit_reached';

const STATUS: Record<ControlCode, number> = {
  validation_error: 400,
  not_found: 404,
  method_not_allowed: 405,
  phone_not_found: 404,
  message_not_found: 404,
  call_not_found: 404,
  group_not_found: 404,
  not_in_group: 409,
  channel_not_found: 404,
  refused: 409,
  line_not_found: 404,
  not_on_whatsapp: 422,
  not_linked: 409,
  qr_expired: 409,
  code_mismatch: 409,
  phone_offline: 409,
  limit_reached: 409,
};

export class ControlError extends Error {
  override readonly name = 'ControlError';
  readonly code: ControlCode;

  constructor(code: ControlCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * The answer for an error that the caller caused. Undefined for anything else: that is a fault of
 * the simulator.
 */
export function errorAnswer(
  error: unknown,
): { status: number; body: { error: ControlCode; message: string } } | undefined {
  const code = codeOf(error);
  if (code === undefined || !(error instanceof Error)) return undefined;
  return { status: STATUS[code], body: { error: code, message: error.message } };
}

function codeOf(error: unknown): ControlCode | undefined {
  if (error instanceof ControlError) return error.code;
  if (error instanceof InputError || error instanceof FaultError) return 'validation_error';
  if (error instanceof NotOnWhatsAppError) return 'not_on_whatsapp';
  if (error instanceof NotInGroupError) return 'not_in_group';
  // The network said no to what a phone asked for, as it would on WhatsApp; the message has its
  // code.
  if (error instanceof IqError) return 'refused';
  if (error instanceof CallNotFoundError) return 'call_not_found';
  if (error instanceof MessageNotFoundError) return 'message_not_found';
  if (error instanceof LimitError) return 'limit_reached';
  if (error instanceof CodeMismatchError) return 'code_mismatch';
  if (error instanceof LinkError) return error.isAboutQr ? 'qr_expired' : 'not_linked';
  return undefined;
}
