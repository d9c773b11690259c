import type { MessageStatus, Party } from '@ponte/engine';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forEachStore, type TestStore } from '../../test/store-harness.ts';
import { insertLine, insertWebhook, readJournal } from '../../test/support/rows.ts';
import { canonicalJid, messageKey } from '../core/event-keys.ts';
import type { MessageFacts } from '../core/events.ts';
import { applyMapping } from '../store/messages/address-mappings.ts';
import { projectPending } from '../store/messages/projections.ts';
import { accept, type LineRef } from './accept.ts';
import type { Fact } from './from-engine.ts';

const NOW = Date.UTC(2026, 4, 1);
const alice: Party = { jid: '9001@lid', lid: '9001@lid', pn: '15550001111@s.whatsapp.net' };
const me: Party = { jid: '15559990000@s.whatsapp.net', pn: '15559990000@s.whatsapp.net' };

const facts = (over: Partial<MessageFacts> = {}): MessageFacts => ({
  messageId: 'M1',
  chat: alice,
  sender: alice,
  fromMe: false,
  isGroup: false,
  pushName: 'Alice',
  timestamp: 1_777_000_000,
  content: { kind: 'text', body: 'Hello!' },
  quotedId: null,
  mentions: [],
  ...over,
});
const received = (over: Partial<MessageFacts> = {}): Fact => {
  const payload = facts(over);
  const chat = canonicalJid(payload.chat);
  return { type: 'message.received', payload, dedupeKey: messageKey(payload), chat, proto: Uint8Array.of(1) };
};
const sentFacts = (messageId: string) => facts({ messageId, fromMe: true, sender: me, pushName: '' });
const sent = (messageId: string): Fact => {
  const payload = sentFacts(messageId);
  return { type: 'message.sent', payload, dedupeKey: messageKey(payload), chat: '9001@lid', proto: Uint8Array.of(9) };
};
const status = (messageId: string, to: MessageStatus, by = '9001@lid', chat: Party = alice): Fact => ({
  type: 'message.status',
  payload: { messageId, chat, status: to, timestamp: 5, error: null },
  dedupeKey: `status:${messageId}:${by}:${to}`,
  chat: canonicalJid(chat),
});

