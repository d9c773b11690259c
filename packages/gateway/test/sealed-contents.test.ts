import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ContentsVault, openContentsVault } from '../src/access/contents-vault.ts';
import { openKeyRing } from '../src/access/open-key-ring.ts';
import { CONTENTS_GRACE_MS, CONTENTS_LOOK_MS, type ContentsState } from '../src/core/contents.ts';
import { UnreadableError } from '../src/crypto/sealed-box.ts';
import { silentLog } from '../src/observe/logger.ts';
import { changeContents } from '../src/store/access/contents-rows.ts';
import type { Store } from '../src/store/db/store.ts';
import { insertEvents } from '../src/store/journal/events.ts';
import { findListed, listMessages } from '../src/store/messages/message-list.ts';
import { savePrepared } from '../src/store/sends/outbox.ts';
import { insertAccepted } from '../src/store/sends/sends.ts';
import { forEachStore, type TestStore } from './store-harness.ts';
import { ManualClock } from './support/manual-clock.ts';
import { insertLine, insertMessage } from './support/rows.ts';

const CANARY = 'canary words of a message';
const PROTO = Buffer.from(`bytes of ${CANARY}`);
const TO = '15550001111@s.whatsapp.net';

forEachStore((open) => {
  let opened: TestStore;
  let clock: ManualClock;
  let line: Awaited<ReturnType<typeof insertLine>>;
  /** Two processes on one database: the first does the work of a change. */
  let first: { store: Store; vault: ContentsVault };
  let second: { store: Store; vault: ContentsVault };
  let written = 0;

  beforeEach(async () => {
    opened = await open();
    clock = new ManualClock();
    line = await insertLine(opened.store);
    const process = async (store: Store, changes: boolean) => {
      const ring = await openKeyRing({ masterKey: Buffer.alloc(32, 7), store, clock });
      const vault = await openContentsVault({ store, ring, clock });
      vault.start({ log: silentLog, changes: () => changes });
      return { store, vault };
    };
    first = await process(opened.store, true);
    second = await process(await opened.reopen(), false);
  });
  afterEach(async () => {
    await first.vault.close();
    await second.vault.close();
    await opened.close();
  });

  /** One of everything that says something, written by this process; answers the message's id. */
  async function say({ store }: { store: Store }, body = CANARY): Promise<{ messageId: string; outboxId: string }> {
    written += 1;
    const [messageId, outboxId] = [`M${written}`, `out_${written}`];
    await insertMessage(store, line.id, { messageId, content: { kind: 'text', body } });
    const event = {
      id: `evt_${written}`,
      account_id: line.accountId,
      line_id: line.id,
      type: 'message.sent',
      chat: null,
    };
    const payload = JSON.stringify({ body });
    await insertEvents(store.db, [{ ...event, dedupe_key: messageId, payload, created_at: 1 }]);
    const send = { id: outboxId, accountId: line.accountId, lineId: line.id, messageId, to: TO, acceptedAt: 1 };
    await store.transaction(({ db }) =>
      insertAccepted(db, { ...send, content: JSON.stringify({ kind: 'text', body }) }),
    );
    expect(await prepare({ store }, outboxId)).toBe(true);
    return { messageId, outboxId };
  }
  const prepare = ({ store }: { store: Store }, outboxId: string, proto = PROTO) =>
    store.transaction((tx) =>
      savePrepared(tx, outboxId, { id: 'x', to: TO, recipient: { jid: TO }, proto, attrs: {} }, 1),
    );
  /** What lies in the database, as a thief of it would see it. */
  async function stolen(): Promise<string> {
    const thief = await opened.reopen();
    const tables = ['messages', 'events', 'outbox'] as const;
    const rows = await Promise.all(tables.map((table) => thief.db.selectFrom(table).selectAll().execute()));
    return JSON.stringify(rows, (_, value: unknown) => {
      const isBytes = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
      return isBytes ? Buffer.from((value as unknown as { data: number[] }).data).toString('latin1') : value;
    });
  }
  const state = async (): Promise<ContentsState> => {
    const rows = opened.store.db.selectFrom('accounts').select('contents').where('id', '=', line.accountId);
    return (await rows.executeTakeFirstOrThrow()).contents;
  };
  const turn = (from: readonly ContentsState[], to: ContentsState) =>
    changeContents(opened.store.db, line.accountId, { from, to, atMs: clock.now() });
  /** Time passes until it is so, and both processes know. */
  async function becomes(wanted: ContentsState): Promise<void> {
    while ((await state()) !== wanted) await clock.advance(CONTENTS_LOOK_MS);
    await first.vault.refresh();
    await second.vault.refresh();
  }
  const found = (store: Store, words: string[]) => listMessages(store, line.id, { words, limit: 10 });

  test('off, everything lies in the clear, is searched, and a text that looks sealed is only a text', async () => {
    const { messageId } = await say(first);
    expect(await stolen()).toContain(CANARY);
    expect((await found(second.store, ['canary'])).messages.map((one) => one.messageId)).toEqual([messageId]);
    const odd = await say(first, '\u0001sealed:acc_x:AAAA');
    expect((await findListed(second.store.db, line.id, odd.messageId))?.message.body).toBe('\ufffdsealed:acc_x:AAAA');
  });

  test('switched on, what was there and what comes is sealed, and every process reads all of it', async () => {
    const before = await say(first);
    expect(await turn(['plain'], 'sealing')).toBe(true);
    // No process seals before all of them can read sealed contents.
    await clock.advance(CONTENTS_GRACE_MS - CONTENTS_LOOK_MS);
    const between = await say(second);
    expect(await stolen()).toContain(CANARY);
    await becomes('sealed');
    const after = await say(second);
    const dump = await stolen();
    expect(dump).not.toContain('canary');
    for (const store of [first.store, second.store]) {
      for (const { messageId } of [before, between, after]) {
        const message = (await findListed(store.db, line.id, messageId))?.message;
        expect([message?.body, message?.facts.content.body]).toEqual([CANARY, CANARY]);
      }
      const events = await store.db.selectFrom('events').select('payload').execute();
      expect(events.map(({ payload }) => payload)).toEqual(Array(3).fill(JSON.stringify({ body: CANARY })));
      const sends = await store.db.selectFrom('outbox').select(['content', 'proto']).execute();
      for (const { content, proto } of sends) {
        expect(JSON.parse(content)).toEqual({ kind: 'text', body: CANARY });
        expect(proto).toEqual(PROTO);
      }
      expect((await found(store, ['canary'])).messages).toEqual([]);
    }
  });

  test('a send that is repeated after a crash is known by its bytes, and by no others', async () => {
    await turn(['plain'], 'sealing');
    await becomes('sealed');
    const { outboxId } = await say(first);
    expect(await prepare(second, outboxId)).toBe(true);
    expect(await prepare(second, outboxId, Buffer.from('other bytes'))).toBe(false);
  });

  test('switched off again, everything lies in the clear and is searched', async () => {
    await turn(['plain'], 'sealing');
    await becomes('sealed');
    const { messageId } = await say(second);
    expect(await stolen()).not.toContain(CANARY);
    await turn(['sealed'], 'opening');
    await becomes('plain');
    expect(await stolen()).toContain(CANARY);
    expect((await found(second.store, ['canary'])).messages.map((one) => one.messageId)).toEqual([messageId]);
    expect(first.store.contents.isActive || second.store.contents.isActive).toBe(false);
  });

  test('another account is not touched, and a process without the key reads an error, never nonsense', async () => {
    const other = await insertLine(opened.store);
    await turn(['plain'], 'sealing');
    await becomes('sealed');
    await say(first);
    await insertMessage(first.store, other.id, { messageId: 'OTHER', content: { kind: 'text', body: 'in the clear' } });
    expect(await stolen()).toContain('in the clear');
    const blind = await opened.reopen();
    blind.contents.use({ sealing: () => undefined, opening: () => undefined });
    await expect(blind.db.selectFrom('messages').selectAll().where('line_id', '=', line.id).execute()).rejects.toThrow(
      UnreadableError,
    );
  });
});
