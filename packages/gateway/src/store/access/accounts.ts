import type { Insertable, Updateable } from 'kysely';
import type { AccountsTable } from '../db/schema.ts';
import type { Db } from '../db/store.ts';

export interface AccountRow {
  id: string;
  name: string;
  plan: string;
  subscription: string;
  createdAt: number;
}

/** Every account, oldest first. */
export async function listAccounts(db: Db): Promise<AccountRow[]> {
  const rows = await db.selectFrom('accounts').selectAll().orderBy('created_at').orderBy('id').execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    plan: row.plan,
    subscription: row.subscription,
    createdAt: Number(row.created_at),
  }));
}

/** The ids of every account, oldest first. */
export async function listAccountIds(db: Db): Promise<string[]> {
  const rows = await db.selectFrom('accounts').select('id').orderBy('created_at').orderBy('id').execute();
  return rows.map(({ id }) => id);
}

export async function findAccountRow(db: Db, id: string) {
  return db
    .selectFrom('accounts')
    .select(['id', 'name', 'subscription', 'created_at'])
    .where('id', '=', id)
    .executeTakeFirst();
}

export async function insertAccount(db: Db, account: Insertable<AccountsTable>): Promise<void> {
  await db.insertInto('accounts').values(account).execute();
}

/** Makes an account unless there is one of this id. */
export async function ensureAccount(db: Db, account: Insertable<AccountsTable>): Promise<void> {
  await db
    .insertInto('accounts')
    .values(account)
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}

/** Changes what is given; undefined leaves a thing as it is. */
export async function updateAccount(
  db: Db,
  id: string,
  change: Pick<Updateable<AccountsTable>, 'name' | 'plan' | 'subscription' | 'cycle_anchor'>,
): Promise<void> {
  // Setting the id to itself keeps an empty change a valid statement.
  await db
    .updateTable('accounts')
    .set({ ...change, id })
    .where('id', '=', id)
    .execute();
}
