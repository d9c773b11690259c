import { describe, expect, it } from 'vitest';
import type { EngineEvent } from '../events.ts';
import { EngineLine } from './line.ts';
import type { StoreWrite, WriteFate } from './memory-store.ts';
import type { Suite } from './suite.ts';
import { until } from './until.ts';

const OFFLINE_MESSAGES = 30;
const WRITE_MS = 5;

export function describeInbound(suite: Suite): void {
  const pairedLine = async () => {
    const phone = await suite.network().phone(suite.number());
    const bob = await suite.network().phone(suite.number());
    return { line: await EngineLine.paired(suite.network(), suite.lineId(), phone), phone, bob };
  };

  describe('inbound', () => {
    it('names sender and chat by LID and by number', async () => {
      const { line, phone, bob } = await pairedLine();
      const id = await bob.sendText(phone.pn, 'who am I');
      const message = await line.text('who am I');
      expect(message).toMatchObject({
        id,
        chat: { lid: bob.lid, pn: bob.pn },
        sender: { lid: bob.lid, pn: bob.pn },
        fromMe: false,
        isGroup: false,
        content: { kind: 'text', body: 'who am I' },
      });
      expect(Math.abs(message.timestamp - Date.now() / 1000)).toBeLessThan(60);
    });

    it('tells what the own phone sends as from me', async () => {
      const { line, phone, bob } = await pairedLine();
      await phone.sendText(bob.pn, 'from my phone');
      const message = await line.text('from my phone');
      expect(message).toMatchObject({ fromMe: true, chat: { lid: bob.lid, pn: bob.pn }, sender: { pn: phone.pn } });
    });

    it('decodes the same row to the same events', async () => {
      const { line, phone, bob } = await pairedLine();
      await bob.sendText(phone.pn, 'twice');
      await line.text('twice');
      const isText = (event: EngineEvent) => event.type === 'message';
      const again = await EngineLine.open(suite.network(), line.id, line.unread());
      const rows = await Promise.all(again.store.rows.map(({ entry }) => again.engine.decode(entry)));
      expect(rows.flat().filter(isText)).toEqual(line.events.filter(isText));
    });

    it('makes one event of a message that arrives many times', async () => {
      const { line, phone, bob } = await pairedLine();
      const id = await bob.sendText(phone.pn, 'again and again');
      await until('the receipt', () => line.sent('receipt', { id }).length === 1);
      suite.network().replay(line.id, 3);
      await until('the redeliveries to be acknowledged', () => line.sent('receipt', { id }).length === 4);
      await line.text('again and again');
      // Processed by now: the journal has dropped the content.
      suite.network().replay(line.id, 2);
      await until('the late redeliveries to be acknowledged', () => line.sent('receipt', { id }).length === 6);
      expect((await line.messages()).filter((message) => message.id === id)).toHaveLength(1);
      expect(line.events.filter(({ type }) => type === 'message.undecryptable')).toEqual([]);
      await bob.sendText(phone.pn, 'and the next');
      await line.text('and the next');
    });

    it('makes one event of messages the network duplicates', async () => {
      const { line, phone, bob } = await pairedLine();
      suite.network().fault(line.id, { kind: 'duplicate', count: 3 });
      for (const body of ['one', 'two', 'three', 'four']) await bob.sendText(phone.pn, body);
      await line.text('four');
      await line.roundTrip();
      expect((await line.messages()).map(({ content }) => content.body)).toEqual(['one', 'two', 'three', 'four']);
    });

    it('journals a message it cannot decrypt before it asks for another, and takes the other', async () => {
      const { line, phone, bob } = await pairedLine();
      await bob.sendText(phone.pn, 'a session first');
      const { chat } = await line.text('a session first');
      await line.engine.transmit(await line.engine.prepare({ kind: 'text', body: 'yes' }, chat.jid, '3EB0SESSION'));
      await until('the session to be established both ways', () => bob.seen().length === 1);
      suite.network().fault(line.id, { kind: 'bad_mac', count: 1 });
      const id = await bob.sendText(phone.pn, 'damaged');
      const damaged = await line.event('message.undecryptable', (event) => event.id === id);
      expect(damaged).toMatchObject({ chat: { pn: bob.pn }, sender: { pn: bob.pn } });
      expect((await line.text('damaged')).id).toBe(id);
      expect(line.sent('receipt', { id, type: 'retry' })).not.toEqual([]);
    });

    it('tells receipts of what it sent', async () => {
      const { line, bob } = await pairedLine();
      const prepared = await line.engine.prepare({ kind: 'text', body: 'tick' }, bob.pn, 'RECEIPTTICK');
      await line.engine.transmit(prepared);
      const receipt = await line.event('receipt', ({ status }) => status === 'delivered');
      expect(receipt).toMatchObject({ ids: [prepared.id], chat: { pn: bob.pn }, by: { pn: bob.pn } });
    });

    it('passes typing on at once and keeps none of it', async () => {
      const { line, phone, bob } = await pairedLine();
      await bob.sendText(phone.pn, 'first contact');
      await line.text('first contact');
      suite.network().showTyping(line.id, bob);
      const { event } = await line.change('live');
      expect(event).toMatchObject({ type: 'typing', chat: { pn: bob.pn }, state: 'composing', mode: 'text' });
      expect(line.store.rows.filter(({ entry }) => entry.kind === 'stanza' && entry.tag === 'chatstate')).toEqual([]);
    });

    it('takes nothing from a stranger that only the own account may send', async () => {
      const { line, phone, bob } = await pairedLine();
      const id = await bob.sendForgedKeyShare(phone.pn);
      await until('the forged message to be acknowledged', () => line.answersTo(id).length > 0);
      await bob.sendText(phone.pn, 'harmless');
      await line.text('harmless');
      expect(line.events.filter((event) => 'id' in event && event.id === id)).toEqual([]);
    });

    it('loses nothing when the connection is cut while old mail arrives, and tells it in order', async () => {
      const phone = await suite.network().phone(suite.number());
      const bob = await suite.network().phone(suite.number());
      let sealed = 0;
      // A slow disk: the end of the connection is noticed while mail is still being written.
      const fate = async ({ isSealed }: StoreWrite): Promise<WriteFate> => {
        if (isSealed) await new Promise((resolve) => setTimeout(resolve, WRITE_MS));
        if (isSealed) sealed++;
        return 'done';
      };
      const line = await EngineLine.open(suite.network(), suite.lineId(), undefined, fate);
      await line.pair(phone);
      await line.login();
      await line.engine.close();
      const bodies = Array.from({ length: OFFLINE_MESSAGES }, (_, index) => `old mail ${index}`);
      for (const body of bodies) await bob.sendText(phone.pn, body);
      const atFirst = sealed;
      for (const cutAfter of [1, 6, 9]) {
        const before = sealed;
        line.forget();
        await line.engine.connect();
        await until('some mail', () => sealed >= before + cutAfter);
        suite.network().cut(line.id);
        await line.closed('connection_lost');
      }
      expect(sealed - atFirst).toBeLessThan(OFFLINE_MESSAGES);
      await line.login();
      await line.event('offline.preview', ({ messages }) => messages >= OFFLINE_MESSAGES);
      await line.text(bodies.at(-1) ?? '');
      await line.event('offline.completed');
      expect((await line.messages()).map(({ content }) => content.body)).toEqual(bodies);
      const kinds = line.events.map(({ type }) => type);
      expect(kinds.lastIndexOf('offline.completed')).toBeGreaterThan(kinds.lastIndexOf('message'));
    });
  });
}
