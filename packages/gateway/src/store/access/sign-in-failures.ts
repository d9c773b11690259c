import type { Db } from '../db/store.ts';

/** How often sign-ins of one subject failed, and until when it has to wait. */
export interface Failures {
  failures: number;
  blockedUntil: number;
}

/**
 * Notes a try of a subject and answers what is known of it; holds its row until the transaction
 * ends.
 */
export async function noteTry(db: Db, subject: string, now: number): Promise<Failures> {
  await db
    .insertInto('console_failures')
    .values({ subject, failures: 0, last_at: now, blocked_until: 0 })
    .onConflict((conflict) => conflict.column('subject').doUpdateSet({ last_at: now }))
    .execute();
  const row = await db
    .selectFrom('console_failures')
    .select(['failures', 'blocked_until'])
    .where('subject', '=', subject)
    .executeTakeFirstOrThrow();
  return { failures: Number(row.failures), blockedUntil: Number(row.blocked_until) };
}

export async function writeFailures(db: Db, subject: string, { failures, blockedUntil }: Failures): Promise<void> {
  await db
    .updateTable('console_failures')
    .set({ failures, blocked_until: blockedUntil })
    .where('subject', '=', subject)
    .execute();
}

export async function forgetFailuresBefore(db: Db, cutoff: number): Promise<void> {
  await db.deleteFrom('console_failures').where('last_at', '<', cutoff).execute();
}

export async function forgetFailures(db: Db, subjects: readonly string[]): Promise<void> {
  await db.deleteFrom('console_failures').where('subject', 'in', subjects).execute();
}