forEachStore((open) => {
  let test: TestStore;
  let line: LineRef;
  const take = (...list: Fact[]) => test.store.transaction((tx) => accept(tx, line, list, NOW));
  const rows = {
    messages: () => test.store.db.selectFrom('messages').selectAll().orderBy('seq').execute(),
    chats: () => test.store.db.selectFrom('chats').selectAll().execute(),
    contacts: () => test.store.db.selectFrom('contacts').selectAll().execute(),
    deliveries: () => test.store.db.selectFrom('deliveries').selectAll().execute(),
  };

  beforeEach(async () => {
    test = await open();
    line = await insertLine(test.store);
  });
  afterEach(() => test.close());

  it('counts each received message once, in its hour and its day, and none of ours', async () => {
    await take(received(), received({ messageId: 'M2' }), received());
    await take(received(), received({ messageId: 'M3', fromMe: true }), sent('M4'));
    const counted = await test.store.db.selectFrom('line_traffic').selectAll().orderBy('step').execute();
    expect(counted.map(({ step, at, received: count }) => [Number(step), Number(at), Number(count)])).toEqual([
      [3_600_000, NOW, 2],
      [86_400_000, NOW, 2],
    ]);
  });

  describe('accept', () => {
    it('takes a fact once, however often it is told', async () => {
      const hook = await insertWebhook(test.store, line, ['message.received']);
      const first = await take(received(), received({ messageId: 'M2' }), received());
      expect(first.map((event) => [event.type, event.lineId, event.createdAt])).toEqual([
        ['message.received', line.id, NOW],
        ['message.received', line.id, NOW],
      ]);
      expect(first[0]?.id).toMatch(/^evt_/);
      expect(first[1]?.seq).toBeGreaterThan(first[0]?.seq ?? 0);
      expect(await take(received(), received({ messageId: 'M2' }))).toEqual([]);
      expect(await readJournal(test.store, line.id)).toHaveLength(2);
      expect((await rows.deliveries()).map((row) => row.webhook_id)).toEqual([hook, hook]);
      expect(await rows.messages()).toHaveLength(2);
    });

    it('keeps the same key apart on two lines', async () => {
      await take(received());
      const other = await insertLine(test.store);
      const news = await test.store.transaction((tx) => accept(tx, other, [received()], NOW));
      expect(news).toHaveLength(1);
    });

    it('leaves nothing behind when its transaction fails', async () => {
      await insertWebhook(test.store, line, ['*', 'message.received']);
      const failing = test.store.transaction(async (tx) => {
        await accept(tx, line, [received()], NOW);
        throw new Error('the caller could not close its row');
      });
      await expect(failing).rejects.toThrow('could not close');
      expect(await readJournal(test.store, line.id)).toEqual([]);
      for (const read of Object.values(rows)) expect(await read()).toEqual([]);
      expect(await take(received())).toHaveLength(1);
    });

    it('keeps message, chat and contact in step', async () => {
      await take(
        received(),
        received({ messageId: 'M2', timestamp: 1_777_000_100, content: { kind: 'text', body: 'x' } }),
      );
      await take(received({ messageId: 'M0', timestamp: 1_776_000_000 }));
      const [message] = await rows.messages();
      expect(message).toMatchObject({
        message_id: 'M1',
        chat_jid: '9001@lid',
        sender_jid: '9001@lid',
        from_me: 0,
        kind: 'text',
        body: 'Hello!',
        status: 'delivered',
      });
      expect(await rows.chats()).toMatchObject([
        {
          jid: '9001@lid',
          pn: '15550001111@s.whatsapp.net',
          lid: '9001@lid',
          name: 'Alice',
          unread_count: 3,
          last_message_id: 'M2',
          last_message_at: 1_777_000_100_000,
        },
      ]);
      expect(await rows.contacts()).toMatchObject([{ jid: '9001@lid', push_name: 'Alice' }]);
    });

    it('takes a chat for read when the owner writes into it from a phone', async () => {
      await take(received());
      await take(received({ messageId: 'P1', fromMe: true, sender: me, timestamp: 1_777_000_200 }));
      expect(await rows.chats()).toMatchObject([{ unread_count: 0, last_message_id: 'P1' }]);
      expect(await rows.contacts()).toHaveLength(1);
    });

    it('shows a message as it was edited, and no longer what was revoked', async () => {
      await take(received());
      const about = { chat: alice, sender: alice, fromMe: false, timestamp: 6 };
      await take({
        type: 'message.edited',
        payload: { messageId: 'M1', body: 'better', ...about },
        dedupeKey: 'e',
        chat: null,
      });
      expect(await rows.messages()).toMatchObject([{ body: 'better' }]);
      const payload = { messageId: 'M1', byAdmin: false, ...about };
      await take({ type: 'message.revoked', payload, dedupeKey: 'r', chat: null });
      const [row] = await rows.messages();
      expect(row).toMatchObject({ body: '', kind: 'text', proto: null });
      expect(row?.facts).not.toContain('better');
    });

    it('believes changes of the author only, and of a group admin that takes a message back', async () => {
      const group = { jid: '1203@g.us' };
      const mallory = { jid: '666@lid', lid: '666@lid' };
      await take(received({ chat: group, isGroup: true }));
      const about = { messageId: 'M1', chat: group, sender: mallory, fromMe: false, timestamp: 6 };
      await take({ type: 'message.edited', payload: { ...about, body: 'forged' }, dedupeKey: 'e', chat: null });
      await take({ type: 'message.revoked', payload: { ...about, byAdmin: false }, dedupeKey: 'r', chat: null });
      expect((await readJournal(test.store, line.id)).map((event) => event.type)).toEqual(['message.received']);
      await take({ type: 'message.revoked', payload: { ...about, byAdmin: true }, dedupeKey: 'a', chat: null });
      expect(await rows.messages()).toMatchObject([{ body: '', kind: 'text' }]);
    });

    it('judges a change that comes together with its message', async () => {
      const about = { messageId: 'M1', chat: alice, sender: me, fromMe: false, timestamp: 6 };
      await take(received(), {
        type: 'message.edited',
        payload: { ...about, body: 'forged' },
        dedupeKey: 'e',
        chat: null,
      });
      expect((await readJournal(test.store, line.id)).map((event) => event.type)).toEqual(['message.received']);
    });

    it('passes on a change of a message that nobody stored', async () => {
      const payload = { messageId: 'OLD', chat: alice, sender: alice, fromMe: false, body: 'new', timestamp: 6 };
      await take({ type: 'message.edited', payload, dedupeKey: 'e', chat: null });
      expect((await readJournal(test.store, line.id)).map((event) => event.type)).toEqual(['message.edited']);
    });
  });

  describe('statuses', () => {
    const pending = (messageId: string) =>
      test.store.transaction((tx) => projectPending(tx, line.id, sentFacts(messageId), Uint8Array.of(9), NOW));
    const statuses = async () =>
      (await readJournal(test.store, line.id))
        .filter((event) => event.type === 'message.status')
        .map((event) => `${event.payload.messageId} ${event.payload.status}`);

    it('go forward only, one event per message and step', async () => {
      await pending('S1');
      await take(sent('S1'));
      await take(status('S1', 'read'), status('S1', 'delivered'), status('S1', 'played'));
      await take(status('S1', 'delivered', 'other@lid'), status('S1', 'read', 'other@lid'));
      expect(await statuses()).toEqual(['S1 read', 'S1 played']);
      expect((await rows.messages()).map((row) => row.status)).toEqual(['played']);
    });

    it('of several messages become one event each; unknown ids and messages of others yield nothing', async () => {
      await take(sent('S1'), sent('S2'), received({ messageId: 'IN' }));
      await take(
        status('S1', 'delivered'),
        status('S2', 'delivered'),
        status('GHOST', 'delivered'),
        status('IN', 'read'),
      );
      expect(await statuses()).toEqual(['S1 delivered', 'S2 delivered']);
    });

    it('count the first of several readers', async () => {
      await take(sent('S1'));
      await take(status('S1', 'delivered', 'a@lid'), status('S1', 'delivered', 'b@lid'));
      expect(await statuses()).toEqual(['S1 delivered']);
    });

    it('that overtake the acknowledgement are not lost, and are not taken back by it', async () => {
      await pending('S1');
      await take(status('S1', 'delivered'));
      await take(sent('S1'));
      expect((await readJournal(test.store, line.id)).map((event) => event.type)).toEqual([
        'message.status',
        'message.sent',
      ]);
      expect((await rows.messages()).map((row) => row.status)).toEqual(['delivered']);
    });

    it('of a message sent from the phone follow it in the same batch', async () => {
      await take(received({ messageId: 'P1', fromMe: true, sender: me }), status('P1', 'read'));
      expect(await statuses()).toEqual(['P1 read']);
    });

    it('stand under the chat of their message, however WhatsApp names it', async () => {
      await take(sent('S1'));
      const byNumber: Party = { jid: '15550001111@s.whatsapp.net', pn: '15550001111@s.whatsapp.net' };
      const [event] = await take(status('S1', 'delivered', 'x', byNumber));
      expect(event?.payload).toMatchObject({ chat: { lid: '9001@lid', pn: '15550001111@s.whatsapp.net' } });
      expect((await readJournal(test.store, line.id)).at(-1)?.chat).toBe('9001@lid');
    });

    it('tell a failure even of a message that was never made ready, and never of one that was sent', async () => {
      await take(status('NEVER', 'failed'));
      await take(sent('S1'));
      await take(status('S1', 'failed'));
      await pending('S2');
      await take(status('S2', 'failed'));
      expect(await statuses()).toEqual(['NEVER failed', 'S2 failed']);
      await take(sent('S2'));
      expect((await rows.messages()).map((row) => [row.message_id, row.status])).toEqual([
        ['S1', 'sent'],
        ['S2', 'sent'],
      ]);
    });
  });

  describe('typing', () => {
    const typing = (n: number): Fact => ({
      type: 'typing',
      payload: { chat: alice, sender: alice, state: 'composing', mode: 'text' },
      dedupeKey: `typing:${n}`,
      chat: '9001@lid',
    });

    it('leaves no trace when nobody wants it', async () => {
      await insertWebhook(test.store, line, ['message.received']);
      expect(await take(typing(1))).toEqual([]);
      expect(await readJournal(test.store, line.id)).toEqual([]);
    });

    it('gets a delivery that expires within 30 seconds', async () => {
      await insertWebhook(test.store, line, ['typing']);
      expect(await take(typing(1))).toHaveLength(1);
      expect(await rows.deliveries()).toMatchObject([{ expires_at: NOW + 30_000 }]);
    });
  });

  describe('an address mapping', () => {
    const number: Party = { jid: '15550001111@s.whatsapp.net', pn: '15550001111@s.whatsapp.net' };
    const map = () =>
      test.store.transaction((tx) => applyMapping(tx, line.id, { lid: '9001@lid', pn: '15550001111@s.whatsapp.net' }));

    it('moves chat, contact and messages from the number to the LID', async () => {
      await take(received({ chat: number, sender: number }));
      await map();
      await map();
      expect(await rows.chats()).toMatchObject([
        { jid: '9001@lid', lid: '9001@lid', pn: '15550001111@s.whatsapp.net', unread_count: 1 },
      ]);
      expect(await rows.contacts()).toMatchObject([{ jid: '9001@lid', pn: '15550001111@s.whatsapp.net' }]);
      expect(await rows.messages()).toMatchObject([{ chat_jid: '9001@lid', sender_jid: '9001@lid' }]);
    });

    it('merges the two chats of one person', async () => {
      await take(received({ chat: number, sender: number, messageId: 'OLD', timestamp: 1_776_000_000 }));
      await take(
        received({ chat: { jid: '9001@lid', lid: '9001@lid' }, sender: { jid: '9001@lid', lid: '9001@lid' } }),
      );
      await map();
      expect(await rows.chats()).toMatchObject([
        { jid: '9001@lid', pn: '15550001111@s.whatsapp.net', unread_count: 2, last_message_id: 'M1' },
      ]);
      expect((await rows.messages()).map((row) => row.chat_jid)).toEqual(['9001@lid', '9001@lid']);
      expect(await rows.contacts()).toHaveLength(1);
    });
  });
});
