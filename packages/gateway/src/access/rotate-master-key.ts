import { randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import {
  deleteDataKeys,
  insertDataKey,
  listDataKeys,
  listDataKeysNotUnder,
  rewrapDataKey,
} from '../store/access/data-keys.ts';
import { readSetting, writeSetting } from '../store/access/settings.ts';
import type { Store } from '../store/db/store.ts';
import {
  CURRENT_MASTER,
  createMasterKeys,
  FINGERPRINT_ROOT,
  LINK,
  type MasterKey,
  type MasterKeys,
  masterKeyOf,
  proveMasterKey,
  SLOT,
  wrapKey,
} from './master-keys.ts';

interface Deps {
  store: Store;
  clock: Clock;
}

/** Rows of one transaction: a killed rotation loses at most so many, and others wait no longer. */
const BATCH = 500;
const linkScope = (target: MasterKey, opener: MasterKey): string => `${LINK}${target.id}:${opener.id}`;

/**
 * Wraps every data key by another master key, while the gateway runs; nothing is encrypted anew.
 * May be cut off anywhere and begun again with the same two keys. Until `settleMasterKeys` the old
 * key leads to the new one, so that processes that were started with it go on.
 */
export async function rotateMasterKey(
  { store, clock }: Deps,
  { from, to }: { from: Buffer; to: Buffer },
  onBatch: () => void = () => {},
): Promise<{ rewrapped: number }> {
  const next = masterKeyOf(to);
  await proveMasterKey(store, masterKeyOf(from));
  const masters = createMasterKeys([masterKeyOf(from), next]);
  await store.transaction(async ({ db }) => {
    const source = await masters.current(db);
    if (source.id === next.id) return;
    const now = clock.now();
    await insertDataKey(db, wrapKey(source, FINGERPRINT_ROOT, source.bytes, now));
    await insertDataKey(db, wrapKey(source, linkScope(next, source), next.bytes, now));
    await insertDataKey(db, wrapKey(next, linkScope(source, next), source.bytes, now));
  });
  let rewrapped = 0;
  for (;;) {
    rewrapped += await rewrapAll(store, masters, next, onBatch);
    const isDone = await store.transaction(async ({ db }) => {
      const left = await listDataKeysNotUnder(db, { masterKeyId: next.id, but: LINK, limit: 1 });
      if (left.length > 0) return false;
      await writeSetting(db, CURRENT_MASTER, next.id);
      // Who holds an emergency key opens the new master key from here on, too.
      for (const slot of await listDataKeys(db, SLOT)) {
        const emergency = masterKeyOf(await masters.unwrap(db, slot));
        await insertDataKey(db, wrapKey(emergency, linkScope(next, emergency), next.bytes, clock.now()));
      }
      return true;
    });
    if (isDone) return { rewrapped };
  }
}

async function rewrapAll(store: Store, masters: MasterKeys, next: MasterKey, onBatch: () => void): Promise<number> {
  let count = 0;
  for (;;) {
    const done = await store.transaction(async ({ db }) => {
      const rows = await listDataKeysNotUnder(db, { masterKeyId: next.id, but: LINK, limit: BATCH });
      for (const row of rows) {
        const { wrapped } = wrapKey(next, row.scope, await masters.unwrap(db, row), row.created_at);
        await rewrapDataKey(db, { scope: row.scope, from: row.master_key_id, to: next.id, wrapped });
      }
      return rows.length;
    });
    count += done;
    onBatch();
    if (done < BATCH) return count;
  }
}

/**
 * Ends a rotation once no process runs with the old key any more: called by a start that holds the
 * gateway's lock. From then on the old key opens nothing. False: this process itself was started
 * with another key than the present one.
 */
export async function settleMasterKeys({ store }: Deps, held: Buffer): Promise<boolean> {
  const own = masterKeyOf(held);
  if ((await readSetting(store.db, CURRENT_MASTER)) !== own.id) return false;
  const links = await listDataKeys(store.db, LINK);
  if (links.length === 0) return true;
  const masters = createMasterKeys([own]);
  // A process with the old key may have made a line's key while the rotation ended.
  await rewrapAll(store, masters, own, () => {});
  const slots = (await listDataKeys(store.db, SLOT)).map(({ scope }) => scope.slice(SLOT.length));
  const isKept = ({ scope, master_key_id }: { scope: string; master_key_id: string }) =>
    slots.includes(master_key_id) && scope.startsWith(`${LINK}${own.id}:`);
  await deleteDataKeys(
    store.db,
    links.filter((link) => !isKept(link)).map(({ scope }) => scope),
  );
  return true;
}

/**
 * A second key that opens everything, for the day when the first one is lost: to be kept offline.
 * The answer is its only copy. Survives rotations.
 */
export async function addEmergencyKey({ store, clock }: Deps, held: Buffer): Promise<string> {
  const masters = await proveMasterKey(store, masterKeyOf(held));
  const emergency = masterKeyOf(randomBytes(32));
  await store.transaction(async ({ db }) => {
    const current = await masters.current(db);
    await insertDataKey(db, wrapKey(current, SLOT + emergency.id, emergency.bytes, clock.now()));
    await insertDataKey(db, wrapKey(emergency, linkScope(current, emergency), current.bytes, clock.now()));
  });
  return emergency.bytes.toString('hex');
}

/** Makes every emergency key worthless; answers how many there were. */
export async function removeEmergencyKeys({ store }: Pick<Deps, 'store'>): Promise<number> {
  return store.transaction(async ({ db }) => {
    const slots = await listDataKeys(db, SLOT);
    const ids = slots.map(({ scope }) => scope.slice(SLOT.length));
    const links = (await listDataKeys(db, LINK)).filter((link) => ids.includes(link.master_key_id));
    await deleteDataKeys(
      db,
      [...slots, ...links].map(({ scope }) => scope),
    );
    return slots.length;
  });
}
