import { findAccountStanding } from '../../store/access/accounts.ts';
import type { Store } from '../../store/db/store.ts';
import type { Account } from '../context.ts';

/** The account as it stands now; undefined when it does not exist. */
export async function findAccount(db: Store['db'], id: string): Promise<Account | undefined> {
  return findAccountStanding(db, id);
}
