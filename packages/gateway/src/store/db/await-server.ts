import { sql } from 'kysely';
import { type Clock, stayAwake } from '../../core/clock.ts';
import type { Store } from './store.ts';

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;

/** What says that a server is not there, or not yet; everything else is not mended by waiting. */
const ABSENT = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT'],
  // PostgreSQL: starting up, shutting down, crashed, no place left.
  ...['57P01', '57P02', '57P03', '53300'],
]);

/** Whether an error says that the database's server cannot be reached for now. */
export function isAbsent(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return ABSENT.has(code) || /timeout|terminated/i.test(error.message);
}

/**
 * Resolves when the database answers. One that is not there is asked again for as long as
 * `withinMs`, each time after `onWait` was told; then, and at once for every other error, it
 * rejects.
 */
export async function awaitServer(
  store: Store,
  options: { withinMs: number; clock: Clock; onWait(error: Error): void },
): Promise<void> {
  const { withinMs, clock, onWait } = options;
  const until = clock.monotonic() + withinMs;
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    try {
      await sql`select 1`.execute(store.db);
      return;
    } catch (error) {
      if (!isAbsent(error) || clock.monotonic() + waitMs > until) throw error;
      onWait(error);
    }
    await stayAwake(waitMs * (0.75 + clock.random() / 4));
  }
}
