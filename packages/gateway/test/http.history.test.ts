import type { ReceivedMessage } from '@ponte/engine';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { accept } from '../src/journal/accept.ts';
import { type Fact, fromEngine } from '../src/journal/from-engine.ts';
import { forEachStore } from './store-harness.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';

const BASE = '/api/bridge/v1';
const T0 = 1_777_000_000;

let h: HttpHarness;
let lineId: string;

/** A phone number, its chat and its LID from one small number. */
const person = (n: number) => ({
  jid: `${n}00@lid`,
  lid: `${n}00@lid`,
  pn: `3460000${String(n).padStart(4, '0')}@s.whatsapp.net`,
});
const phone = (n: number) => `+3460000${String(n).padStart(4, '0')}`;

async function take(...facts: Fact[]): Promise<void> {
  await h.db.store.transaction(async (tx) => {
    await accept(tx, { id: lineId, accountId: 'acc_one' }, facts, h.services.clock.now());
  });
}

function message(n: number, id: string, body: string, at: number, over: Partial<ReceivedMessage> = {}): Fact[] {
  const base = { id, chat: person(n), sender: person(n), fromMe: false, isGroup: false, pushName: `Person ${n}` };
  const rest = {
    timestamp: at,
    content: { kind: 'text', body } as const,
    mentions: [],
    mentionsAll: false,
    mentionsMe: false,
    forwarded: false,
    viewOnce: false,
  };
  return fromEngine(
    { type: 'message', message: { ...base, ...rest, proto: Buffer.of(1), ...over } },
    { source: 'test', isLive: true },
  );
}

type Listed = { message_id: string; body: string; jid: string };
const messages = async (query: string) => {
  const reply = await h.call('GET', `${BASE}/messages?line_id=${lineId}&${query}`);
  expect([reply.status, reply.text]).toEqual([200, reply.text]);
  return reply.body as { messages: Listed[]; next_before: string | null };
};
const chats = async (query = '') => {
  const reply = await h.call('GET', `${BASE}/chats?line_id=${lineId}${query}`);
  expect([reply.status, reply.text]).toEqual([200, reply.text]);
  return reply.body as { chats: { jid: string; phone: string }[]; next_cursor: string | null };
};
const found = async (q: string) =>
  (await messages(`q=${encodeURIComponent(q)}`)).messages.map((one) => one.message_id).sort();

