import type { Insertable, Selectable } from 'kysely';
import type { ConsoleSessionsTable } from '../db/schema.ts';
import type { Db } from '../db/store.ts';

/** Which sessions still count: not over, and used after `idleSince`. */
export interface Alive {
  now: number;
  idleSince: number;
}

/** Sessions that count, with their users; those of disabled users do not. */
const aliveSessions = (db: Db, { now, idleSince }: Alive) =>
  db
    .selectFrom('console_sessions as s')
    .innerJoin('console_users as u', 'u.id', 's.user_id')
    .select(['s.id', 's.seen_at', 'u.id as user_id', 'u.email', 'u.name', 'u.role'])
    .where('s.expires_at', '>', now)
    .where('s.seen_at', '>', idleSince)
    .where('u.disabled_at', 'is', null);

export async function findSessionByHash(db: Db, hash: Buffer, alive: Alive) {
  return aliveSessions(db, alive).where('s.hash', '=', hash).executeTakeFirst();
}

export async function isSessionAlive(db: Db, id: string, alive: Alive): Promise<boolean> {
  return (await aliveSessions(db, alive).where('s.id', '=', id).executeTakeFirst()) !== undefined;
}

/** A user's sessions that count, newest first. */
export async function listSessions(
  db: Db,
  userId: string,
  { now, idleSince }: Alive,
): Promise<Selectable<ConsoleSessionsTable>[]> {
  return db
    .selectFrom('console_sessions')
    .selectAll()
    .where('user_id', '=', userId)
    .where('expires_at', '>', now)
    .where('seen_at', '>', idleSince)
    .orderBy('created_at', 'desc')
    .execute();
}

export async function insertSession(db: Db, row: Insertable<ConsoleSessionsTable>): Promise<void> {
  await db.insertInto('console_sessions').values(row).execute();
}

export async function touchSession(db: Db, id: string, now: number): Promise<void> {
  await db.updateTable('console_sessions').set({ seen_at: now }).where('id', '=', id).execute();
}

export async function deleteOverSessions(db: Db, { now, idleSince }: Alive): Promise<void> {
  await db
    .deleteFrom('console_sessions')
    .where((eb) => eb.or([eb('expires_at', '<=', now), eb('seen_at', '<=', idleSince)]))
    .execute();
}

/** False when the user has no such session. */
export async function deleteSession(db: Db, userId: string, id: string): Promise<boolean> {
  const done = await db
    .deleteFrom('console_sessions')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return Number(done.numDeletedRows) > 0;
}

/** Every session of a user, but `exceptId`. */
export async function deleteSessionsOf(db: Db, userId: string, exceptId?: string): Promise<void> {
  let query = db.deleteFrom('console_sessions').where('user_id', '=', userId);
  if (exceptId !== undefined) query = query.where('id', '!=', exceptId);
  await query.execute();
}
