import { type Db, prepare } from './database.ts';
import { ReadCache } from './read-cache.ts';

export type Settings = ReturnType<typeof createSettings>;

/**
 * Small per-account values by kind: `block` (PNs), `privacy` (category → value) … Bounded by what
 * the handlers accept.
 */
export function createSettings(db: Db, tenant: string) {
  const all = prepare<[string, string, string], { name: string; value: string }>(
    db,
    'select name, value from setting where tenant = ? and pn = ? and kind = ? order by name',
  );
  const one = prepare<[string, string, string, string], { value: string }>(
    db,
    'select value from setting where tenant = ? and pn = ? and kind = ? and name = ?',
  );
  const owner = prepare<[string, string, string, string], { pn: string }>(
    db,
    'select pn from setting where tenant = ? and kind = ? and name = ? and value = ? limit 1',
  );
  const put = prepare<unknown[]>(
    db,
    'insert or replace into setting (tenant, pn, kind, name, value) values (?,?,?,?,?)',
  );
  const drop = prepare<unknown[]>(db, 'delete from setting where tenant = ? and pn = ? and kind = ? and name = ?');
  const cache = new ReadCache(db);
  return {
    get: (pn: string, kind: string, name: string): string | undefined =>
      cache.get(`${pn} ${kind} ${name}`, () => one.get(tenant, pn, kind, name)?.value),
    /** The rows were changed past this object. */
    forget: (): void => cache.forget(),
    all: (pn: string, kind: string): { name: string; value: string }[] => all.all(tenant, pn, kind),
    /** Whose value this is; for kinds whose values are unique. */
    ownerOf: (kind: string, name: string, value: string): string | undefined =>
      owner.get(tenant, kind, name, value)?.pn,
    set(pn: string, kind: string, name: string, value: string | undefined): void {
      cache.forget();
      if (value === undefined) drop.run(tenant, pn, kind, name);
      else put.run(tenant, pn, kind, name, value);
    },
  };
}
