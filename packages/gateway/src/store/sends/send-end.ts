import type { Selectable } from 'kysely';
import { ERRORS, type ErrorCode, type ErrorDetails } from '../../core/app-error.ts';
import type { SendOutcome } from '../../core/line-commands.ts';
import type { OutboxTable } from '../db/schema.ts';

/** Nothing changes it any more, but a resend of what failed. */
export type SendEnd = Exclude<SendOutcome, { state: 'unconfirmed' }>;

type EndColumns = Pick<
  Selectable<OutboxTable>,
  'state' | 'accepted_at' | 'ack_timestamp' | 'error_code' | 'error_details'
>;

/** How a row of the outbox says its send ended; null while it has not. */
export function endOf(row: EndColumns): SendEnd | null {
  if (row.state === 'sent') {
    return { state: 'sent', timestamp: Number(row.ack_timestamp ?? Math.floor(Number(row.accepted_at) / 1_000)) };
  }
  if (row.state !== 'failed') return null;
  const details = row.error_details === null ? {} : (JSON.parse(row.error_details) as ErrorDetails);
  return { state: 'failed', code: knownCode(row.error_code), details };
}

/** Another version may have written a code that this one does not know. */
const knownCode = (code: string | null): ErrorCode =>
  code !== null && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'server_error';
