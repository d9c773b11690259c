import type { Insertable, Updateable } from 'kysely';
import type { ContentsState } from '../../core/contents.ts';
import { hot } from '../db/hot.ts';
import type { AccountsTable } from '../db/schema.ts';
import type { Db } from '../db/store.ts';
import { type AccountTerms, type TermsRow, toTerms } from '../sends/usage.ts';

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

interface StandingRow extends TermsRow {
  id: string;
  name: string;
  subscription: string;
  created_at: number;
  contents: ContentsState;
}

const readStanding = hot<[string], StandingRow>(
  `select a.id, a.name, a.subscription, a.created_at, a.contents, a.plan, a.cycle_anchor,
    p.name as known, p.sent_messages, p.webhook_events, p.lines
  from accounts a left join plans p on p.name = a.plan
  where a.id = ?`,
);

export interface AccountStanding extends AccountTerms {
  id: string;
  name: string;
  subscription: string;
  createdAt: number;
  contents: ContentsState;
}

/** An account with its plan, as they stand now: every request asks for it. */
export async function findAccountStanding(db: Db, id: string): Promise<AccountStanding | undefined> {
  const row = await readStanding.first(db, id);
  if (!row) return undefined;
  const { name, subscription, contents, created_at: createdAt } = row;
  return { id: row.id, name, subscription, contents, createdAt: Number(createdAt), ...toTerms(row) };
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
