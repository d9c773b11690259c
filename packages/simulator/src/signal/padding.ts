import { concat, type RandomBytes } from './curve.ts';
import { SignalError } from './signal-error.ts';

/** WhatsApp's padding of a message before encryption: 1 to 16 bytes that all hold their number. */
export function pad(plaintext: Uint8Array, random: RandomBytes): Uint8Array {
  const length = ((random(1)[0] ?? 0) & 15) + 1;
  return concat(plaintext, new Uint8Array(length).fill(length));
}

/** Takes the padding off. Throws SignalError('malformed') when there is none. */
export function unpad(padded: Uint8Array): Uint8Array {
  const length = padded.at(-1) ?? 0;
  if (length === 0 || length > padded.length) throw new SignalError('malformed');
  return padded.subarray(0, padded.length - length);
}
