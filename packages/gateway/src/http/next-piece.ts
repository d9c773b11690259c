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

function tooSlow(): AppError {
  const message = 'The body did not arrive in time. Send it again over a better connection.';
  return new AppError('validation_error', { details: [{ path: '', message }] }, { message });
}