forEachStore((open) => {
  beforeEach(async () => {
    h = await openHttp({ open });
    lineId = String((await h.call('POST', `${BASE}/lines`, { body: {} })).body.line_id);
  });
  afterEach(() => h.close());

  it('lists chats as published, the one with the newest message first', async () => {
    await take(
      ...message(1, 'A1', 'first', T0),
      ...message(2, 'B1', 'second', T0 + 5),
      ...message(1, 'A2', 'third', T0 + 9),
    );
    const { body } = await h.call('GET', `${BASE}/chats?line_id=${lineId}`);
    expect(body).toEqual({
      ok: true,
      chats: [
        {
          jid: person(1).pn,
          phone: phone(1),
          name: 'Person 1',
          is_group: false,
          archived: false,
          unread_count: 2,
          last_message: { id: 'A2', body: 'third', type: 'text', from_me: false, timestamp: T0 + 9, revoked: false },
          updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        },
        expect.objectContaining({ jid: person(2).pn, unread_count: 1 }),
      ],
      next_cursor: null,
    });
    await h.db.store.db.updateTable('chats').set({ archived: 1 }).where('jid', '=', person(2).jid).execute();
    expect((await chats('&archived=true')).chats.map(({ jid }) => jid)).toEqual([person(2).pn]);
    expect((await chats('&archived=false')).chats.map(({ jid }) => jid)).toEqual([person(1).pn]);
  });

  it('the chat of statuses is not called as whoever posted last', async () => {
    const posted = { chat: { jid: 'status@broadcast' } };
    await take(...message(1, 'S1', 'Open until nine', T0, posted), ...message(2, 'M1', 'Hello', T0 + 1));
    expect((await chats()).chats).toMatchObject([{ name: 'Person 2' }, { jid: 'status@broadcast', name: null }]);
    // As an older version stored it.
    await h.db.store.db.updateTable('chats').set({ name: 'Person 1' }).where('jid', '=', 'status@broadcast').execute();
    expect((await chats()).chats[1]).toMatchObject({ jid: 'status@broadcast', name: null });
  });

  it('pages of chats leave out and repeat nothing while messages come in', async () => {
    for (let n = 1; n <= 25; n += 1) await take(...message(n, `M${n}`, 'x', T0 + Math.floor(n / 3)));
    const seen: string[] = [];
    let next = '';
    for (let page = 0; page < 20; page += 1) {
      const answer = await chats(`&limit=4${next && `&cursor=${next}`}`);
      seen.push(...answer.chats.map(({ jid }) => jid));
      // One that was seen, one that never was, and a new one: none of them comes into a later page.
      await take(
        ...message(25, `S${page}`, 'again', T0 + 100 + page),
        ...message(90 + page, `N${page}`, 'new', T0 + 200 + page),
      );
      next = answer.next_cursor ?? '';
      if (next === '') break;
    }
    expect(seen).toHaveLength(25);
    expect(new Set(seen)).toEqual(new Set(Array.from({ length: 25 }, (_, i) => person(i + 1).pn)));
  });

  it('more than 500 chats or 200 messages are never answered at once; nonsense is refused by name', async () => {
    for (let from = 0; from < 510; from += 85) {
      await take(
        ...Array.from({ length: 85 }, (_, i) => message(from + i + 1, `C${from + i}`, 'x', T0 + from + i)).flat(),
      );
    }
    await take(...Array.from({ length: 210 }, (_, i) => message(1, `X${i}`, 'x', T0 + 1_000 + i)).flat());
    expect((await chats('&limit=9999')).chats).toHaveLength(500);
    expect((await messages(`phone=${encodeURIComponent(phone(1))}&limit=9999`)).messages).toHaveLength(200);
    for (const [query, path] of [
      ['limit=0', 'limit'],
      ['limit=x', 'limit'],
      ['cursor=%%', 'cursor'],
      ['cursor=bm9uc2Vuc2U', 'cursor'],
      ['archived=perhaps', 'archived'],
    ]) {
      const reply = await h.call('GET', `${BASE}/chats?line_id=${lineId}&${query}`);
      expect([query, reply.status, reply.body.error]).toEqual([query, 400, 'validation_error']);
      if (path !== 'cursor') expect(reply.body.details).toMatchObject([{ path }]);
    }
    expect((await h.call('GET', `${BASE}/messages?line_id=${lineId}`)).status).toBe(400);
    expect((await h.call('GET', `${BASE}/messages?line_id=${lineId}&phone=1555&jid=1555@s.whatsapp.net`)).status).toBe(
      400,
    );
    expect((await h.call('GET', `${BASE}/chats?line_id=line_nobody`)).body.error).toBe('line_not_found');
    expect((await h.call('GET', `${BASE}/chats?line_id=${lineId}`, { key: h.keys.stranger })).status).toBe(404);
  }, 30_000);

  it('lists the messages of a chat by phone, JID or LID, newest first, and pages by message or time', async () => {
    await take(...Array.from({ length: 7 }, (_, i) => message(1, `M${i}`, `body ${i}`, T0 + Math.floor(i / 2))).flat());
    await take(...message(2, 'OTHER', 'elsewhere', T0));
    for (const chat of [`phone=${encodeURIComponent(phone(1))}`, `jid=${person(1).pn}`, `jid=${person(1).lid}`]) {
      expect((await messages(chat)).messages.map(({ message_id }) => message_id)).toEqual([
        'M6',
        'M5',
        'M4',
        'M3',
        'M2',
        'M1',
        'M0',
      ]);
    }
    const first = await messages(`jid=${person(1).pn}&limit=3`);
    expect(first.next_before).toBe('M4');
    await take(...message(1, 'NEW', 'meanwhile', T0 + 50));
    const second = await messages(`jid=${person(1).pn}&limit=3&before=${first.next_before}`);
    expect(second.messages.map(({ message_id }) => message_id)).toEqual(['M3', 'M2', 'M1']);
    const last = await messages(`jid=${person(1).pn}&limit=3&before=${second.next_before}`);
    expect([last.messages.map(({ message_id }) => message_id), last.next_before]).toEqual([['M0'], null]);
    expect((await messages(`jid=${person(1).pn}&before=${T0 + 1}`)).messages.map((m) => m.message_id)).toEqual([
      'M1',
      'M0',
    ]);
    expect(
      (await h.call('GET', `${BASE}/messages?line_id=${lineId}&jid=${person(1).pn}&before=NOBODY`)).body.error,
    ).toBe('message_not_found');
    expect((await messages('phone=%2B34699999999')).messages).toEqual([]);
    expect(first.messages[0]).toEqual({
      message_id: 'M6',
      jid: person(1).pn,
      from: person(1).pn,
      from_me: false,
      type: 'text',
      body: 'body 6',
      media: null,
      quoted_message_id: null,
      status: 'delivered',
      timestamp: T0 + 3,
      name: 'Person 1',
      is_group: false,
      mentions: [],
      content: null,
      mentions_me: false,
      forwarded: false,
      view_once: false,
      expires_in_seconds: null,
      edited: false,
      revoked: false,
    });
  });

  it('finds messages by their words: without accents, in any case, by the beginning of a word, in this line only', async () => {
    await take(
      ...message(1, 'M1', 'Pedido CONFIRMADO, envío mañana a Córdoba', T0),
      ...message(2, 'M2', 'El pedido no está: www.example.com/pedido-1001', T0 + 1),
      ...message(3, 'M3', 'Заказ готов 👍 100%', T0 + 2),
      ...message(3, 'M4', '👍', T0 + 3),
    );
    expect(await found('pedido')).toEqual(['M1', 'M2']);
    expect(await found('PEDIDO confirm')).toEqual(['M1']);
    expect(await found('manana cordoba')).toEqual(['M1']);
    expect(await found('example 1001')).toEqual(['M2']);
    expect(await found('заказ')).toEqual(['M3']);
    expect(await found('100')).toEqual(['M2', 'M3']);
    expect(await found('pedido gato')).toEqual([]);
    expect((await messages(`q=pedido&jid=${person(2).pn}`)).messages.map((m) => m.message_id)).toEqual(['M2']);
    for (const hostile of [`"' OR 1=1 --`, 'NEAR(a b)', 'pedido:*', "a & | ! <-> ''", 'search : x', '\\', ')(']) {
      expect(
        (await h.call('GET', `${BASE}/messages?line_id=${lineId}&q=${encodeURIComponent(hostile)}`)).status,
      ).toBeLessThan(500);
    }
    expect((await h.call('GET', `${BASE}/messages?line_id=${lineId}&q=${encodeURIComponent('👍 !!')}`)).status).toBe(
      400,
    );
    const other = String((await h.call('POST', `${BASE}/lines`, { body: {} })).body.line_id);
    expect((await h.call('GET', `${BASE}/messages?line_id=${other}&q=pedido`)).body.messages).toEqual([]);
    await h.db.store.db.deleteFrom('messages').where('message_id', '=', 'M1').execute();
    expect(await found('pedido')).toEqual(['M2']);
  });

  it('tells how far a message came, with the same states as the events', async () => {
    await h.setLine(lineId, { status: 'connected', phone: '34611', jid: '34611@s.whatsapp.net', name: 'Shop' });
    h.router.scriptSends(async () => ({ state: 'failed', code: 'not_on_whatsapp', details: {} }));
    const before = Math.floor(Date.now() / 1_000);
    const sent = await h.call('POST', `${BASE}/messages/send`, {
      body: { line_id: lineId, to: phone(1), message: 'Hola' },
    });
    const row = await h.db.store.db.selectFrom('outbox').selectAll().executeTakeFirstOrThrow();
    expect(sent.status).toBe(422);
    const failed = await h.call('GET', `${BASE}/messages/${row.message_id}?line_id=${lineId}`);
    expect(failed.body).toMatchObject({
      status: 'failed',
      body: 'Hola',
      error: { code: 'not_on_whatsapp', message: expect.any(String), whatsapp_code: null },
      priority: 'normal',
      timeline: [{ state: 'accepted' }, { state: 'queued' }, { state: 'failed', error: { code: 'not_on_whatsapp' } }],
    });
    const timeline = failed.body.timeline as { timestamp: number }[];
    for (const { timestamp } of timeline) expect(timestamp).toBeGreaterThanOrEqual(before);
    await take(...message(2, 'IN', 'hi', T0));
    const received = await h.call('GET', `${BASE}/messages/IN?line_id=${lineId}`);
    expect(received.body).toMatchObject({
      from_me: false,
      timeline: [{ state: 'received', timestamp: T0, error: null }],
      send_at: null,
    });
    expect((await h.call('GET', `${BASE}/messages/NOBODY?line_id=${lineId}`)).body.error).toBe('message_not_found');
  });
});
