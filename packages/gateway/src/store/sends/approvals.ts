import type { Kysely, Transaction } from 'kysely';
import type { Mode } from '../../core/lines.ts';
import { accountText } from '../db/contents.ts';
import type { ApprovalsTable, Database } from '../db/schema.ts';

type Db = Kysely<Database> | Transaction<Database>;

/** Something that is done once a person said yes. */
export interface StoredApproval {
  id: string;
  accountId: string;
  mode: Mode;
  lineId: string;
  keyId: string;
  keyName: string;
  /** The published operation, and its arguments as they were given: what the person is shown. */
  operation: string;
  shown: Record<string, unknown>;
  command: string;
  input: unknown;
  /** The asker's own key for the same question asked twice. */
  repeatKey: string | null;
  fingerprint: string;
  state: 'pending' | 'approved' | 'denied';
  createdAt: number;
  expiresAt: number;
  decidedAt: number | null;
  decidedBy: string | null;
  /** What the command came to; null while it has not ended. */
  outcome: unknown;
}

export interface Owner {
  accountId: string;
  mode: Mode;
}

/** False when the owner has one with this `repeatKey` already. */
export async function insertApproval(db: Db, of: StoredApproval): Promise<boolean> {
  const inserted = await db
    .insertInto('approvals')
    .values({
      id: of.id,
      account_id: of.accountId,
      mode: of.mode,
      line_id: of.lineId,
      key_id: of.keyId,
      key_name: of.keyName,
      operation: of.operation,
      shown: accountText(of.accountId, JSON.stringify(of.shown)),
      command: of.command,
      input: accountText(of.accountId, JSON.stringify(of.input)),
      repeat_key: of.repeatKey,
      fingerprint: of.fingerprint,
      state: of.state,
      created_at: of.createdAt,
      expires_at: of.expiresAt,
      decided_at: of.decidedAt,
      decided_by: of.decidedBy,
      outcome: null,
      alerted_at: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  return Number(inserted.numInsertedOrUpdatedRows ?? 0) === 1;
}

export async function findApproval(db: Db, owner: Owner, id: string): Promise<StoredApproval | undefined> {
  const row = await ofOwner(db, owner).where('id', '=', id).executeTakeFirst();
  return row && toApproval(row);
}

export async function findRepeated(db: Db, owner: Owner, repeatKey: string): Promise<StoredApproval | undefined> {
  const row = await ofOwner(db, owner).where('repeat_key', '=', repeatKey).executeTakeFirst();
  return row && toApproval(row);
}

/** Newest first. */
export async function listApprovals(db: Db, owner: Owner, limit: number): Promise<StoredApproval[]> {
  const rows = await ofOwner(db, owner).orderBy('created_at', 'desc').limit(limit).execute();
  return rows.map(toApproval);
}

export async function countPending(db: Db, owner: Owner, nowMs: number): Promise<number> {
  const { count } = await db
    .selectFrom('approvals')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('account_id', '=', owner.accountId)
    .where('mode', '=', owner.mode)
    .where('created_at', '>', nowMs - 86_400_000)
    .where('state', '=', 'pending')
    .where('expires_at', '>', nowMs)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** When the requests that wait for a decision run out, the first one first. */
export async function pendingApprovals(db: Db, owner: Owner, nowMs: number): Promise<number[]> {
  const rows = await db
    .selectFrom('approvals')
    .select('expires_at')
    .where('account_id', '=', owner.accountId)
    .where('mode', '=', owner.mode)
    .where('created_at', '>', nowMs - 86_400_000)
    .where('state', '=', 'pending')
    .where('expires_at', '>', nowMs)
    .orderBy('expires_at')
    .execute();
  return rows.map(({ expires_at: at }) => Number(at));
}

/**
 * Marks the requests that wait for a decision and were not alerted yet, and returns them; each is
 * returned once.
 */
export async function takeUnalerted(db: Db, owner: Owner, nowMs: number): Promise<{ id: string; lineId: string }[]> {
  const rows = await db
    .updateTable('approvals')
    .set({ alerted_at: nowMs })
    .where('id', 'in', unalerted(db, owner, nowMs))
    .returning(['id', 'line_id'])
    .execute();
  return rows.map((row) => ({ id: row.id, lineId: row.line_id }));
}

/** Whether there are any for `takeUnalerted`. */
export async function hasUnalerted(db: Db, owner: Owner, nowMs: number): Promise<boolean> {
  return (await unalerted(db, owner, nowMs).limit(1).executeTakeFirst()) !== undefined;
}

const unalerted = (db: Db, owner: Owner, nowMs: number) =>
  db
    .selectFrom('approvals')
    .select('id')
    .where('account_id', '=', owner.accountId)
    .where('mode', '=', owner.mode)
    .where('created_at', '>', nowMs - 86_400_000)
    .where('state', '=', 'pending')
    .where('expires_at', '>', nowMs)
    .where('alerted_at', 'is', null);

/**
 * The decision, when there is none yet and there is still time; undefined otherwise. Of two at once
 * one counts.
 */
export async function decideApproval(
  db: Db,
  owner: Owner,
  of: { id: string; state: 'approved' | 'denied'; by: string; nowMs: number },
): Promise<StoredApproval | undefined> {
  const row = await db
    .updateTable('approvals')
    .set({ state: of.state, decided_at: of.nowMs, decided_by: of.by })
    .where('id', '=', of.id)
    .where('account_id', '=', owner.accountId)
    .where('mode', '=', owner.mode)
    .where('state', '=', 'pending')
    .where('expires_at', '>', of.nowMs)
    .returningAll()
    .executeTakeFirst();
  return row && toApproval(row);
}

/** The first outcome counts. */
export async function saveOutcome(db: Db, id: string, outcome: unknown): Promise<void> {
  await db
    .updateTable('approvals')
    .set({ outcome: JSON.stringify(outcome) })
    .where('id', '=', id)
    .where('outcome', 'is', null)
    .execute();
}

/** Approved (before a time), and not known to have ended: what a crash cut off. */
export async function unfinishedApprovals(
  db: Db,
  limit: number,
  before = Number.MAX_SAFE_INTEGER,
): Promise<StoredApproval[]> {
  const rows = await db
    .selectFrom('approvals')
    .selectAll()
    .where('state', '=', 'approved')
    .where('outcome', 'is', null)
    .where('decided_at', '>', 0)
    .where('decided_at', '<', before)
    .orderBy('decided_at')
    .limit(limit)
    .execute();
  return rows.map(toApproval);
}

export async function forgetApprovals(db: Db, beforeMs: number): Promise<void> {
  await db.deleteFrom('approvals').where('created_at', '<', beforeMs).execute();
}

const ofOwner = (db: Db, { accountId, mode }: Owner) =>
  db.selectFrom('approvals').selectAll().where('account_id', '=', accountId).where('mode', '=', mode);

const toApproval = (row: ApprovalsTable): StoredApproval => ({
  id: row.id,
  accountId: row.account_id,
  mode: row.mode,
  lineId: row.line_id,
  keyId: row.key_id,
  keyName: row.key_name,
  operation: row.operation,
  shown: JSON.parse(row.shown) as Record<string, unknown>,
  command: row.command,
  input: JSON.parse(row.input) as unknown,
  repeatKey: row.repeat_key,
  fingerprint: row.fingerprint,
  state: row.state,
  createdAt: Number(row.created_at),
  expiresAt: Number(row.expires_at),
  decidedAt: row.decided_at === null ? null : Number(row.decided_at),
  decidedBy: row.decided_by,
  outcome: row.outcome === null ? null : (JSON.parse(row.outcome) as unknown),
});
