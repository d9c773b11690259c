import { EngineError } from '@ponte/engine';
import { describeError } from './library-log.ts';

const CONNECTION_CLOSED = 428;
const TIMED_OUT = 408;

/**
 * An error of Baileys as the port's. A refusal by WhatsApp is a Boom with the code as `data`
 * (WABinary assertNodeErrorFree); a closed socket and a timeout are Booms with a status code.
 */
export function toEngineError(error: unknown, what: string): EngineError {
  if (error instanceof EngineError) return error;
  const message = `${what}: ${describeError(error)}`;
  const status = statusOf(error);
  if (status === CONNECTION_CLOSED) return new EngineError('not_connected', message, { cause: error });
  if (status === TIMED_OUT) return new EngineError('timeout', message, { cause: error });
  const data: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'data') : undefined;
  const serverCode = typeof data === 'number' && Number.isFinite(data) ? data : undefined;
  return new EngineError('rejected', message, { cause: error, ...(serverCode === undefined ? {} : { serverCode }) });
}

function statusOf(error: unknown): unknown {
  const output: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'output') : undefined;
  return typeof output === 'object' && output !== null ? Reflect.get(output, 'statusCode') : undefined;
}
