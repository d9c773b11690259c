import { BusError, decodeMessage, encodeFailure, encodeMessage, MAX_SERVED_AT_ONCE } from './bus.ts';

/**
 * Bytes of a request to bytes of its answer, never rejecting: a handler's failure, too much at
 * once, and a message of another version are told as such.
 */
export function serveInMeasure(
  subject: string,
  handler: (body: unknown) => Promise<unknown>,
): (request: Uint8Array) => Promise<Uint8Array> {
  let served = 0;
  return async (request) => {
    const message = decodeMessage(request);
    if (!message || served >= MAX_SERVED_AT_ONCE) return encodeFailure();
    served += 1;
    try {
      return encodeMessage(subject, await handler(message.body));
    } catch {
      return encodeFailure();
    } finally {
      served -= 1;
    }
  };
}

/** The answer's body; throws BusError when it is none. */
export function answerOf(subject: string, answer: Uint8Array): unknown {
  const message = decodeMessage(answer);
  if (!message || message.isFailure) throw new BusError('failed', subject);
  return message.body;
}
