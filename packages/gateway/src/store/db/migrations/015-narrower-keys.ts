import type { Kysely } from 'kysely';
import { runSchema } from '../dialect.ts';
import type { Migration } from './migration.ts';

/** Keys for some lines and some networks. Both: a JSON array; null = all. */
const STATEMENTS = `
alter table api_keys add column lines TEXT;
alter table api_keys add column networks TEXT
`;

interface Keys {
  api_keys: { id: string; mode: string; scopes: string };
}

/**
 * What a key could do until now, it goes on to do: the sandbox asked for no scope, and a bridge's
 * webhook was set by `lines:write`.
 */
export function widened(scopes: readonly string[], mode: string): readonly string[] {
  if (scopes.includes('*')) return scopes;
  const more = [
    ...(scopes.includes('lines:write') ? ['webhooks:write'] : []),
    ...(mode === 'test' && scopes.includes('messages:send') ? ['sandbox:read', 'sandbox:write'] : []),
  ];
  return [...new Set([...scopes, ...more])];
}

export const narrowerKeys: Migration = {
  name: '015-narrower-keys',
  // A version that knows nothing of these limits would let a limited key do everything.
  breaking: true,
  async up(db, engine) {
    await runSchema(db, engine, STATEMENTS);
    const keys = db as Kysely<Keys>;
    for (const { id, mode, scopes } of await keys.selectFrom('api_keys').select(['id', 'mode', 'scopes']).execute()) {
      const wide = JSON.stringify(widened(JSON.parse(scopes) as string[], mode));
      if (wide !== scopes) await keys.updateTable('api_keys').set({ scopes: wide }).where('id', '=', id).execute();
    }
  },
};
