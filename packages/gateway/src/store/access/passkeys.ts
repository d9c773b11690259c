import type { Insertable, Selectable } from 'kysely';
import type { ConsolePasskeysTable } from '../db/schema.ts';
import type { Db } from '../db/store.ts';

/** A user's passkeys, oldest first. */
export async function listPasskeys(db: Db, userId: string) {
  return db
    .selectFrom('console_passkeys')
    .select(['id', 'name', 'host', 'created_at', 'used_at'])
    .where('user_id', '=', userId)
    .orderBy('created_at')
    .execute();
}

export async function findPasskey(
  db: Db,
  id: string,
  host: string,
): Promise<Selectable<ConsolePasskeysTable> | undefined> {
  return db.selectFrom('console_passkeys').selectAll().where('id', '=', id).where('host', '=', host).executeTakeFirst();
}

/** False when a passkey of this id is kept already. */
export async function insertPasskey(db: Db, row: Insertable<ConsolePasskeysTable>): Promise<boolean> {
  const made = await db
    .insertInto('console_passkeys')
    .values(row)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .returning('id')
    .executeTakeFirst();
  return made !== undefined;
}

export async function notePasskeyUsed(db: Db, id: string, counter: number, at: number): Promise<void> {
  await db.updateTable('console_passkeys').set({ counter, used_at: at }).where('id', '=', id).execute();
}

/** False when the user has no such passkey. */
export async function deletePasskey(db: Db, userId: string, id: string): Promise<boolean> {
  const done = await db
    .deleteFrom('console_passkeys')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return Number(done.numDeletedRows) > 0;
}

export async function deletePasskeysOf(db: Db, userId: string): Promise<void> {
  await db.deleteFrom('console_passkeys').where('user_id', '=', userId).execute();
}

/** Remembers that a challenge was answered, until it is over; false when it was before. */
export async function spendChallenge(
  db: Db,
  { challenge, now, expiresAt }: { challenge: string; now: number; expiresAt: number },
): Promise<boolean> {
  await db.deleteFrom('console_challenges').where('expires_at', '<=', now).execute();
  const spent = await db
    .insertInto('console_challenges')
    .values({ challenge, user_id: null, expires_at: expiresAt })
    .onConflict((conflict) => conflict.column('challenge').doNothing())
    .returning('challenge')
    .executeTakeFirst();
  return spent !== undefined;
}
