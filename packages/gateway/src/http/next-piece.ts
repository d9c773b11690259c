import { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { within } from '../core/within.ts';

/**
 * The next piece of a body, undefined at its end. `validation_error` when it does not come within
 * `withinMs`.
 */
export async function nextPiece(
  pieces: AsyncIterator<unknown>,
  clock: Clock,
  withinMs: number,
): Promise<Buffer | undefined> {
  const next = await within(clock, pieces.next(), withinMs);
  if (!next) throw tooSlow();
  const { done, value } = next;
  if (done) return undefined;
  return Buffer.isBuffer(value) ? value : Buffer.from(value as Uint8Array);
}

const slow = new WeakSet<AppError>();

/** The refusal of a body that does not come; what is left of it is not waited for. */
export function tooSlow(): AppError {
  const message = 'The body did not arrive in time. Send it again over a better connection.';
  const error = new AppError('validation_error', { details: [{ path: '', message }] }, { message });
  slow.add(error);
  return error;
}

/** True for that refusal: the connection ends with the answer. */
export const isTooSlow = (error: AppError): boolean => slow.has(error);
