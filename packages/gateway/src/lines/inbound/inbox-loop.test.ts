import type { EngineEvent, EngineStore, InboxEntry } from '@ponte/engine';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../../test/store-harness.ts';
import { until } from '../../../test/support/until.ts';
import { createWebhookWorld, type WebhookWorld } from '../../../test/support/webhook-world.ts';
import { systemClock } from '../../core/clock.ts';
import { noLineMetrics } from '../../observe/line-metrics.ts';
import { silentLog } from '../../observe/logger.ts';
import { createEngineStore } from '../../store/engine/engine-store.ts';
import { pendingInbox } from '../../store/engine/inbox.ts';
import { InboxLoop } from './inbox-loop.ts';
import { KeptRows } from './kept-rows.ts';

const CHAT = '15550002222@s.whatsapp.net';

/** What the phone said, by the hash of its envelope. */
const said = (id: string): EngineEvent[] => [
  {
    type: 'message',
    message: {
      id,
      chat: { jid: CHAT },
      sender: { jid: CHAT },
      fromMe: false,
      isGroup: false,
      pushName: 'Alice',
      timestamp: 1_777_180_605,
      content: { kind: 'text', body: id },
      mentions: [],
      mentionsAll: false,
      mentionsMe: false,
      forwarded: false,
      viewOnce: false,
      proto: Buffer.from(id),
    },
  },
];

forEachStore((open) => {
  let opened: TestStore;
  let world: WebhookWorld;
  let engineStore: EngineStore;
  let loop: InboxLoop;
  let decode: (entry: InboxEntry) => Promise<EngineEvent[]>;
  let commits: number;
  let nudges: number;
  beforeEach(async () => {
    opened = await open();
    world = await createWebhookWorld(opened.store);
    commits = 0;
    nudges = 0;
    decode = async (entry) => (entry.kind === 'sealed' ? said(entry.hash) : []);
    const kept = new KeptRows();
    const { box, lineId } = world;
    engineStore = createEngineStore({
      ...{ store: opened.store, box, lineId, clock: systemClock },
      onKept: (row) => kept.put(row),
      onKeeping: (entry, place) => kept.keeping(entry, place),
    });
    loop = new InboxLoop({
      line: { id: lineId, accountId: world.accountId },
      ...{ store: opened.store, box, kept, clock: systemClock, log: silentLog, metrics: noLineMetrics },
      engine: { decode: (entry) => decode(entry) },
      nudge: () => {
        nudges += 1;
      },
      onGroups() {},
      onHistory() {},
      onSettings() {},
    });
    loop.start();
    await loop.drained(AbortSignal.timeout(10_000));
  });
  afterEach(async () => {
    await loop.stop();
    await opened.close();
  });

  const seal = async (hash: string): Promise<void> => {
    const keys = [{ kind: 'session', id: 'peer', value: Buffer.from(hash) }];
    const envelope = { hash, stanza: Buffer.from('s'), encIndex: 0, plaintext: Buffer.from('p') };
    await engineStore.commit(keys, envelope);
    commits += 1;
    loop.wake();
  };
  const events = async () =>
    (await opened.store.db.selectFrom('events').select('dedupe_key').orderBy('seq').execute()).map(
      (row) => row.dedupe_key.split(':')[2],
    );
  const waiting = () => pendingInbox(opened.store, world.box, world.lineId, 0, 10);

  test('everything that comes becomes an event once and in order, whoever takes it', async () => {
    const hashes = Array.from({ length: 40 }, (_, at) => `h${String(at).padStart(2, '0')}`);
    for (const hash of hashes.slice(0, 10)) await seal(hash);
    // A crowd: what is written while others are journaled waits for its turn.
    await Promise.all(hashes.slice(10, 30).map(seal));
    for (const hash of hashes.slice(30)) await seal(hash);
    await until('all are events', async () => (await events()).length === hashes.length);
    expect(await events()).toEqual(hashes);
    expect(await waiting()).toEqual([]);
    expect(commits).toBe(hashes.length);
    expect(nudges).toBeGreaterThan(0);
  });

  test('what cannot be journaled with its writing is sealed all the same, and becomes an event later', async () => {
    let failures = 0;
    decode = async (entry) => {
      failures += 1;
      if (failures === 1) throw new Error('not now');
      return entry.kind === 'sealed' ? said(entry.hash) : [];
    };
    await seal('late');
    await until('it is an event', async () => (await events()).length === 1);
    expect(await engineStore.findSealed('late')).toEqual({ plaintext: new Uint8Array(0) });
    expect((await engineStore.get('session', ['peer'])).get('peer')).toEqual(Buffer.from('late'));
    await seal('next');
    await until('the next one, too', async () => (await events()).length === 2);
  });

  test('what the journal refuses takes nothing of its sealing with it', async () => {
    // No event of the journal's: the database takes no null there.
    decode = async () => [{ ...said('x')[0], message: { ...said('x')[0] } } as unknown as EngineEvent];
    await seal('poison');
    expect((await engineStore.findSealed('poison'))?.plaintext).toEqual(Buffer.from('p'));
    decode = async (entry) => (entry.kind === 'sealed' ? said(entry.hash) : []);
    await seal('good');
    await until('the good one is an event', async () => (await events()).includes('good'));
    expect((await engineStore.get('session', ['peer'])).get('peer')).toEqual(Buffer.from('good'));
  });

  test('a redelivery that is refused by its hash journals nothing', async () => {
    await seal('once');
    await until('it is an event', async () => (await events()).length === 1);
    await expect(seal('once')).rejects.toThrow();
    await seal('other');
    await until('the other one is an event', async () => (await events()).length === 2);
    expect(await events()).toEqual(['once', 'other']);
  });
});
