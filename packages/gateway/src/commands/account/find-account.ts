import { findAccountRow } from '../../store/access/accounts.ts';
import type { Store } from '../../store/db/store.ts';
import { findTerms } from '../../store/sends/usage.ts';
import type { Account } from '../context.ts';

/** The account as it stands now; undefined when it does not exist. */
export async function findAccount(db: Store['db'], id: string): Promise<Account | undefined> {
  const [row, terms] = await Promise.all([findAccountRow(db, id), findTerms(db, id)]);
  if (!row || !terms) return undefined;
  return { id: row.id, name: row.name, subscription: row.subscription, createdAt: Number(row.created_at), ...terms };
}
