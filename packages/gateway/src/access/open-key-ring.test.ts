import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../test/store-harness.ts';
import { systemClock } from '../core/clock.ts';
import { MasterKeyError } from '../crypto/key-ring.ts';
import { createSealedBox, UnreadableError } from '../crypto/sealed-box.ts';
import { openKeyRing } from './open-key-ring.ts';

test('a sealed record opens in its own place only, and not after a change of any byte', () => {
  const box = createSealedBox(randomBytes(32));
  const sealed = box.seal(Buffer.from('secret'), 'lines|key|a');
  expect(box.open(sealed, 'lines|key|a').toString()).toBe('secret');
  expect(() => box.open(sealed, 'lines|key|b')).toThrow(UnreadableError);
  for (let i = 0; i < sealed.length; i += 1) {
    const changed = Buffer.from(sealed);
    changed[i] = (changed[i] ?? 0) ^ 1;
    expect(() => box.open(changed, 'lines|key|a')).toThrow(UnreadableError);
  }
  expect(() => box.open(Buffer.alloc(5), 'x')).toThrow(UnreadableError);
});

forEachStore((open) => {
  let opened: TestStore;
  const masterKey = randomBytes(32);
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(() => opened.close());

  const ringOn = (store: TestStore['store'], key = masterKey) =>
    openKeyRing({ masterKey: key, store, clock: systemClock });

  test('another process with the same master key reads what this one sealed', async () => {
    const [mine, theirs] = [await ringOn(opened.store), await ringOn(await opened.reopen())];
    const [a, b] = await Promise.all([mine.box('line_1'), theirs.box('line_1')]);
    expect(b.open(a.seal(Buffer.from('x'), 'p'), 'p').toString()).toBe('x');
    const other = await mine.box('line_2');
    expect(() => other.open(a.seal(Buffer.from('x'), 'p'), 'p')).toThrow(UnreadableError);
  });

  test('a wrong master key is refused before anything is read', async () => {
    await ringOn(opened.store);
    await expect(ringOn(opened.store, randomBytes(32))).rejects.toThrow(MasterKeyError);
  });

  test('a wrapped key moved to another scope does not open', async () => {
    const ring = await ringOn(opened.store);
    await ring.box('line_1');
    await opened.store.db.updateTable('data_keys').set({ scope: 'line_9' }).execute();
    await expect((await ringOn(opened.store)).box('line_9')).rejects.toThrow(UnreadableError);
  });
});
