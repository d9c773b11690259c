import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type Db, openDatabase } from './database.ts';
import type { Life } from './phone-store.ts';
import { phoneStore } from './phone-store.ts';
import { createQueue } from './queue.ts';
import { sharedCommit } from './shared-commit.ts';

const PN = '15550001111';
const LIVING: Life = { isOver: false };
const bytes = (text: string) => Buffer.from(text);
const message = (id: string) => ({ tag: 'message', attrs: { id } });
const clearAll = { pushedSeq: Number.MAX_SAFE_INTEGER, all: true };

/** A database file, and what a second connection finds there. */
function opened(): { db: Db; file: string; elsewhere: () => ReturnType<typeof look> } {
  const folder = mkdtempSync(join(tmpdir(), 'commit-'));
  const file = join(folder, 'world.db');
  const db = openDatabase(file);
  const other = openDatabase(file);
  onTestFinished(() => {
    for (const one of [db, other]) one.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { db, file, elsewhere: () => look(other) };
}

function look(db: Db) {
  const state = db.prepare('select kind, id, value from phone_state order by kind, id').all() as {
    kind: string;
    id: string;
    value: Buffer;
  }[];
  const queue = db.prepare('select id from queue order by seq').all() as { id: string }[];
  return { state: state.map((row) => `${row.kind}/${row.id}=${row.value}`), queue: queue.map(({ id }) => id) };
}

test('what was written is committed before those who wait for it are told, in their order', async () => {
  const { db, elsewhere } = opened();
  const store = phoneStore(db, 't', PN, LIVING);
  const queue = createQueue(db, 't');
  const commit = sharedCommit(db);
  const told: unknown[] = [];
  store.set('k', 'a', bytes('1'));
  queue.add(PN, 0, 'message', '', message('M1'));
  commit.afterCommit(() => told.push(['first', elsewhere()]));
  commit.afterCommit(() => told.push('second'));
  expect(store.get('k', 'a')?.toString()).toBe('1');
  expect([told, elsewhere()]).toEqual([[], { state: [], queue: [] }]);
  await commit.settled();
  expect(told).toEqual([['first', { state: ['k/a=1'], queue: ['M1'] }], 'second']);
});

test('whoever is told and writes is followed by those behind him only after that commit', async () => {
  const { db, elsewhere } = opened();
  const store = phoneStore(db, 't', PN, LIVING);
  const commit = sharedCommit(db);
  let seen: unknown;
  commit.afterCommit(() => store.set('k', 'late', bytes('1')));
  commit.afterCommit(() => {
    seen = elsewhere().state;
  });
  await commit.settled();
  expect(seen).toEqual(['k/late=1']);
});

test('mail that is taken in the turn that brought it never sees the database', async () => {
  const { db, elsewhere } = opened();
  const queue = createQueue(db, 't');
  queue.add(PN, 0, 'message', '', message('M1'));
  queue.add(PN, 0, 'message', '', message('M2'));
  expect(queue.clear(PN, 0, 'message', 'M1', clearAll)).toBe(1);
  expect(queue.clear(PN, 0, 'message', 'M1', clearAll)).toBe(0);
  await sharedCommit(db).settled();
  expect(elsewhere().queue).toEqual(['M2']);
  expect(queue.clear(PN, 0, 'message', 'M2', clearAll)).toBe(1);
  await sharedCommit(db).settled();
  expect(elsewhere().queue).toEqual([]);
});

test('work that fails takes back exactly its own, also what was put into the database meanwhile', async () => {
  const { db, elsewhere } = opened();
  const store = phoneStore(db, 't', PN, LIVING);
  const queue = createQueue(db, 't');
  const commit = sharedCommit(db);
  store.set('k', 'kept', bytes('before'));
  queue.add(PN, 0, 'message', '', message('KEPT'));
  const fails = () =>
    store.transaction(() => {
      store.set('k', 'kept', bytes('changed'));
      store.set('k', 'new', bytes('1'));
      store.transaction(() => store.set('k', 'inner', bytes('1')));
      queue.clear(PN, 0, 'message', 'KEPT', clearAll);
      queue.add(PN, 0, 'message', '', message('NEW'));
      // Both look into the database, and so put there what is only in memory.
      expect(store.list('k').map(({ id }) => id)).toEqual(['inner', 'kept', 'new']);
      expect(queue.counts(PN, 0)).toEqual({ message: 1 });
      throw new Error('no');
    });
  expect(fails).toThrow('no');
  expect(store.get('k', 'kept')?.toString()).toBe('before');
  expect(store.get('k', 'new')).toBeUndefined();
  await commit.settled();
  expect(elsewhere()).toEqual({ state: ['k/kept=before'], queue: ['KEPT'] });
  expect(queue.isFull(PN, 0)).toBe(false);
  expect(queue.next(PN, 0, 0, 10).map(({ node }) => node.attrs.id)).toEqual(['KEPT']);
});

test('a turn that cannot be committed is told to nobody, and leaves nothing', async () => {
  const { db, elsewhere } = opened();
  const store = phoneStore(db, 't', PN, LIVING);
  const commit = sharedCommit(db);
  const causes: unknown[] = [];
  commit.onFailed = (cause) => causes.push(cause);
  store.set('k', 'a', bytes('1'));
  let wasTold = false;
  commit.afterCommit(() => {
    wasTold = true;
  });
  commit.writeLater(() => {
    throw new Error('the disk is full');
  });
  await expect(commit.settled()).rejects.toThrow('could not be written');
  expect([causes.length, wasTold, elsewhere().state]).toEqual([1, false, []]);
  store.set('k', 'b', bytes('1'));
  await commit.settled();
  expect(elsewhere().state).toEqual(['k/b=1']);
});
