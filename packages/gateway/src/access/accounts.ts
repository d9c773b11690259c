import type { Clock } from '../core/clock.ts';
import { newAccountId } from '../core/ids.ts';
import { ensureAccount } from '../store/access/accounts.ts';
import { claimSetting, readSetting } from '../store/access/settings.ts';
import type { Store } from '../store/db/store.ts';

const DEFAULT_ACCOUNT = 'default_account';

/**
 * The account that a self-hosted install works under; made by the first start, whichever process is
 * first. Answers its id.
 */
export async function ensureDefaultAccount(store: Store, clock: Clock): Promise<string> {
  return store.transaction(async (tx) => {
    await claimSetting(tx.db, DEFAULT_ACCOUNT, newAccountId());
    const id = await readSetting(tx.db, DEFAULT_ACCOUNT);
    if (id === undefined) throw new Error('the default account vanished while it was made');
    const createdAt = clock.now();
    await ensureAccount(tx.db, {
      id,
      name: 'default',
      plan: 'unlimited',
      subscription: 'active',
      created_at: createdAt,
    });
    return id;
  });
}
