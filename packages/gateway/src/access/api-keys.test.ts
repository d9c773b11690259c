import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { forEachStore, type TestStore } from '../../test/store-harness.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import { isApiKey } from '../core/key-format.ts';
import { silentLog } from '../observe/logger.ts';
import { listAccounts } from '../store/access/accounts.ts';
import { ensureDefaultAccount } from './accounts.ts';
import { type ApiKeys, createApiKeys } from './api-keys.ts';
import { openKeyRing } from './open-key-ring.ts';

forEachStore((open) => {
  let opened: TestStore;
  let keys: ApiKeys;
  let other: ApiKeys;
  let accountId: string;
  let now: number;
  const clock: Clock = { ...systemClock, now: () => now, monotonic: () => now };

  beforeEach(async () => {
    now = 1_800_000_000_000;
    opened = await open();
    const masterKey = randomBytes(32);
    const make = async (store: TestStore['store']) =>
      createApiKeys({ store, ring: await openKeyRing({ masterKey, store, clock }), clock, log: silentLog });
    keys = await make(opened.store);
    other = await make(await opened.reopen());
    accountId = await ensureDefaultAccount(opened.store, clock);
  });
  afterEach(() => opened.close());

  test('the default account is made once', async () => {
    expect(await ensureDefaultAccount(opened.store, clock)).toBe(accountId);
    expect((await listAccounts(opened.store.db)).map((a) => a.id)).toEqual([accountId]);
  });

  test('a key is known by its holder, in every process, and stands nowhere in the database', async () => {
    const { key, id } = await keys.create({ accountId, mode: 'test', name: 'mine', scopes: ['lines:read'] });
    expect(key).toMatch(/^wzb_test_[0-9A-Za-z]{38}$/);
    const holder = { keyId: id, keyName: 'mine', accountId, mode: 'test', scopes: ['lines:read'] };
    expect(await keys.authenticate(key)).toMatchObject(holder);
    expect(await other.authenticate(key)).toMatchObject(holder);
    const rows = JSON.stringify(await opened.store.db.selectFrom('api_keys').selectAll().execute());
    expect(rows).not.toContain(key.slice(9, -4));
  });

  test('a mistyped key is refused without asking the database', async () => {
    const { key } = await keys.create({ accountId, mode: 'live', name: 'mine' });
    for (let i = 9; i < key.length; i += 1) {
      const typo = key.slice(0, i) + (key[i] === 'a' ? 'b' : 'a') + key.slice(i + 1);
      expect(isApiKey(typo)).toBe(false);
    }
    await opened.close();
    expect(await keys.authenticate(`${key.slice(0, -1)}!`)).toBeUndefined();
    expect(await keys.authenticate('')).toBeUndefined();
    opened = await open();
  });

  test('a revoked key fails everywhere within a second', async () => {
    const { key, id } = await keys.create({ accountId, mode: 'test', name: 'mine' });
    expect(await other.authenticate(key)).toBeDefined();
    expect(await keys.revoke(id)).toBe(true);
    expect(await keys.authenticate(key)).toBeUndefined();
    now += 1_000;
    expect(await other.authenticate(key)).toBeUndefined();
    expect(await keys.revoke('key_nobody')).toBe(false);
  });

  test('an expired key fails, a rotated one works until its grace is over', async () => {
    const soon = await keys.create({ accountId, mode: 'test', name: 'soon', expiresAt: now + 5_000 });
    const old = await keys.create({ accountId, mode: 'test', name: 'old' });
    const next = await keys.rotate(old.id, 60_000);
    expect(await keys.authenticate(next?.key ?? '')).toMatchObject({ keyName: 'old' });
    expect(await keys.authenticate(old.key)).toBeDefined();
    now += 10_000;
    expect(await keys.authenticate(soon.key)).toBeUndefined();
    expect(await keys.authenticate(old.key)).toBeDefined();
    now += 60_000;
    expect(await keys.authenticate(old.key)).toBeUndefined();
    expect(await keys.authenticate(next?.key ?? '')).toBeDefined();
  });

  test('of two rotations at once one succeeds, and a key that is over has no successor', async () => {
    const { id } = await keys.create({ accountId, mode: 'test', name: 'mine' });
    const both = await Promise.all([keys.rotate(id, 1_000), other.rotate(id, 1_000)]);
    expect(both.filter((made) => made !== undefined)).toHaveLength(1);
    expect(await keys.list(accountId)).toHaveLength(2);
    const expired = await keys.create({ accountId, mode: 'test', name: 'old', expiresAt: now + 1 });
    now += 1;
    expect(await keys.rotate(expired.id, 1_000)).toBeUndefined();
  });

  test('the last use is noted, at most once a minute', async () => {
    const { key } = await keys.create({ accountId, mode: 'test', name: 'mine' });
    const lastUsed = async () => (await keys.list(accountId))[0]?.lastUsedAt ?? null;
    const noted = (at: number) => vi.waitFor(async () => expect(await lastUsed()).toBe(at));
    const first = now;
    await keys.authenticate(key);
    await noted(first);
    now += 59_000;
    await keys.authenticate(key);
    expect(await lastUsed()).toBe(first);
    now += 1_000;
    await keys.authenticate(key);
    await noted(first + 60_000);
  });
});
