import type { Clock } from '../core/clock.ts';
import { newAccountId } from '../core/ids.ts';
import type { Store } from '../store/db/store.ts';

export interface AccountRow {
  id: string;
  name: string;
  plan: string;
  subscription: string;
  createdAt: number;
}

const DEFAULT_ACCOUNT = 'default_account';

export async function listAccounts(db: Store['db']): Promise<AccountRow[]> {
  const rows = await db.selectFrom('accounts').selectAll().orderBy('created_at').orderBy('id').execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    plan: row.plan,
    subscription: row.subscription,
    createdAt: Number(row.created_at),
  }));
}

/**
 * The account that a self-hosted install works under; made by the first start, whichever process is
 * first. Answers its id.
 */
export async function ensureDefaultAccount(store: Store, clock: Clock): Promise<string> {
  return store.transaction(async (tx) => {
    const id = newAccountId();
    await tx.db
      .insertInto('settings')
      .values({ name: DEFAULT_ACCOUNT, value: id })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute();
    const row = await tx.db
      .selectFrom('settings')
      .select('value')
      .where('name', '=', DEFAULT_ACCOUNT)
      .executeTakeFirstOrThrow();
    await tx.db
      .insertInto('accounts')
      .values({ id: row.value, name: 'default', plan: 'unlimited', subscription: 'active', created_at: clock.now() })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
    return row.value;
  });
}
