import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../../test/store-harness.ts';
import { systemClock } from '../../core/clock.ts';
import { joinFleet, leaveFleet } from '../fleet/nodes.ts';
import { migrate, SchemaError } from './migrate.ts';
import { openStore } from './open.ts';

forEachStore((open) => {
  let opened: TestStore;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(() => opened.close());

  const put = (name: string, value: string) => ({ name, value });
  const names = async () =>
    (await opened.store.db.selectFrom('settings').select('name').orderBy('name').execute()).map((row) => row.name);

  test('a transaction that throws leaves nothing, and its onCommit work never runs', async () => {
    let ran = false;
    const failing = opened.store.transaction(async (tx) => {
      tx.onCommit(() => {
        ran = true;
      });
      await tx.db.insertInto('settings').values(put('a', '1')).execute();
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await names()).toEqual([]);
    expect(ran).toBe(false);
  });

  test('a step that fails takes back itself alone, and may be followed by others', async () => {
    const beside = opened.store.transaction(async (tx) => {
      await tx.db.insertInto('settings').values(put('beside', '1')).execute();
    });
    const answers = await opened.store.transaction(async (tx) => {
      await tx.db.insertInto('settings').values(put('before', '1')).execute();
      const failed = await tx.attempt(async () => {
        await tx.db.insertInto('settings').values(put('taken back', '1')).execute();
        await tx.db.insertInto('settings').values(put('before', '2')).execute();
      });
      const went = await tx.attempt(async () => {
        await tx.db.insertInto('settings').values(put('kept', '1')).execute();
      });
      return [failed?.error instanceof Error, went];
    });
    await beside;
    expect(answers).toEqual([true, undefined]);
    expect(await names()).toEqual(['before', 'beside', 'kept']);
    const undone = opened.store.transaction(async (tx) => {
      await tx.attempt(() => Promise.reject(new Error('a step')));
      await tx.attempt(async () => {
        await tx.db.insertInto('settings').values(put('with its member', '1')).execute();
      });
      throw new Error('the member');
    });
    const last = opened.store.transaction(async (tx) => {
      await tx.db.insertInto('settings').values(put('last', '1')).execute();
    });
    await expect(undone).rejects.toThrow('the member');
    await last;
    expect(await names()).toEqual(['before', 'beside', 'kept', 'last']);
  });

  test('onCommit work runs after the commit, when others can see the rows', async () => {
    const other = await opened.reopen();
    const seen = new Promise((resolve) => {
      void opened.store.transaction(async (tx) => {
        await tx.db.insertInto('settings').values(put('a', '1')).execute();
        tx.onCommit(() => resolve(other.db.selectFrom('settings').selectAll().execute()));
      }, 'normal');
    });
    expect(await seen).toEqual([put('a', '1')]);
  });

  test('onCommit work that throws is reported, and neither undoes nor repeats the transaction', async () => {
    const errors: string[] = [];
    const store = await openStore({
      url: opened.url,
      clock: systemClock,
      onError: (error) => void errors.push(error.message),
    });
    let runs = 0;
    try {
      const value = await store.transaction(async (tx) => {
        runs += 1;
        await tx.db.insertInto('settings').values(put('a', '1')).execute();
        tx.onCommit(() => {
          throw Object.assign(new Error('listener'), { code: 'SQLITE_BUSY' });
        });
        return 'done';
      });
      expect([value, runs, errors, await names()]).toEqual(['done', 1, ['listener'], ['a']]);
    } finally {
      await store.close();
    }
  });

  test('a transaction that does not end is reported', async () => {
    const errors: string[] = [];
    let fire = () => {};
    const clock = {
      ...systemClock,
      after(_ms: number, work: () => void) {
        fire = work;
        return () => {};
      },
    };
    const store = await openStore({ url: opened.url, clock, onError: (error) => void errors.push(error.message) });
    await store.transaction(async () => fire());
    await store.close();
    expect(errors).toEqual([expect.stringContaining('open for 30 seconds')]);
  });

  test('a query on a transaction that is over is refused', async () => {
    const db = await opened.store.transaction(async (tx) => tx.db);
    await expect(db.selectFrom('settings').selectAll().execute()).rejects.toThrow('that is over');
  });

  test('two processes that count in transactions lose no step', async () => {
    const other = await opened.reopen();
    await opened.store.db.insertInto('settings').values(put('n', '0')).execute();
    const step = (store: typeof other) =>
      store.transaction(async (tx) => {
        const query = tx.db.selectFrom('settings').select('value').where('name', '=', 'n');
        const row = await (store.engine === 'postgres' ? query.forUpdate() : query).executeTakeFirstOrThrow();
        await tx.db
          .updateTable('settings')
          .set({ value: String(Number(row.value) + 1) })
          .where('name', '=', 'n')
          .execute();
      });
    // One after another within each, interleaved between the two; SQLite is synchronous, so the
    // steps alternate.
    for (let i = 0; i < 20; i += 1) await Promise.all([step(opened.store), step(opened.store)]);
    await Promise.all(Array.from({ length: 10 }, () => step(other)));
    const row = await other.db.selectFrom('settings').select('value').executeTakeFirstOrThrow();
    expect(row.value).toBe('50');
  });

  test('text sorts by bytes, whatever the language of the server', async () => {
    const sorted = ['a:1', 'a;', 'aB', 'aa', 'b', 'é'];
    await opened.store.db
      .insertInto('settings')
      .values([...sorted].reverse().map((name) => put(name, '')))
      .execute();
    expect(await names()).toEqual(sorted);
  });

  test('text with a NUL character is stored', async () => {
    await opened.store.transaction((tx) => tx.db.insertInto('settings').values(put('a', 'x\0y')).execute());
    const { value } = await opened.store.db.selectFrom('settings').select('value').executeTakeFirstOrThrow();
    expect(value).toMatch(/^x[\0\ufffd]y$/u);
  });

  test('a breaking change waits until the nodes of a fleet are stopped; another one does not', async () => {
    if (opened.store.engine === 'sqlite') return;
    const node = { id: 'node_a', name: 'old-node', version: '1', weight: 1, masterKeyId: null };
    await joinFleet(opened.store, node, 60_000);
    const change = (name: string, breaking: boolean) => [{ name, breaking, up: async () => {} }];
    const now = systemClock.now;
    expect(await migrate(opened.store, now, change('800-harmless', false))).toEqual(['800-harmless']);
    await expect(migrate(opened.store, now, change('801-breaking', true))).rejects.toThrow('stop old-node first');
    await leaveFleet(opened.store, 'node_a');
    expect(await migrate(opened.store, now, change('801-breaking', true))).toEqual(['801-breaking']);
  });

  test('migrating again changes nothing; a newer breaking schema is refused', async () => {
    expect(await migrate(opened.store, systemClock.now)).toEqual([]);
    const db = opened.store.db as never as import('kysely').Kysely<{
      migrations: { name: string; breaking: number; applied_at: number };
    }>;
    await db.insertInto('migrations').values({ name: '900-harmless', breaking: 0, applied_at: 1 }).execute();
    expect(await migrate(opened.store, systemClock.now)).toEqual([]);
    await db.insertInto('migrations').values({ name: '999-later', breaking: 1, applied_at: 1 }).execute();
    await expect(migrate(opened.store, systemClock.now)).rejects.toThrow(SchemaError);
  });

  test('a long chain of transactions lets timers have their turn', async () => {
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
    }, 5);
    for (let count = 0; count < 5_000 && ticks < 3; count += 1) {
      await opened.store.transaction((tx) => tx.db.selectFrom('settings').selectAll().execute(), 'normal');
      if (opened.store.engine === 'sqlite') await opened.store.sqlite(() => {}, 'write');
    }
    clearInterval(timer);
    expect(ticks).toBeGreaterThanOrEqual(3);
  });
});
