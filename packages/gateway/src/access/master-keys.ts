import { createHash, hkdfSync } from 'node:crypto';
import { MasterKeyError } from '../crypto/key-ring.ts';
import { createSealedBox, type SealedBox, UnreadableError } from '../crypto/sealed-box.ts';
import { type DataKeyRow, listDataKeys } from '../store/access/data-keys.ts';
import { claimSetting, readSetting } from '../store/access/settings.ts';
import type { Db, Store } from '../store/db/store.ts';

/** The setting that names the master key under which new data keys are wrapped. */
export const CURRENT_MASTER = 'key_check';
/** `link:TARGET:OPENER`: the master key TARGET, wrapped by OPENER. */
export const LINK = 'link:';
/** `slot:ID`: the emergency key of this id, so that a rotation can give it the new master key. */
export const SLOT = 'slot:';
/** What fingerprints are derived from, once it is not the master key any more. */
export const FINGERPRINT_ROOT = 'fingerprint-root';

export interface MasterKey {
  id: string;
  bytes: Buffer;
  wrapping: SealedBox;
}

/** What is derived from 32 secret bytes for one purpose. */
export const deriveKey = (secret: Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), `ponte/${purpose}`, 32));

export const masterKeyOf = (bytes: Buffer): MasterKey => ({
  id: createHash('sha256').update(deriveKey(bytes, 'id')).digest('hex').slice(0, 16),
  bytes,
  wrapping: createSealedBox(deriveKey(bytes, 'wrap')),
});

const wrapAad = (scope: string): string => `data_keys|wrapped|${scope}`;

/** A key as it is stored under a master key. */
export const wrapKey = (by: MasterKey, scope: string, key: Buffer, now: number): DataKeyRow => ({
  scope,
  master_key_id: by.id,
  wrapped: by.wrapping.seal(key, wrapAad(scope)),
  created_at: now,
});

/** The master keys that can be opened with one of them. */
export interface MasterKeys {
  /** Undefined when nothing known leads to it. */
  find(db: Db, id: string): Promise<MasterKey | undefined>;
  /** The one that new data keys are wrapped by. Throws MasterKeyError when it cannot be opened. */
  current(db: Db): Promise<MasterKey>;
  /** Throws UnreadableError. */
  unwrap(db: Db, row: DataKeyRow): Promise<Buffer>;
}

/**
 * Begins with the keys that are held. While the master key is rotated, and for emergency keys,
 * stored links lead from one to the other, so that a process that was started with the old one
 * goes on.
 */
export function createMasterKeys(held: readonly MasterKey[]): MasterKeys {
  const known = new Map(held.map((key) => [key.id, key]));

  async function follow(db: Db): Promise<void> {
    const links = await listDataKeys(db, LINK);
    for (let found = true; found; ) {
      found = false;
      for (const link of links) {
        const opener = known.get(link.master_key_id);
        const target = link.scope.split(':')[1] ?? '';
        if (!opener || known.has(target)) continue;
        const key = masterKeyOf(opener.wrapping.open(link.wrapped, wrapAad(link.scope)));
        if (key.id !== target) throw new UnreadableError(`${link.scope} holds another key than it says`);
        known.set(target, key);
        found = true;
      }
    }
  }

  const find = async (db: Db, id: string): Promise<MasterKey | undefined> => {
    if (!known.has(id)) await follow(db);
    return known.get(id);
  };

  return {
    find,
    async current(db) {
      const id = await readSetting(db, CURRENT_MASTER);
      const key = id === undefined ? undefined : await find(db, id);
      if (key) return key;
      throw new MasterKeyError(
        'the master key is not the one this database was encrypted with; give back the key it was first started with, or the one it was rotated to (MASTER_KEY, MASTER_KEY_FILE, MASTER_KEY_COMMAND or DATA_DIR/master.key)',
      );
    },
    async unwrap(db, row) {
      const key = await find(db, row.master_key_id);
      if (!key) throw new UnreadableError(`${row.scope} is wrapped by a master key that is not known here`);
      return key.wrapping.open(row.wrapped, wrapAad(row.scope));
    },
  };
}

/** Proves a master key against the database; the first start stores the proof. */
export async function proveMasterKey(store: Store, held: MasterKey): Promise<MasterKeys> {
  await claimSetting(store.db, CURRENT_MASTER, held.id);
  const masters = createMasterKeys([held]);
  await masters.current(store.db);
  return masters;
}
