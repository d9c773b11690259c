import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../../test/store-harness.ts';
import { insertLine } from '../../../test/support/rows.ts';
import { sweepDeliveries } from '../../webhooks/retention.ts';
import { KEEP_CREDENTIALS_MS, keepKeys, restoreKeys } from './kept-keys.ts';

const LINE = 'line_1';
const NOW = 1_000_000;

forEachStore((open) => {
  let opened: TestStore;
  beforeEach(async () => {
    opened = await open();
    await insertLine(opened.store, 'test', 'acc_1', LINE);
  });
  afterEach(() => opened.close());

  const put = (kind: string, value: string) =>
    opened.store.db
      .insertInto('line_keys')
      .values({ line_id: LINE, kind, id: 'a', value: Buffer.from(value) })
      .execute();
  const clear = () => opened.store.db.deleteFrom('line_keys').where('line_id', '=', LINE).execute();
  const keep = (atMs: number) => opened.store.transaction((tx) => keepKeys(tx, LINE, atMs));
  const restore = (atMs: number) => opened.store.transaction((tx) => restoreKeys(tx, LINE, atMs));
  const rows = async (table: 'line_keys' | 'kept_keys') =>
    (await opened.store.db.selectFrom(table).select(['kind', 'value']).orderBy('kind').execute()).map(
      ({ kind, value }) => [kind, value.toString()],
    );

  test('without credentials nothing is kept: an unfinished pairing is no device', async () => {
    await put('pre-key', '1');
    await keep(NOW);
    expect(await rows('kept_keys')).toEqual([]);
    expect(await restore(NOW)).toBe(false);
    expect(await rows('line_keys')).toEqual([['pre-key', '1']]);
  });

  test('until the last moment they come back as they were, over what an unfinished pairing left', async () => {
    await put('creds', 'old');
    await put('session', 's');
    await keep(NOW);
    await clear();
    await put('pre-key', 'new');
    expect(await restore(NOW + KEEP_CREDENTIALS_MS - 1)).toBe(true);
    expect(await rows('line_keys')).toEqual([
      ['creds', 'old'],
      ['session', 's'],
    ]);
    expect(await rows('kept_keys')).toEqual([]);
  });

  test('a second logout after a restore keeps the first end', async () => {
    await put('creds', 'old');
    await keep(NOW);
    await clear();
    await restore(NOW + 1);
    await keep(NOW + 2);
    await clear();
    expect(await restore(NOW + KEEP_CREDENTIALS_MS)).toBe(false);
  });

  test('after 7 days they cannot be restored, and the next sweep deletes them; not one millisecond before', async () => {
    await put('creds', 'old');
    await keep(NOW);
    await clear();
    expect(await sweepDeliveries(opened.store, NOW + KEEP_CREDENTIALS_MS - 1)).toBe(true);
    expect(await rows('kept_keys')).toEqual([['creds', 'old']]);
    expect(await restore(NOW + KEEP_CREDENTIALS_MS)).toBe(false);
    expect(await sweepDeliveries(opened.store, NOW + KEEP_CREDENTIALS_MS)).toBe(true);
    expect(await rows('kept_keys')).toEqual([]);
  });
});
