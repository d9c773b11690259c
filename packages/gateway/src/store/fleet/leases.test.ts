import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openTestPostgres, type TestStore } from '../../../test/store-harness.ts';
import { insertLine } from '../../../test/support/rows.ts';
import { until } from '../../../test/support/until.ts';
import { fencedStore, StaleOwnerError } from './fenced-store.ts';
import { countLeases, makeLeases, ownerOf, releaseLeases, renewLeases, takeLeases, voidLease } from './leases.ts';
import { joinFleet, leaveFleet, liveNodes, setDraining } from './nodes.ts';

const TTL_MS = 15_000;
const ANY = { most: 10, freeForMs: 0, ttlMs: TTL_MS };

describe.runIf(process.env.TEST_DATABASE_URL)('leases on PostgreSQL', () => {
  let test_: TestStore;
  beforeEach(async () => {
    test_ = await openTestPostgres();
    for (const id of ['node_a', 'node_b']) {
      await joinFleet(test_.store, { id, name: id, version: '1', weight: 1, masterKeyId: null }, TTL_MS);
    }
  });
  afterEach(() => test_.close());

  async function lines(count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let i = 0; i < count; i++) ids.push((await insertLine(test_.store)).id);
    await makeLeases(test_.store);
    return ids.sort();
  }
  const take = (nodeId: string, most = 10) => takeLeases(test_.store, nodeId, { ...ANY, most });
  /** Its owner has not been heard of for long. */
  async function expire(lineId: string): Promise<void> {
    await test_.store.db.updateTable('line_leases').set({ expires_at: 1 }).where('line_id', '=', lineId).execute();
    await test_.store.db
      .updateTable('nodes')
      .set({ expires_at: Date.now() - 60_000 })
      .execute();
  }
  const fenced = (lineId: string, epoch: number, onStale = () => {}) =>
    fencedStore(test_.store, { lineId, nodeId: 'node_a', epoch }, onStale);
  const settings = () => test_.store.db.selectFrom('settings').select('name').where('name', 'like', 'w%').execute();
  const write = (name: string) => (tx: Parameters<Parameters<TestStore['store']['transaction']>[0]>[0]) =>
    tx.db.insertInto('settings').values({ name, value: '' }).execute();

  test('a line is one node’s at a time, with a number that grows at each taking', async () => {
    const [id = ''] = await lines(1);
    expect(await take('node_a')).toEqual([{ lineId: id, epoch: 1 }]);
    expect(await take('node_b')).toEqual([]);
    expect(await ownerOf(test_.store, id)).toEqual({ nodeId: 'node_a', epoch: 1 });
    await expire(id);
    expect(await ownerOf(test_.store, id)).toBeUndefined();
    expect(await take('node_b')).toEqual([{ lineId: id, epoch: 2 }]);
  });

  test('two that take at once share what there is, and no line goes to both', async () => {
    const ids = await lines(40);
    const other = await test_.reopen();
    const taken = await Promise.all([
      takeLeases(test_.store, 'node_a', { ...ANY, most: 30 }),
      takeLeases(other, 'node_b', { ...ANY, most: 30 }),
      takeLeases(other, 'node_b', { ...ANY, most: 30 }),
    ]);
    expect(
      taken
        .flat()
        .map(({ lineId }) => lineId)
        .sort(),
    ).toEqual(ids);
  });

  test('a renewal tells what is held, what ran out stays so, and what others hold is left alone', async () => {
    const [a = '', b = '', c = ''] = await lines(3);
    await take('node_a', 2);
    const held = (await renewLeases(test_.store, { id: 'node_a', lines: 2 }, TTL_MS)).owned;
    expect(held).toHaveLength(2);
    await expire(held[0]?.lineId ?? '');
    const view = await renewLeases(test_.store, { id: 'node_a', lines: 2 }, TTL_MS);
    expect(view.owned).toEqual([held[1]]);
    expect(await countLeases(test_.store)).toBe(3);
    expect(view.nodes.map(({ id, lines }) => [id, lines])).toEqual([['node_a', 2]]);
    // What it let run out is free for others although it is alive.
    expect((await take('node_b')).map(({ lineId }) => lineId)).toContain(held[0]?.lineId);
    expect([a, b, c]).toContain(held[1]?.lineId);
  });

  test('what is given back is free at once; an old number gives nothing back', async () => {
    const [id = ''] = await lines(1);
    await take('node_a');
    await releaseLeases(test_.store, 'node_a', [{ lineId: id, epoch: 0 }]);
    expect(await ownerOf(test_.store, id)).toBeDefined();
    await releaseLeases(test_.store, 'node_a', [{ lineId: id, epoch: 1 }]);
    expect(await takeLeases(test_.store, 'node_b', { ...ANY, freeForMs: 5_000 })).toEqual([]);
    expect(await take('node_b')).toEqual([{ lineId: id, epoch: 2 }]);
  });

  test('a line that is being deleted is nobody’s to take, and its lease goes with it', async () => {
    const [id = ''] = await lines(1);
    await test_.store.db.updateTable('lines').set({ deleted_at: 1 }).execute();
    expect(await take('node_a')).toEqual([]);
    await test_.store.db.deleteFrom('lines').where('id', '=', id).execute();
    expect(await test_.store.db.selectFrom('line_leases').selectAll().execute()).toEqual([]);
  });

  test('what a node held that nobody remembers is free', async () => {
    const [id = ''] = await lines(1);
    await take('node_a');
    await expire(id);
    await test_.store.db.updateTable('nodes').set({ expires_at: 1 }).where('id', '=', 'node_a').execute();
    await joinFleet(test_.store, { id: 'node_c', name: 'c', version: '1', weight: 1, masterKeyId: null }, TTL_MS);
    expect(await take('node_c')).toEqual([{ lineId: id, epoch: 2 }]);
  });

  test('nodes come, drain and go', async () => {
    expect(await setDraining(test_.store, 'node_a', true)).toBe(true);
    expect(await setDraining(test_.store, 'node_x', true)).toBe(false);
    await leaveFleet(test_.store, 'node_b');
    expect(await liveNodes(test_.store.db)).toEqual([
      { id: 'node_a', name: 'node_a', version: '1', weight: 1, isDraining: true, lines: 0, masterKeyId: null },
    ]);
  });

  describe('the fence', () => {
    test('lets the owner write, and nobody who was it once', async () => {
      const [id = ''] = await lines(1);
      await take('node_a');
      let stale = 0;
      const store = fenced(id, 1, () => {
        stale += 1;
      });
      await store.transaction(write('w1'));
      await expire(id);
      // No other node has taken the line yet, so this write does no harm.
      await store.transaction(write('w2'));
      await take('node_b');
      await expect(store.transaction(write('w3'))).rejects.toThrow(StaleOwnerError);
      expect(stale).toBe(1);
      expect((await settings()).map(({ name }) => name)).toEqual(['w1', 'w2']);
    });

    test('holds the line while a transaction is open, and lets its renewal pass', async () => {
      const [id = ''] = await lines(1);
      await take('node_a');
      const [begun, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const commit = fenced(id, 1).transaction(async (tx) => {
        await write('w1')(tx);
        begun.resolve();
        await end.promise;
      });
      await begun.promise;
      expect((await renewLeases(test_.store, { id: 'node_a', lines: 1 }, TTL_MS)).owned).toHaveLength(1);
      // It was a renewal that let it run out again: by now it would be free.
      await expire(id);
      expect(await take('node_b')).toEqual([]);
      end.resolve();
      await commit;
      await until('the line can be taken', async () => (await take('node_b')).length === 1);
      expect(await settings()).toHaveLength(1);
    });

    test('waits for a taker that is faster, and then finds the line gone', async () => {
      const [id = ''] = await lines(1);
      await take('node_a');
      await expire(id);
      const [taken, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      const other = await test_.reopen();
      const taking = other.transaction(async (tx) => {
        await tx.db.selectFrom('line_leases').selectAll().where('line_id', '=', id).forUpdate().execute();
        await tx.db.updateTable('line_leases').set({ node_id: 'node_b', epoch: 2 }).where('line_id', '=', id).execute();
        taken.resolve();
        await end.promise;
      });
      await taken.promise;
      const late = fenced(id, 1).transaction(write('w1'));
      late.catch(() => {});
      end.resolve();
      await taking;
      await expect(late).rejects.toThrow(StaleOwnerError);
      expect(await settings()).toEqual([]);
    });

    test('a right that was ended is over at once, and the next one has a number of its own', async () => {
      const [id = ''] = await lines(1);
      await take('node_a');
      await test_.store.transaction((tx) => voidLease(tx, id));
      await expect(fenced(id, 1).transaction(write('w1'))).rejects.toThrow(StaleOwnerError);
      expect((await renewLeases(test_.store, { id: 'node_a', lines: 1 }, TTL_MS)).owned).toEqual([]);
      expect(await take('node_b')).toEqual([{ lineId: id, epoch: 3 }]);
    });

    test('refuses to write outside a transaction; reading is free', async () => {
      const [id = ''] = await lines(1);
      const { db } = fenced(id, 1);
      expect(await db.selectFrom('lines').select('id').execute()).toHaveLength(1);
      await expect(db.deleteFrom('lines').execute()).rejects.toThrow('unfenced');
      await expect(db.updateTable('lines').set({ label: 'x' }).execute()).rejects.toThrow('unfenced');
      await expect(db.insertInto('settings').values({ name: 'w1', value: '' }).execute()).rejects.toThrow('unfenced');
    });
  });
});
