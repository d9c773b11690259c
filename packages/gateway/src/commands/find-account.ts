import type { Store } from '../store/store.ts';
import type { Account } from './context.ts';

/** The account as it stands now; undefined when it does not exist. */
export async function findAccount(db: Store['db'], id: string): Promise<Account | undefined> {
  const row = await db
    .selectFrom('accounts')
    .select(['id', 'name', 'plan', 'subscription', 'created_at'])
    .where('id', '=', id)
    .executeTakeFirst();
  return (
    row && {
      id: row.id,
      name: row.name,
      plan: row.plan,
      subscription: row.subscription,
      createdAt: Number(row.created_at),
    }
  );
}
