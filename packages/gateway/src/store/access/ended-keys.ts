import type { Kysely } from 'kysely';
import type { Database } from '../db/schema.ts';

/** Why a key counts no more. */
export type KeyEnd = 'unauthorized' | 'subscription_required';

/**
 * Which of these keys are over: revoked, expired or deleted, or their account's subscription is not
 * active. Asks the database, not a cache.
 */
export async function endedKeys(
  db: Kysely<Database>,
  keyIds: readonly string[],
  now: number,
): Promise<Map<string, KeyEnd>> {
  const rows = await db
    .selectFrom('api_keys as k')
    .innerJoin('accounts as a', 'a.id', 'k.account_id')
    .select(['k.id', 'a.subscription'])
    .where('k.id', 'in', keyIds)
    .where((eb) => eb.or([eb('k.revoked_at', 'is', null), eb('k.revoked_at', '>', now)]))
    .where((eb) => eb.or([eb('k.expires_at', 'is', null), eb('k.expires_at', '>', now)]))
    .execute();
  const valid = new Map(rows.map((row) => [row.id, row.subscription]));
  return new Map(
    keyIds.flatMap((id): [string, KeyEnd][] => {
      const subscription = valid.get(id);
      if (subscription === undefined) return [[id, 'unauthorized']];
      return subscription === 'active' ? [] : [[id, 'subscription_required']];
    }),
  );
}
