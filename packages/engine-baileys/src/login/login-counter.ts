import type { KeyVault } from '../store/key-vault.ts';

const KIND = 'login-counter';
const ID = 'own';

/** How often these credentials have logged in, as far as it was kept. */
export async function readLoginCount(vault: KeyVault): Promise<number> {
  const stored = (await vault.get(KIND, [ID]))[ID];
  return typeof stored === 'number' && Number.isSafeInteger(stored) ? stored : 0;
}

/** What to store for this login. */
export const countedLogin = (login: number): { [KIND]: Record<string, number> } => ({ [KIND]: { [ID]: login } });
