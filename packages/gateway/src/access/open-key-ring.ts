import { createHmac, randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/clock.ts';
import type { KeyRing } from '../crypto/key-ring.ts';
import { createSealedBox, type SealedBox, UnreadableError } from '../crypto/sealed-box.ts';
import { findDataKey, insertDataKey } from '../store/access/data-keys.ts';
import type { Store } from '../store/db/store.ts';
import { deriveKey, FINGERPRINT_ROOT, type MasterKeys, masterKeyOf, proveMasterKey, wrapKey } from './master-keys.ts';

const MAX_CACHED = 5_000;

/**
 * Opens the key ring, and proves the master key against the database: a wrong one is refused
 * (MasterKeyError) before anything is read or written. The first start stores the proof. A ring
 * that is open goes on through a rotation of the master key (`rotate-master-key.ts`).
 */
export async function openKeyRing(options: { masterKey: Buffer; store: Store; clock: Clock }): Promise<KeyRing> {
  const { store, clock } = options;
  const masters = await proveMasterKey(store, masterKeyOf(options.masterKey));
  const fingerprintRoot = await fingerprintRootOf(store, masters);
  const boxes = new LRUCache<string, Promise<SealedBox>>({ max: MAX_CACHED });
  const fingerprintKeys = new Map<string, Buffer>();

  async function load(scope: string): Promise<SealedBox> {
    const { db } = store;
    const existing = await findDataKey(db, scope);
    if (existing) return createSealedBox(await masters.unwrap(db, existing));
    await insertDataKey(db, wrapKey(await masters.current(db), scope, randomBytes(32), clock.now()));
    // Another process may have been first: what is stored counts.
    const stored = await findDataKey(db, scope);
    if (!stored) throw new UnreadableError(`the data key of ${scope} vanished while it was made`);
    return createSealedBox(await masters.unwrap(db, stored));
  }

  return {
    box(scope) {
      const cached = boxes.get(scope);
      if (cached) return cached;
      const box = load(scope);
      boxes.set(scope, box);
      box.catch(() => boxes.delete(scope));
      return box;
    },
    fingerprint(purpose, value) {
      let key = fingerprintKeys.get(purpose);
      if (!key) {
        key = deriveKey(fingerprintRoot, `fingerprint/${purpose}`);
        fingerprintKeys.set(purpose, key);
      }
      return createHmac('sha256', key).update(value).digest();
    },
    forget(scope) {
      boxes.delete(scope);
    },
  };
}

/**
 * API keys are known by fingerprints, which have to outlive the master key: after the first
 * rotation their root is stored like a data key. Until then it is the master key itself.
 */
async function fingerprintRootOf(store: Store, masters: MasterKeys): Promise<Buffer> {
  const stored = await findDataKey(store.db, FINGERPRINT_ROOT);
  return stored ? masters.unwrap(store.db, stored) : (await masters.current(store.db)).bytes;
}
