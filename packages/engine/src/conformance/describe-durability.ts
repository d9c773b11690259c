import { describe, expect, it } from 'vitest';
import type { EngineChange } from '../engine.ts';
import { EngineLine } from './line.ts';
import type { StoreWrite, WriteFate } from './memory-store.ts';
import type { Suite } from './suite.ts';
import { until } from './until.ts';

/** A fate that can hold writes back. */
class Hold {
  readonly #which: (write: StoreWrite) => boolean;
  #fate: WriteFate | undefined;
  readonly #end = Promise.withResolvers<WriteFate>();
  #isActive = false;
  /** Writes that reached the hold. */
  held = 0;

  constructor(which: (write: StoreWrite) => boolean) {
    this.#which = which;
  }

  readonly fate = (write: StoreWrite): WriteFate | Promise<WriteFate> => {
    if (!this.#isActive || !this.#which(write)) return 'done';
    this.held++;
    if (this.#fate !== undefined) return this.#fate;
    return this.#end.promise;
  };

  start(): void {
    this.#isActive = true;
  }

  stop(): void {
    this.#isActive = false;
  }

  end(fate: WriteFate): void {
    this.#fate = fate;
    this.#end.resolve(fate);
  }
}

export function describeDurability(suite: Suite): void {
  const heldLine = async (which: (write: StoreWrite) => boolean) => {
    const phone = await suite.network().phone(suite.number());
    const bob = await suite.network().phone(suite.number());
    const hold = new Hold(which);
    const line = await EngineLine.open(suite.network(), suite.lineId(), undefined, hold.fate);
    await line.pair(phone);
    await line.login();
    return { line, phone, bob, hold };
  };

  describe('durability before acknowledgement', () => {
    it('acknowledges no message before it is durable', async () => {
      const { line, phone, bob, hold } = await heldLine((write) => write.isSealed);
      hold.start();
      const id = await bob.sendText(phone.pn, 'held');
      await until('the message to reach the store', () => hold.held > 0);
      await line.roundTrip();
      expect(line.answersTo(id)).toEqual([]);
      hold.end('done');
      await until('the receipt', () => line.sent('receipt', { id }).length > 0);
      expect((await line.text('held')).id).toBe(id);
    });

    it('acknowledges no receipt before it is durable', async () => {
      const { line, bob, hold } = await heldLine((write) => write.tag === 'receipt');
      hold.start();
      const prepared = await line.engine.prepare({ kind: 'text', body: 'to be read' }, bob.pn, 'DURABLERECEIPT');
      await line.engine.transmit(prepared);
      await until('a receipt to reach the store', () => hold.held > 0);
      await line.roundTrip();
      expect(line.sent('ack', { id: prepared.id, class: 'receipt' })).toEqual([]);
      hold.end('done');
      await until('the ack', () => line.sent('ack', { id: prepared.id, class: 'receipt' }).length > 0);
      await line.event('receipt', ({ ids, status }) => ids.includes(prepared.id) && status === 'delivered');
    });

    it('lets no outgoing message leave before its ratchet is durable', async () => {
      const { line, bob, hold } = await heldLine((write) => write.kind === 'commit');
      const prepared = await line.engine.prepare({ kind: 'text', body: 'ratchet' }, bob.pn, 'DURABLERATCHET');
      hold.start();
      const sent = line.engine.transmit(prepared);
      await until('the ratchet to reach the store', () => hold.held > 0);
      await line.roundTrip();
      expect(line.sent('message', { id: prepared.id })).toEqual([]);
      hold.end('done');
      await sent;
    });

    it('ends the connection when the store fails on a message, and acknowledges nothing', async () => {
      const { line, phone, bob, hold } = await heldLine((write) => write.isSealed);
      hold.start();
      hold.end('refused');
      const id = await bob.sendText(phone.pn, 'refused');
      await line.closed('store_failed');
      expect(line.answersTo(id)).toEqual([]);
      const next = await reopened(suite, line);
      expect((await next.text('refused')).id).toBe(id);
    });

    it('ends the connection when the store fails on a receipt, and acknowledges nothing', async () => {
      const { line, bob, hold } = await heldLine((write) => write.tag === 'receipt');
      const prepared = await line.engine.prepare({ kind: 'text', body: 'hello' }, bob.pn, 'REFUSEDRECEIPT');
      hold.start();
      hold.end('refused');
      // The acknowledgement of the message may come before or after the receipt that breaks the
      // store.
      await line.engine.transmit(prepared).catch((error: unknown) => expect(error).toMatchObject({ code: 'timeout' }));
      await line.closed('store_failed');
      expect(line.sent('ack', { id: prepared.id, class: 'receipt' })).toEqual([]);
      const next = await reopened(suite, line);
      await next.event('receipt', ({ ids }) => ids.includes(prepared.id));
    });

    it('ends the connection when the store fails on a ratchet, and sends nothing', async () => {
      const { line, bob, hold } = await heldLine((write) => write.kind === 'commit');
      const prepared = await line.engine.prepare({ kind: 'text', body: 'never' }, bob.pn, 'REFUSEDRATCHET');
      hold.start();
      hold.end('refused');
      await expect(line.engine.transmit(prepared)).rejects.toMatchObject({ code: 'timeout' });
      await line.closed('store_failed');
      expect(line.sent('message', { id: prepared.id })).toEqual([]);
    });

    it('sends again at once on a connection that is made because the store failed in a send', async () => {
      const [phone, bob] = [await suite.network().phone(suite.number()), await suite.network().phone(suite.number())];
      const hold = new Hold((write) => write.kind === 'commit');
      const again = Promise.withResolvers<unknown>();
      let isFailed = false;
      const onChange = (change: EngineChange): void => {
        if (change.type === 'closed' && change.reason === 'store_failed') {
          isFailed = true;
          setImmediate(() => line.engine.connect());
        }
        if (change.type === 'open' && isFailed) again.resolve(line.engine.transmit(prepared));
      };
      const line = await EngineLine.open(suite.network(), suite.lineId(), undefined, hold.fate, { onChange });
      await line.pair(phone);
      await line.login();
      await line.say('once', bob.pn, 'BEFORESTOREFAILS');
      const prepared = await line.engine.prepare({ kind: 'text', body: 'twice' }, bob.pn, 'AGAINAFTERSTORE');
      hold.start();
      hold.end('refused');
      await expect(line.engine.transmit(prepared)).rejects.toMatchObject({ code: 'timeout' });
      hold.stop();
      await again.promise;
      await until('the message at the phone', () => bob.seen().some(({ id }) => id === prepared.id));
    });
  });
}

async function reopened(suite: Suite, line: EngineLine): Promise<EngineLine> {
  await line.close();
  const next = await EngineLine.open(suite.network(), line.id, line.store);
  await next.login();
  return next;
}
