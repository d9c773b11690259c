import type { Kysely, Transaction } from 'kysely';
import { AppError } from '../../core/app-error.ts';
import {
  fingerprintsOf,
  IDEMPOTENCY_TTL_MS,
  type IdempotentRequest,
  isSameRequest,
  isSaveable,
  type SavedAnswer,
} from '../../core/idempotency.ts';
import type { Database } from '../db/schema.ts';

/**
 * What is known about a request's key. `open`: accepted as this outbox row, not answered yet (still
 * running, or cut off by a crash).
 */
export type Claim =
  | { state: 'free' }
  | { state: 'open'; outboxId: string }
  | { state: 'answered'; answer: SavedAnswer };

type Db = Kysely<Database> | Transaction<Database>;

/**
 * Looks a request's key up. Throws `idempotency_conflict` when the key belongs to a different
 * request. Expired keys are free.
 */
export async function findClaim(db: Db, request: IdempotentRequest, nowMs: number): Promise<Claim> {
  const row = await db
    .selectFrom('idempotency')
    .select(['fingerprint', 'outbox_id', 'status', 'body', 'expires_at'])
    .where('scope', '=', request.scope)
    .where('key', '=', request.key)
    .executeTakeFirst();
  if (!row || Number(row.expires_at) <= nowMs) return { state: 'free' };
  if (!isSameRequest(request, row.fingerprint)) throw new AppError('idempotency_conflict');
  if (row.status !== null && row.body !== null) {
    return { state: 'answered', answer: { status: Number(row.status), body: row.body } };
  }
  return row.outbox_id === null ? { state: 'free' } : { state: 'open', outboxId: row.outbox_id };
}

/**
 * Claims the key for an outbox row, in the transaction that accepts it: both or neither. False when
 * another request holds the key (then nothing of the transaction may be kept).
 */
export async function claim(
  db: Transaction<Database>,
  request: IdempotentRequest,
  outboxId: string,
  nowMs: number,
): Promise<boolean> {
  await db
    .deleteFrom('idempotency')
    .where('scope', '=', request.scope)
    .where('key', '=', request.key)
    .where('expires_at', '<=', nowMs)
    .execute();
  const inserted = await db
    .insertInto('idempotency')
    .values({
      scope: request.scope,
      key: request.key,
      fingerprint: request.fingerprint,
      outbox_id: outboxId,
      status: null,
      body: null,
      created_at: nowMs,
      expires_at: nowMs + IDEMPOTENCY_TTL_MS,
    })
    .onConflict((conflict) => conflict.columns(['scope', 'key']).doNothing())
    .executeTakeFirst();
  return Number(inserted.numInsertedOrUpdatedRows ?? 0) === 1;
}

/**
 * Saves the answer of an accepted request unless one is saved already, and returns the one that
 * counts: the first. An answer that is not saveable comes back as it is. The key stays claimed
 * either way, so that the message stays the same one.
 */
export async function saveAnswer(db: Db, request: IdempotentRequest, answer: SavedAnswer): Promise<SavedAnswer> {
  if (!isSaveable(answer.status)) return answer;
  const mine = await db
    .updateTable('idempotency')
    .set({ status: answer.status, body: answer.body })
    .where('scope', '=', request.scope)
    .where('key', '=', request.key)
    .where('fingerprint', 'in', fingerprintsOf(request))
    .where('status', 'is', null)
    .executeTakeFirst();
  if (Number(mine.numUpdatedRows) === 1) return answer;
  const saved = await db
    .selectFrom('idempotency')
    .select(['status', 'body'])
    .where('scope', '=', request.scope)
    .where('key', '=', request.key)
    .where('fingerprint', 'in', fingerprintsOf(request))
    .executeTakeFirst();
  // No row: it expired or its line was deleted meanwhile; the answer is still true.
  if (!saved || saved.status === null || saved.body === null) return answer;
  return { status: Number(saved.status), body: saved.body };
}

/**
 * Deletes keys that expired. Returns how many; one call deletes at most `limit`, so that it never
 * holds the database for long.
 */
export async function sweepExpired(db: Kysely<Database>, nowMs: number, limit = 500): Promise<number> {
  const rows = await db
    .selectFrom('idempotency')
    .select(['scope', 'key'])
    .where('expires_at', '<=', nowMs)
    .limit(limit)
    .execute();
  for (const row of rows) {
    await db
      .deleteFrom('idempotency')
      .where('scope', '=', row.scope)
      .where('key', '=', row.key)
      .where('expires_at', '<=', nowMs)
      .execute();
  }
  return rows.length;
}
