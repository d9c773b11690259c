import { describe, expect, it } from 'vitest';
import { EngineLine } from './line.ts';
import type { ConformancePhone } from './network.ts';
import type { Suite } from './suite.ts';
import { until } from './until.ts';

export function describeSending(suite: Suite): void {
  const pairedLine = async () => {
    const phone = await suite.network().phone(suite.number());
    const bob = await suite.network().phone(suite.number());
    return { line: await EngineLine.paired(suite.network(), suite.lineId(), phone), phone, bob };
  };
  const seen = (phone: ConformancePhone, id: string) => phone.seen().find((message) => message.id === id);

  describe('sending', () => {
    it('sends under the id it was given, to the LID, and resolves with the time of WhatsApp', async () => {
      const { line, phone, bob } = await pairedLine();
      const prepared = await line.engine.prepare({ kind: 'text', body: 'hello Bob' }, bob.pn, '3EB0CONFORMANCE01');
      expect(prepared).toMatchObject({ id: '3EB0CONFORMANCE01', to: bob.lid, recipient: { lid: bob.lid, pn: bob.pn } });
      const ack = await line.engine.transmit(prepared);
      expect(Math.abs(ack.timestamp - Date.now() / 1000)).toBeLessThan(60);
      const message = await until('Bob to get it', () => seen(bob, prepared.id));
      expect(message).toMatchObject({ body: 'hello Bob', from: phone.pn, copies: 1 });
    });

    it('sends the same message twice as one, and stays readable', async () => {
      const { line, bob } = await pairedLine();
      const prepared = await line.engine.prepare({ kind: 'text', body: 'twice' }, bob.pn, '3EB0CONFORMANCE02');
      await line.engine.transmit(prepared);
      await line.engine.transmit(prepared);
      await until('both copies', () => seen(bob, prepared.id)?.copies === 2);
      expect(bob.seen().filter(({ body }) => body === 'twice')).toHaveLength(1);
      const next = await line.engine.prepare({ kind: 'text', body: 'next' }, bob.pn, '3EB0CONFORMANCE03');
      await line.engine.transmit(next);
      await until('the next', () => seen(bob, next.id)?.body === 'next');
    });

    it('lets nothing leave that is not allowed to, and the same message later', async () => {
      const { line, bob } = await pairedLine();
      const prepared = await line.engine.prepare({ kind: 'text', body: 'not yet' }, bob.pn, '3EB0CONFORMANCE0L');
      const refusal = new Error('the row has ended');
      const refused = line.engine.transmit(prepared, undefined, async () => {
        throw refusal;
      });
      await expect(refused).rejects.toBe(refusal);
      const next = await line.engine.prepare({ kind: 'text', body: 'next' }, bob.pn, '3EB0CONFORMANCE0M');
      await line.engine.transmit(next);
      await until('the next one', () => seen(bob, next.id)?.body === 'next');
      expect(seen(bob, prepared.id)).toBeUndefined();
      await line.engine.transmit(prepared, undefined, async () => {});
      await until('the one that waited', () => seen(bob, prepared.id)?.copies === 1);
    });

    it('repeats a message whose acknowledgement got lost', async () => {
      const { line, bob } = await pairedLine();
      const prepared = await line.engine.prepare({ kind: 'text', body: 'lost ack' }, bob.pn, '3EB0CONFORMANCE04');
      suite.network().fault(line.id, { kind: 'lose_acks', count: 1 });
      const impatient = new AbortController();
      const lost = line.engine.transmit(prepared, impatient.signal);
      await until('the first copy', () => seen(bob, prepared.id));
      impatient.abort();
      await expect(lost).rejects.toMatchObject({ code: 'timeout' });
      await line.engine.transmit(prepared);
      await until('the second copy', () => seen(bob, prepared.id)?.copies === 2);
      expect(bob.seen().filter(({ body }) => body === undefined)).toEqual([]);
    });

    it('sends many at once, each readable and once', async () => {
      const { line, bob } = await pairedLine();
      const ids = Array.from({ length: 20 }, (_, index) => `3EB0MANY${index}`);
      await Promise.all(
        ids.map(async (id) => {
          await line.engine.transmit(await line.engine.prepare({ kind: 'text', body: `text ${id}` }, bob.pn, id));
        }),
      );
      await until('all of them', () => ids.every((id) => seen(bob, id)?.body === `text ${id}`));
      expect(bob.seen().every(({ copies }) => copies === 1)).toBe(true);
    });

    it('answers a conversation in both directions', async () => {
      const { line, phone, bob } = await pairedLine();
      for (let turn = 0; turn < 5; turn++) {
        await bob.sendText(phone.pn, `ping ${turn}`);
        const { chat } = await line.text(`ping ${turn}`);
        const id = `3EB0PONG${turn}`;
        await line.engine.transmit(await line.engine.prepare({ kind: 'text', body: `pong ${turn}` }, chat.jid, id));
        await until('the answer', () => seen(bob, id)?.body === `pong ${turn}`);
      }
    });

    it('tells a refusal with the code of WhatsApp', async () => {
      const { line, bob } = await pairedLine();
      suite.network().fault(line.id, { kind: 'reject_sends', code: 463, count: 1 });
      const prepared = await line.engine.prepare({ kind: 'text', body: 'refused' }, bob.pn, '3EB0CONFORMANCE05');
      await expect(line.engine.transmit(prepared)).rejects.toMatchObject({ code: 'rejected', serverCode: 463 });
    });

    it('knows who is not on WhatsApp', async () => {
      const { line, bob } = await pairedLine();
      const nobody = `${suite.number()}@s.whatsapp.net`;
      const prepared = line.engine.prepare({ kind: 'text', body: 'nobody' }, nobody, '3EB0CONFORMANCE06');
      await expect(prepared).rejects.toMatchObject({ code: 'not_on_whatsapp' });
      const answers = await line.engine.lookupNumbers([nobody.replace(/@.*/, ''), bob.phone]);
      expect(answers.map(({ registered }) => registered)).toEqual([false, true]);
      expect(answers[1]).toMatchObject({ phone: bob.phone, jid: bob.pn, lid: bob.lid, isBusiness: false });
    });

    it('refuses to quote what nobody knows', async () => {
      const { line, bob } = await pairedLine();
      const content = { kind: 'text', body: 'an answer', context: { quotedId: 'NOSUCHMESSAGE' } } as const;
      await expect(line.engine.prepare(content, bob.pn, '3EB0CONFORMANCE07')).rejects.toMatchObject({
        code: 'unknown_message',
      });
    });

    it('needs a connection to send, none to prepare for people it knows', async () => {
      const { line, phone, bob } = await pairedLine();
      await bob.sendText(phone.pn, 'hello');
      await line.text('hello');
      await line.engine.close();
      const prepared = await line.engine.prepare({ kind: 'text', body: 'later' }, bob.pn, '3EB0CONFORMANCE08');
      expect(prepared.to).toBe(bob.lid);
      await expect(line.engine.transmit(prepared)).rejects.toMatchObject({ code: 'not_connected' });
      await line.login();
      await line.engine.transmit(prepared);
      await until('it', () => seen(bob, prepared.id)?.body === 'later');
    });

    it('tells others what was read', async () => {
      const { line, phone, bob } = await pairedLine();
      const id = await bob.sendText(phone.pn, 'read me');
      const { chat } = await line.text('read me');
      await line.engine.markRead(chat.jid, [id], undefined, false);
      await until('the read receipt', () => line.sent('receipt', { id, type: 'read' }).length === 1);
    });
  });
}
