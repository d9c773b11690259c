import { afterEach, beforeEach, expect, it } from 'vitest';
import { accept } from '../src/journal/accept.ts';
import { fromEngine } from '../src/journal/from-engine.ts';
import { forEachStore } from './store-harness.ts';
import { type HttpHarness, type Reply as HttpReply, openHttp } from './support/http-harness.ts';

const PERSON = { jid: '34600000000@s.whatsapp.net', pn: '34600000000@s.whatsapp.net' };
const OWN = { jid: '34600111222@s.whatsapp.net', pn: '34600111222@s.whatsapp.net' };

let h: HttpHarness;
let lineId: string;
let time = 1_777_000_000;

async function write(id: string, fromMe = false): Promise<void> {
  time += 1;
  const message = {
    id,
    chat: PERSON,
    sender: fromMe ? OWN : PERSON,
    fromMe,
    isGroup: false,
    pushName: 'Ana',
    timestamp: time,
    content: { kind: 'text', body: id } as const,
    mentions: [],
    mentionsAll: false,
    mentionsMe: false,
    forwarded: false,
    viewOnce: false,
    proto: Buffer.of(1),
  };
  const facts = fromEngine({ type: 'message', message }, { source: 'test', isLive: true });
  await h.db.store.transaction(async (tx) => {
    await accept(tx, { id: lineId, accountId: 'acc_one' }, facts, h.services.clock.now());
  });
  h.news.tell();
}
const reply = (query = '') =>
  h.call('GET', `/api/bridge/v1/messages/reply?line_id=${lineId}&phone=%2B34600000000${query}`);
const idsOf = async (answer: ReturnType<typeof reply>) => {
  const { body } = await answer;
  return { ids: (body.messages as { message_id: string }[]).map(({ message_id: id }) => id), over: body.timed_out };
};

forEachStore((open) => {
  beforeEach(async () => {
    h = await openHttp({ open });
    lineId = String((await h.call('POST', '/api/bridge/v1/lines', { body: {} })).body.line_id);
  });
  afterEach(() => h.close());

  it('a reply is what came after the line’s newest message, or after the one named, oldest first', async () => {
    expect(await idsOf(reply('&wait=0'))).toEqual({ ids: [], over: true });
    await write('A');
    expect(await idsOf(reply('&wait=0'))).toEqual({ ids: ['A'], over: false });
    await write('MINE', true);
    expect(await idsOf(reply('&wait=0'))).toEqual({ ids: [], over: true });
    await write('B');
    await write('C');
    expect(await idsOf(reply())).toEqual({ ids: ['B', 'C'], over: false });
    expect(await idsOf(reply('&after=A'))).toEqual({ ids: ['B', 'C'], over: false });
    expect(await idsOf(reply('&after=B'))).toEqual({ ids: ['C'], over: false });
    const unknown = await reply('&after=NOBODY');
    expect([unknown.status, unknown.body.error]).toEqual([404, 'message_not_found']);
  });

  it('who waits hears of it as soon as it is there', async () => {
    await write('MINE', true);
    const waiting = idsOf(reply('&wait=60'));
    await write('YES');
    expect(await waiting).toEqual({ ids: ['YES'], over: false });
  });

  it('at most twenty calls of a key wait, and a closing server lets them go', async () => {
    await write('MINE', true);
    const waiting = Array.from({ length: 30 }, () => reply('&wait=60'));
    const refused = await new Promise<HttpReply>((resolve) => {
      let count = 0;
      for (const one of waiting)
        void one.then((answer) => {
          count += 1;
          if (count === 10) resolve(answer);
        });
    });
    expect(refused.body).toMatchObject({ error: { code: 'rate_limited', retryable: true } });
    h.news.close();
    const all = await Promise.all(waiting);
    const statuses = all.map(({ status, body }) => [status, body.timed_out]);
    expect(statuses.filter(([status]) => status === 429)).toHaveLength(10);
    expect(statuses.filter(([status, over]) => status === 200 && over)).toHaveLength(20);
    expect((await reply()).status).toBe(503);
  });
});
