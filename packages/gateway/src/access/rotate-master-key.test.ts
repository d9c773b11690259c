import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../test/store-harness.ts';
import { systemClock } from '../core/clock.ts';
import { MasterKeyError } from '../crypto/key-ring.ts';
import type { Store } from '../store/db/store.ts';
import { masterKeyOf, wrapKey } from './master-keys.ts';
import { openKeyRing } from './open-key-ring.ts';
import { addEmergencyKey, removeEmergencyKeys, rotateMasterKey, settleMasterKeys } from './rotate-master-key.ts';

forEachStore((open) => {
  let opened: TestStore;
  const [from, to] = [randomBytes(32), randomBytes(32)];
  const clock = systemClock;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(() => opened.close());

  const ringOn = (store: Store, masterKey: Buffer) => openKeyRing({ masterKey, store, clock });
  const rotate = (onBatch?: () => void) => rotateMasterKey({ store: opened.store, clock }, { from, to }, onBatch);
  const settle = (key: Buffer) => settleMasterKeys({ store: opened.store, clock }, key);

  test('everything opens with the new key, the old one opens nothing, and API keys are known still', async () => {
    const before = await ringOn(opened.store, from);
    const sealed = (await before.box('line_1')).seal(Buffer.from('identity'), 'p');
    const print = before.fingerprint('api-key', 'wzb_test_x');
    expect(await rotate()).toEqual({ rewrapped: 2 });
    expect(await settle(to)).toBe(true);
    const after = await ringOn(opened.store, to);
    expect((await after.box('line_1')).open(sealed, 'p').toString()).toBe('identity');
    expect(after.fingerprint('api-key', 'wzb_test_x')).toEqual(print);
    await expect(ringOn(opened.store, from)).rejects.toThrow(MasterKeyError);
    // And once more: fingerprints stay what they were.
    const third = randomBytes(32);
    await rotateMasterKey({ store: opened.store, clock }, { from: to, to: third });
    await settle(third);
    expect((await ringOn(opened.store, third)).fingerprint('api-key', 'wzb_test_x')).toEqual(print);
  });

  test('a process that was started with the old key goes on: known lines, others, and new ones', async () => {
    const running = await ringOn(await opened.reopen(), from);
    const early = (await running.box('line_1')).seal(Buffer.from('a'), 'p');
    await (await ringOn(opened.store, from)).box('line_2');
    await rotate();
    const late = (await running.box('line_2')).seal(Buffer.from('b'), 'p');
    const fresh = (await running.box('line_3')).seal(Buffer.from('c'), 'p');
    // So does one that is started anew with it, before the server was restarted.
    expect((await (await ringOn(opened.store, from)).box('line_3')).open(fresh, 'p').toString()).toBe('c');
    expect(await settle(from)).toBe(false);
    expect(await settle(to)).toBe(true);
    const after = await ringOn(opened.store, to);
    for (const [scope, sealed, plain] of [
      ['line_1', early, 'a'],
      ['line_2', late, 'b'],
      ['line_3', fresh, 'c'],
    ] as const)
      expect((await after.box(scope)).open(sealed, 'p').toString()).toBe(plain);
  });

  test('cut off after any batch it goes on, with 10 000 records, and nothing is unreadable in between', async () => {
    const before = await ringOn(opened.store, from);
    const sealed = (await before.box('line_5')).seal(Buffer.from('x'), 'p');
    const master = masterKeyOf(from);
    for (let at = 0; at < 10_000; at += 500) {
      const rows = Array.from({ length: 500 }, (_, n) => wrapKey(master, `line_many_${at + n}`, randomBytes(32), at));
      await opened.store.db.insertInto('data_keys').values(rows).execute();
    }
    let batches = 0;
    for (const stopAt of [1, 7]) {
      batches = 0;
      const cut = rotate(() => {
        batches += 1;
        if (batches === stopAt) throw new Error('killed');
      });
      await expect(cut).rejects.toThrow('killed');
      for (const key of [from, to]) {
        const ring = await ringOn(opened.store, key);
        expect((await ring.box('line_5')).open(sealed, 'p').toString()).toBe('x');
        await ring.box('line_many_9999');
        await ring.box('line_many_0');
      }
    }
    const startedAt = performance.now();
    expect((await rotate()).rewrapped).toBeGreaterThan(5_000);
    expect(performance.now() - startedAt).toBeLessThan(60_000);
    await settle(to);
    const left = await opened.store.db.selectFrom('data_keys').select('master_key_id').distinct().execute();
    expect(left).toHaveLength(1);
  });

  test('an emergency key opens everything, after rotations too, until it is removed', async () => {
    const ring = await ringOn(opened.store, from);
    const sealed = (await ring.box('line_1')).seal(Buffer.from('identity'), 'p');
    const emergency = Buffer.from(await addEmergencyKey({ store: opened.store, clock }, from), 'hex');
    const opensAll = async () => {
      const opened_ = await ringOn(opened.store, emergency);
      expect((await opened_.box('line_1')).open(sealed, 'p').toString()).toBe('identity');
      expect(opened_.fingerprint('api-key', 'k')).toEqual(ring.fingerprint('api-key', 'k'));
    };
    await opensAll();
    await rotate();
    await opensAll();
    await settle(to);
    await opensAll();
    expect(await removeEmergencyKeys({ store: opened.store })).toBe(1);
    await expect(ringOn(opened.store, emergency)).rejects.toThrow(MasterKeyError);
    await expect(rotateMasterKey({ store: opened.store, clock }, { from: randomBytes(32), to })).rejects.toThrow(
      MasterKeyError,
    );
  });
});
