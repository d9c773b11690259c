import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { type KeyRing, MasterKeyError } from '../crypto/key-ring.ts';
import { createSealedBox, type SealedBox, UnreadableError } from '../crypto/sealed-box.ts';
import { findDataKey, insertDataKey } from '../store/access/data-keys.ts';
import { claimSetting, readSetting } from '../store/access/settings.ts';
import type { Store } from '../store/db/store.ts';

const MAX_CACHED = 5_000;
const CHECK = 'key_check';
const wrapAad = (scope: string) => `data_keys|wrapped|${scope}`;

/**
 * Opens the key ring, and proves the master key against the database: a wrong one is refused
 * (MasterKeyError) before anything is read or written. The first start stores the proof.
 */
export async function openKeyRing(options: { masterKey: Buffer; store: Store; clock: Clock }): Promise<KeyRing> {
  const { masterKey, store, clock } = options;
  const derive = (purpose: string) =>
    Buffer.from(hkdfSync('sha256', masterKey, Buffer.alloc(0), `ponte/${purpose}`, 32));
  const wrapping = createSealedBox(derive('wrap'));
  const masterKeyId = createHash('sha256').update(derive('id')).digest('hex').slice(0, 16);
  await proveMasterKey(store, masterKeyId);
  const boxes = new Map<string, Promise<SealedBox>>();
  const fingerprintKeys = new Map<string, Buffer>();

  async function load(scope: string): Promise<SealedBox> {
    const existing = await findDataKey(store.db, scope);
    if (existing) return createSealedBox(wrapping.open(existing, wrapAad(scope)));
    await insertDataKey(store.db, {
      scope,
      master_key_id: masterKeyId,
      wrapped: wrapping.seal(randomBytes(32), wrapAad(scope)),
      created_at: clock.now(),
    });
    // Another process may have been first: what is stored counts.
    const stored = await findDataKey(store.db, scope);
    if (!stored) throw new UnreadableError(`the data key of ${scope} vanished while it was made`);
    return createSealedBox(wrapping.open(stored, wrapAad(scope)));
  }

  return {
    box(scope) {
      const cached = boxes.get(scope);
      if (cached) return cached;
      const oldest = boxes.size >= MAX_CACHED ? boxes.keys().next().value : undefined;
      if (oldest !== undefined) boxes.delete(oldest);
      const box = load(scope);
      boxes.set(scope, box);
      box.catch(() => boxes.delete(scope));
      return box;
    },
    fingerprint(purpose, value) {
      let key = fingerprintKeys.get(purpose);
      if (!key) {
        key = derive(`fingerprint/${purpose}`);
        fingerprintKeys.set(purpose, key);
      }
      return createHmac('sha256', key).update(value).digest();
    },
    forget(scope) {
      boxes.delete(scope);
    },
  };
}

async function proveMasterKey(store: Store, masterKeyId: string): Promise<void> {
  await claimSetting(store.db, CHECK, masterKeyId);
  if ((await readSetting(store.db, CHECK)) === masterKeyId) return;
  throw new MasterKeyError(
    'the master key is not the one this database was encrypted with; give back the key it was first started with (MASTER_KEY, MASTER_KEY_FILE or DATA_DIR/master.key)',
  );
}
