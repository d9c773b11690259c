import { StoreUnreachableError } from '../../core/store-unreachable.ts';

/** The network's codes for a server that is not there, or went away. */
const NETWORK = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH'],
  ...['ENOENT'],
]);

/**
 * SQLSTATEs (PostgreSQL, appendix A) that waiting mends: connection exceptions, no resources
 * (memory, disk, connections), shutdown and start-up, a server that became read-only by failover,
 * a statement that took too long.
 */
const STATES = /^(?:08|53|57P0|25006$|57014$)/;

/** What node-postgres says without any code (pg lib/client.js, pg-pool index.js). */
const SENTENCES = /Connection terminated|connection timeout|timeout exceeded|Query read timeout|not queryable/i;

/** The same error, or a `StoreUnreachableError` about it. */
export function asStoreFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreUnreachableError) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const isAway = code === '' ? SENTENCES.test(error.message) : NETWORK.has(code) || STATES.test(code);
  return isAway ? new StoreUnreachableError(error, code) : error;
}
