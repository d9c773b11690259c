import { EngineError, type EngineEvent } from '@ponte/engine';
import { expect, test } from 'vitest';
import type { Tx } from '../../store/db/store.ts';
import { RowsAlong } from './rows-along.ts';

const TX = {} as Tx;
const EVENT: EngineEvent = { type: 'settings.changed' };

function setUp() {
  const state = { isFree: true, journaled: [] as string[], told: [] as string[], decoding: async () => [EVENT] };
  const along = new RowsAlong<string>({
    isFree: () => state.isFree,
    decode: () => state.decoding(),
    journal: async (_tx, events, source) => {
      state.journaled.push(`${source}: ${events.length}`);
      return source;
    },
    tell: (source) => void state.told.push(source),
    onRefused: () => {},
  });
  const take = async (hash: string) => {
    const row = along.take({ kind: 'stanza', stanza: Buffer.of(1), tag: 'receipt' }, { hash, createdAt: 1 });
    await new Promise((resolve) => setImmediate(resolve));
    return row;
  };
  return { state, take };
}

test('rows that come one behind the other are all journaled with their writing, and told after it', async () => {
  const { state, take } = setUp();
  const [a, b] = [await take('a'), await take('b')];
  for (const row of [a, b]) {
    expect(row.isReady()).toBe(true);
    await row.journal(TX);
  }
  expect(state.told).toEqual([]);
  a.settled('journaled');
  b.settled('journaled');
  expect(state.journaled).toEqual(['inbox a: 1', 'inbox b: 1']);
  expect(state.told).toEqual(['inbox a', 'inbox b']);
});

test('what comes behind a row that waits, waits as well', async () => {
  const { take } = setUp();
  const [a, b] = [await take('a'), await take('b')];
  expect(a.isReady()).toBe(true);
  a.refused(new Error('the journal does not take it'));
  expect(b.isReady()).toBe(false);
  a.settled('waits');
  b.settled('waits');
  expect((await take('c')).isReady()).toBe(true);
});

test('a row that is not decoded in time, cannot be, or finds others waiting, waits', async () => {
  const { state, take } = setUp();
  state.decoding = () => new Promise(() => {});
  const slow = await take('slow');
  expect(slow.isReady()).toBe(false);
  slow.settled('waits');
  state.decoding = () => Promise.reject(new EngineError('unknown_message', 'a vote to a poll that is not known'));
  const odd = await take('odd');
  expect(odd.isReady()).toBe(false);
  odd.settled('waits');
  state.decoding = async () => [EVENT];
  const late = await take('late');
  state.isFree = false;
  expect(late.isReady()).toBe(false);
});

test('a transaction that is run again is judged again, and nothing is told of one that is lost', async () => {
  const { state, take } = setUp();
  const row = await take('a');
  row.isReady();
  await row.journal(TX);
  expect(row.isReady()).toBe(true);
  await row.journal(TX);
  row.settled('lost');
  expect(state.told).toEqual([]);
  expect((await take('b')).isReady()).toBe(true);
});
