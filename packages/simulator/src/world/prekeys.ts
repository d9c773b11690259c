import { type Db, prepare } from './database.ts';

/**
 * WhatsApp's own limit is not public; a client uploads 812 at first (Baileys
 * `INITIAL_PREKEY_COUNT`).
 */
const PREKEYS_PER_DEVICE_MAX = 2000;

export interface PreKey {
  id: number;
  key: Uint8Array;
}

export type PreKeys = ReturnType<typeof createPreKeys>;

/** One-time pre-keys on the server: each is handed out once, oldest first. */
export function createPreKeys(db: Db, tenant: string) {
  const upsert = prepare<unknown[]>(
    db,
    'insert or replace into prekey (tenant, pn, device, id, key) values (?,?,?,?,?)',
  );
  const count = prepare<[string, string, number], { n: number }>(
    db,
    'select count(*) as n from prekey where tenant = ? and pn = ? and device = ?',
  );
  const first = prepare<[string, string, number], { id: number; key: Buffer }>(
    db,
    'select id, key from prekey where tenant = ? and pn = ? and device = ? order by id limit 1',
  );
  const ids = prepare<[string, string, number], { id: number }>(
    db,
    'select id from prekey where tenant = ? and pn = ? and device = ? order by id',
  );
  const remove = prepare<unknown[]>(db, 'delete from prekey where tenant = ? and pn = ? and device = ? and id = ?');
  const trim = prepare<unknown[]>(
    db,
    `delete from prekey where tenant = ? and pn = ? and device = ? and id not in
     (select id from prekey where tenant = ? and pn = ? and device = ? order by id desc limit ?)`,
  );
  return {
    /** Adds keys; beyond the limit the oldest go. */
    add(pn: string, device: number, keys: PreKey[]): void {
      for (const { id, key } of keys) upsert.run(tenant, pn, device, id, key);
      const held = count.get(tenant, pn, device)?.n ?? 0;
      if (held > PREKEYS_PER_DEVICE_MAX) trim.run(tenant, pn, device, tenant, pn, device, PREKEYS_PER_DEVICE_MAX);
    },
    count: (pn: string, device: number): number => count.get(tenant, pn, device)?.n ?? 0,
    ids: (pn: string, device: number): number[] => ids.all(tenant, pn, device).map((row) => row.id),
    /** Takes one key away for good. Undefined when none is left. */
    take(pn: string, device: number): PreKey | undefined {
      const row = first.get(tenant, pn, device);
      if (row) remove.run(tenant, pn, device, row.id);
      return row;
    },
  };
}
