import { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';

/**
 * The next piece of a body, undefined at its end. `validation_error` when it does not come within
 * `withinMs`.
 */
export async function nextPiece(
  pieces: AsyncIterator<unknown>,
  clock: Clock,
  withinMs: number,
): Promise<Buffer | undefined> {
  let cancel = () => {};
  const late = new Promise<never>((_resolve, reject) => {
    cancel = clock.after(withinMs, () => reject(tooSlow()));
  });
  try {
    const { done, value } = await Promise.race([pieces.next(), late]);
    if (done) return undefined;
    return Buffer.isBuffer(value) ? value : Buffer.from(value as Uint8Array);
  } finally {
    cancel();
  }
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
