import type { Insertable, Selectable, Updateable } from 'kysely';
import type { ConsoleUsersTable } from '../db/schema.ts';
import type { Db } from '../db/store.ts';

export type UserRow = Selectable<ConsoleUsersTable>;

/** All console users, oldest first. */
export async function listUsers(db: Db): Promise<UserRow[]> {
  return db.selectFrom('console_users').selectAll().orderBy('created_at').orderBy('id').execute();
}

export async function findUserByEmail(db: Db, email: string): Promise<UserRow | undefined> {
  return db.selectFrom('console_users').selectAll().where('email', '=', email).executeTakeFirst();
}

export async function findUserById(db: Db, id: string): Promise<UserRow | undefined> {
  return db.selectFrom('console_users').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function readPassword(db: Db, id: string): Promise<string | undefined> {
  const row = await db.selectFrom('console_users').select('password').where('id', '=', id).executeTakeFirst();
  return row?.password;
}

export async function hasUsers(db: Db): Promise<boolean> {
  return (await db.selectFrom('console_users').select('id').limit(1).executeTakeFirst()) !== undefined;
}

/** True while at least one owner can sign in. */
export async function hasOwner(db: Db): Promise<boolean> {
  const owner = await db
    .selectFrom('console_users')
    .select('id')
    .where('role', '=', 'owner')
    .where('disabled_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return owner !== undefined;
}

export async function countUsers(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('console_users')
    .select((eb) => eb.fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Undefined when another user has this e-mail address already. */
export async function insertUser(db: Db, row: Insertable<ConsoleUsersTable>): Promise<UserRow | undefined> {
  return db
    .insertInto('console_users')
    .values(row)
    .onConflict((conflict) => conflict.column('email').doNothing())
    .returningAll()
    .executeTakeFirst();
}

/** Undefined when there is no such user. */
export async function updateUser(
  db: Db,
  id: string,
  change: Pick<Updateable<ConsoleUsersTable>, 'role' | 'disabled_at' | 'password' | 'signed_in_at'>,
): Promise<UserRow | undefined> {
  // Setting the id to itself keeps an empty change a valid statement.
  return db
    .updateTable('console_users')
    .set({ ...change, id })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirst();
}

/** False when there is no such user. */
export async function deleteUser(db: Db, id: string): Promise<boolean> {
  const done = await db.deleteFrom('console_users').where('id', '=', id).executeTakeFirst();
  return Number(done.numDeletedRows) > 0;
}
