import { randomBytes } from 'node:crypto';
import type { EngineStore } from '@ponte/engine';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { forEachStore, type TestStore } from '../../../test/store-harness.ts';
import { insertLine } from '../../../test/support/rows.ts';
import { systemClock } from '../../core/clock.ts';
import { createSealedBox, UnreadableError } from '../../crypto/sealed-box.ts';
import { createEngineStore } from './engine-store.ts';
import { closeInbox, pendingInbox, sweepTombstones, TOMBSTONE_MS } from './inbox.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const envelope = (hash: string) => ({
  hash,
  stanza: bytes(`stanza ${hash}`),
  encIndex: 1,
  plaintext: bytes(`plain ${hash}`),
});

forEachStore((open) => {
  let opened: TestStore;
  const box = createSealedBox(randomBytes(32));
  let engineStore: EngineStore;
  beforeEach(async () => {
    opened = await open();
    for (const id of ['line_1', 'line_2']) await insertLine(opened.store, 'test', 'acc_1', id);
    engineStore = createEngineStore({ store: opened.store, box, lineId: 'line_1', clock: systemClock });
  });
  afterEach(() => opened.close());

  test('keys are read back as they were written, and not by another line', async () => {
    await engineStore.commit([
      { kind: 'session', id: 'a', value: bytes('1') },
      { kind: 'session', id: 'b', value: bytes('2') },
      { kind: 'session', id: 'a', value: bytes('3') },
    ]);
    await engineStore.commit([{ kind: 'session', id: 'b', value: null }]);
    expect([...(await engineStore.get('session', ['a', 'b', 'c']))]).toEqual([['a', Buffer.from('3')]]);
    expect([...(await engineStore.list('session')).keys()]).toEqual(['a']);
    const other = createEngineStore({ store: opened.store, box, lineId: 'line_2', clock: systemClock });
    expect((await other.get('session', ['a'])).size).toBe(0);
  });

  test('no key stands in clear in the database, and one moved to another row does not open', async () => {
    await engineStore.commit([{ kind: 'creds', id: 'me', value: bytes('canary-identity-key') }], envelope('h1'));
    const dump = JSON.stringify(
      [
        await opened.store.db.selectFrom('line_keys').selectAll().execute(),
        await opened.store.db.selectFrom('inbox').selectAll().execute(),
      ],
      (_key, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value),
    );
    expect(dump).not.toContain('canary');
    expect(dump).not.toContain('plain h1');
    await opened.store.db.updateTable('line_keys').set({ id: 'you' }).execute();
    await expect(engineStore.get('creds', ['you'])).rejects.toThrow(UnreadableError);
  });

  test('an envelope and its keys are written together or not at all', async () => {
    await engineStore.commit([{ kind: 'session', id: 'a', value: bytes('1') }], envelope('h1'));
    await expect(
      engineStore.commit([{ kind: 'session', id: 'a', value: bytes('2') }], envelope('h1')),
    ).rejects.toThrow();
    expect((await engineStore.get('session', ['a'])).get('a')).toEqual(Buffer.from('1'));
  });

  test('the inbox is read in the order of arrival; closed rows are gone but for the hash', async () => {
    const failure = { cause: 'decryption_failed', detail: 'no session' } as const;
    await engineStore.commit([], envelope('h1'));
    await engineStore.appendStanza({ stanza: bytes('r'), tag: 'receipt' });
    await engineStore.appendStanza({ stanza: bytes('m'), tag: 'message', failure });
    const rows = await pendingInbox(opened.store, box, 'line_1', 0, 10);
    expect(rows.map((row) => row.entry)).toEqual([
      { kind: 'sealed', hash: 'h1', stanza: Buffer.from('stanza h1'), encIndex: 1, plaintext: Buffer.from('plain h1') },
      { kind: 'stanza', stanza: Buffer.from('r'), tag: 'receipt', failure: undefined },
      { kind: 'stanza', stanza: Buffer.from('m'), tag: 'message', failure },
    ]);
    expect((await pendingInbox(opened.store, box, 'line_1', rows[0]?.seq ?? 0, 1)).map((r) => r.seq)).toEqual([
      rows[1]?.seq,
    ]);
    expect((await engineStore.findSealed('h1'))?.plaintext).toEqual(Buffer.from('plain h1'));
    await opened.store.transaction((tx) =>
      closeInbox(
        tx,
        rows.map(({ seq, entry }) => ({ seq, kind: entry.kind })),
      ),
    );
    expect(await pendingInbox(opened.store, box, 'line_1', 0, 10)).toEqual([]);
    expect(await engineStore.findSealed('h1')).toEqual({ plaintext: new Uint8Array(0) });
    expect(await opened.store.db.selectFrom('inbox').select('kind').execute()).toEqual([{ kind: 'sealed' }]);
    expect(await sweepTombstones(opened.store.db, systemClock.now())).toMatchObject({ deleted: 0, more: false });
    const later = systemClock.now() + TOMBSTONE_MS + 1_000;
    expect(await sweepTombstones(opened.store.db, later)).toMatchObject({ deleted: 1, more: false });
    expect(await engineStore.findSealed('h1')).toBeUndefined();
  });

  test('a failure that 0.1.0 kept in words alone is read as one of decryption', async () => {
    await engineStore.appendStanza({
      ...{ stanza: bytes('m'), tag: 'message' },
      failure: { cause: 'unavailable', detail: 'gone' },
    });
    await opened.store.db.updateTable('inbox').set({ failure: 'Bad MAC' }).execute();
    const [row] = await pendingInbox(opened.store, box, 'line_1', 0, 10);
    expect(row?.entry).toMatchObject({ failure: { cause: 'decryption_failed', detail: 'Bad MAC' } });
  });

  test('calls that are not awaited one by one take effect in their order', async () => {
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 20; i += 1) {
      calls.push(engineStore.commit([{ kind: 'session', id: 'a', value: bytes(String(i)) }], envelope(`h${i}`)));
      calls.push(engineStore.appendStanza({ stanza: bytes(String(i)), tag: `t${i}` }));
    }
    const last = engineStore.get('session', ['a']);
    await Promise.all(calls);
    expect((await last).get('a')).toEqual(Buffer.from('19'));
    const rows = await pendingInbox(opened.store, box, 'line_1', 0, 100);
    const order = rows.map(({ entry }) => (entry.kind === 'sealed' ? entry.hash : entry.tag));
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => [`h${i}`, `t${i}`]).flat());
  });

  test('more keys than a statement takes are written, read and deleted', async () => {
    const ids = Array.from({ length: 1_203 }, (_, i) => String(i));
    await engineStore.commit(ids.map((id) => ({ kind: 'pre-key', id, value: bytes(id) })));
    expect((await engineStore.get('pre-key', ids)).size).toBe(1_203);
    await engineStore.commit(ids.slice(1).map((id) => ({ kind: 'pre-key', id, value: null })));
    expect([...(await engineStore.list('pre-key')).keys()]).toEqual(['0']);
  });

  test('clearing forgets the keys and keeps the mail', async () => {
    await engineStore.commit([{ kind: 'session', id: 'a', value: bytes('1') }], envelope('h1'));
    await engineStore.clear();
    expect((await engineStore.list('session')).size).toBe(0);
    expect(await pendingInbox(opened.store, box, 'line_1', 0, 10)).toHaveLength(1);
  });
});
