import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { Store } from '../store/db/store.ts';
import { createSealedBox, type SealedBox, UnreadableError } from './sealed-box.ts';

/** The master key is not the one this database was made with. */
export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError';
}

/** Data keys by scope, wrapped by the master key. */
export interface KeyRing {
  /**
   * The box of a scope (`system`, or a line's id), its key made on first use. Throws
   * UnreadableError when the stored key does not open.
   */
  box(scope: string): Promise<SealedBox>;
  /**
   * HMAC-SHA-256 under a key that only this installation knows; for looking up secrets that are
   * never read back.
   */
  fingerprint(purpose: string, value: string): Buffer;
  /** Forgets a scope that was deleted. */
  forget(scope: string): void;
}

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
    const existing = await findWrapped(store, scope);
    if (existing) return createSealedBox(wrapping.open(existing, wrapAad(scope)));
    await store.db
      .insertInto('data_keys')
      .values({
        scope,
        master_key_id: masterKeyId,
        wrapped: wrapping.seal(randomBytes(32), wrapAad(scope)),
        created_at: clock.now(),
      })
      .onConflict((conflict) => conflict.column('scope').doNothing())
      .execute();
    // Another process may have been first: what is stored counts.
    const stored = await findWrapped(store, scope);
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

const findWrapped = async (store: Store, scope: string): Promise<Buffer | undefined> =>
  (await store.db.selectFrom('data_keys').select('wrapped').where('scope', '=', scope).executeTakeFirst())?.wrapped;

async function proveMasterKey(store: Store, masterKeyId: string): Promise<void> {
  await store.db
    .insertInto('settings')
    .values({ name: CHECK, value: masterKeyId })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute();
  const stored = await store.db.selectFrom('settings').select('value').where('name', '=', CHECK).executeTakeFirst();
  if (stored?.value === masterKeyId) return;
  throw new MasterKeyError(
    'the master key is not the one this database was encrypted with; give back the key it was first started with (MASTER_KEY, MASTER_KEY_FILE or DATA_DIR/master.key)',
  );
}
