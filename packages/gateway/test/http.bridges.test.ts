import { inflateSync } from 'node:zlib';
import decodeQR from 'qr/decode.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../src/core/app-error.ts';
import { forEachStore } from './store-harness.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';
import { insertMessage } from './support/rows.ts';

const CONNECTED = {
  status: 'connected',
  phone: '15550001234',
  jid: '15550001234@s.whatsapp.net',
  name: 'Alice',
} as const;

let h: HttpHarness;
const lineIdOf = async (ref: string): Promise<string> =>
  String((await h.call('GET', `/api/instances/${ref}`)).body.line_id);
const provision = async (ref = 'user-123', more: Record<string, unknown> = {}) =>
  h.call('POST', '/api/instances', { body: { customer_ref: ref, ...more } });
const connected = async (ref = 'user-123'): Promise<string> => {
  await provision(ref);
  const id = await lineIdOf(ref);
  await h.setLine(id, CONNECTED);
  return id;
};

forEachStore((open) => {
  beforeEach(async () => {
    h = await openHttp({ open });
  });
  afterEach(() => h.close());

  describe('provisioning', () => {
    it('answers the published example, with its members in order', async () => {
      const reply = await h.call('POST', '/api/instances', {
        body: { customer_ref: 'user-123', webhook_url: 'https://yourbackend.com/hook' },
      });
      expect(reply.status).toBe(200);
      expect(reply.text).toBe(`{"id":${reply.body.id},"customer_ref":"user-123","state":"running"}`);
      expect(Number.isInteger(reply.body.id)).toBe(true);
      expect(h.router.started).toEqual([await lineIdOf('user-123')]);
    });

    it('answers the existing bridge for the same customer_ref, unchanged, and starts nothing', async () => {
      const first = await provision('user-123', { webhook_url: 'https://one.example/hook' });
      const again = await provision('user-123', { webhook_url: 'https://two.example/hook' });
      expect(again.text).toBe(first.text);
      expect((await h.call('GET', '/api/instances/user-123')).body.webhook_url).toBe('https://one.example/hook');
      expect(h.router.started).toHaveLength(1);
    });

    it('makes one bridge of twenty requests at once', async () => {
      const replies = await Promise.all(
        Array.from({ length: 20 }, () => provision('race', { webhook_url: 'https://one.example/hook' })),
      );
      expect(new Set(replies.map((reply) => reply.text)).size).toBe(1);
      expect(replies.every((reply) => reply.status === 200)).toBe(true);
      expect(await h.db.store.db.selectFrom('webhooks').select('id').execute()).toHaveLength(1);
      expect(h.router.started).toHaveLength(1);
    });

    it.each(['', 'a b', 'x'.repeat(129), 'ä', 'a/b', 42, null, undefined])(
      'refuses the customer_ref %j',
      async (ref) => {
        const reply = await h.call('POST', '/api/instances', { body: { customer_ref: ref } });
        expect(reply.status).toBe(400);
        expect(reply.body).toMatchObject({ error: 'validation_error', details: [{ path: 'customer_ref' }] });
      },
    );

    it('refuses a webhook_url that deliveries may not go to, naming the field, and makes nothing', async () => {
      const reply = await provision('user-123', { webhook_url: 'http://10.0.0.1/hook' });
      expect(reply.status).toBe(400);
      expect(reply.body).toMatchObject({ error: 'validation_error', details: [{ path: 'webhook_url' }] });
      expect((await h.call('GET', '/api/instances')).body).toEqual([]);
    });

    it('lists bridges oldest first, and shows one with its process', async () => {
      const ids = [];
      for (const ref of ['c', 'a', 'b']) ids.push((await provision(ref)).body.id);
      const list = (await h.call('GET', '/api/instances')).body as unknown as Record<string, unknown>[];
      expect(list.map(({ id }) => id)).toEqual(ids);
      expect(Object.keys(list[0] ?? {})).toEqual(['id', 'customer_ref', 'state', 'created_at']);
      const one = await h.call('GET', '/api/instances/a');
      expect(one.body).toMatchObject({
        customer_ref: 'a',
        state: 'running',
        webhook_url: null,
        status: 'unpaired',
        manager: { health: 'healthy', started_at: '2026-01-01T00:00:00.000Z', fail_count: 0, worker: 'worker-1' },
      });
      expect(one.body.line_id).toMatch(/^line_/);
    });

    it('finds a bridge by its integer id; all digits are a customer_ref first', async () => {
      const first = await provision('plain');
      const number = Number(first.body.id);
      expect((await h.call('GET', `/api/instances/${number}`)).body.customer_ref).toBe('plain');
      await provision(String(number));
      expect((await h.call('GET', `/api/instances/${number}`)).body.customer_ref).toBe(String(number));
      expect((await h.call('GET', '/api/instances/999999999999999999999')).status).toBe(404);
    });

    it('takes every character a customer_ref may have, encoded or not', async () => {
      const ref = 'AZaz09._:@+-';
      await provision(ref);
      for (const path of [ref, encodeURIComponent(ref)]) {
        expect((await h.call('GET', `/api/instances/${path}`)).body.customer_ref).toBe(ref);
      }
      const long = 'x'.repeat(128);
      await provision(long);
      expect((await h.call('GET', `/api/instances/${long}/proxy/status`)).status).toBe(200);
    });

    it('changes the webhook_url, takes it away, and gives one to a bridge without', async () => {
      await provision('user-123');
      const patch = (body: unknown) => h.call('PATCH', '/api/instances/user-123', { body });
      expect((await patch({ webhook_url: 'https://one.example/a' })).body.webhook_url).toBe('https://one.example/a');
      expect((await patch({ webhook_url: 'https://one.example/b' })).body.webhook_url).toBe('https://one.example/b');
      expect((await patch({})).body.webhook_url).toBe('https://one.example/b');
      expect((await patch({ webhook_url: 'ftp://x' })).body).toMatchObject({ details: [{ path: 'webhook_url' }] });
      expect((await patch({ webhook_url: null })).body.webhook_url).toBeNull();
      expect((await patch({ webhook_events: ['message', 'nonsense'] })).status).toBe(400);
    });

    it('subscribes to the published events, and to further ones only when asked', async () => {
      await provision('a', { webhook_url: 'https://one.example/hook' });
      await provision('b', { webhook_url: 'https://one.example/hook', webhook_events: ['message', 'message_status'] });
      const rows = await h.db.store.db
        .selectFrom('webhooks')
        .select(['events', 'selectors'])
        .orderBy('created_at')
        .execute();
      const selectors = rows.map((row) => JSON.parse(row.selectors) as string[]);
      expect(selectors[0]).toContain('message.received');
      expect(selectors[0]).not.toContain('message.status');
      expect(selectors.find((one) => one.length === 2)).toEqual(['message.received', 'message.status']);
    });
  });

  describe('deleting', () => {
    it('unlinks, stops and deletes every row; the same ref starts afresh with a new id', async () => {
      const id = await connected();
      await h.call('PATCH', '/api/instances/user-123', { body: { webhook_url: 'https://one.example/hook' } });
      h.router.handlers.logout = async () => ({ unlinked: true });
      h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1 }));
      await h.call('POST', '/api/instances/user-123/proxy/send/text', {
        body: { chat: '15550001234', body: 'x' },
        headers: { 'idempotency-key': 'k' },
      });
      const before = (await h.call('GET', '/api/instances/user-123')).body.id;
      const reply = await h.call('DELETE', '/api/instances/user-123');
      expect([reply.status, reply.text]).toEqual([204, '']);
      expect(h.router.count('logout')).toBe(1);
      expect(h.router.stopped).toEqual([id]);
      expect((await h.call('DELETE', '/api/instances/user-123')).status).toBe(404);
      for (const table of ['lines', 'webhooks', 'outbox', 'idempotency'] as const) {
        expect(await h.db.store.db.selectFrom(table).selectAll().execute(), table).toEqual([]);
      }
      const after = await provision();
      expect(after.body.id).not.toBe(before);
    });

    it('is not stopped by a WhatsApp that does not answer', async () => {
      const id = await connected();
      h.router.handlers.logout = async () => {
        throw new AppError('whatsapp_timeout');
      };
      expect((await h.call('DELETE', '/api/instances/user-123')).status).toBe(204);
      expect(h.router.stopped).toEqual([id]);
      const [logout] = h.router.commands.filter(({ name }) => name === 'logout');
      expect(logout?.timeoutMs).toBeLessThanOrEqual(5_000);
    });
  });

  describe('another account, and the other mode', () => {
    it('sees nothing: every call answers as if the bridge did not exist', async () => {
      const id = await connected();
      h.router.commands.length = 0;
      const number = String((await h.call('GET', '/api/instances/user-123')).body.id);
      const calls = [
        ['GET', ''],
        ['PATCH', '', { webhook_url: 'https://evil.example/' }],
        ['DELETE', ''],
        ['GET', '/proxy/status'],
        ['GET', '/proxy/qr'],
        ['POST', '/proxy/pair', { phone: '15550001234' }],
        ['DELETE', '/proxy/logout'],
        ['POST', '/proxy/send/text', { chat: '15550001234', body: 'x' }],
        ['POST', '/proxy/messages/M1/read', { chat: '15550001234' }],
        ['POST', '/proxy/contacts/check', { phones: ['15550001234'] }],
        ['GET', '/proxy/debug/stats'],
      ] as const;
      for (const key of [h.keys.stranger, h.keys.live]) {
        for (const [method, path, body] of calls) {
          for (const name of ['user-123', number, id]) {
            const foreign = await h.call(method, `/api/instances/${name}${path}`, { key, body });
            const missing = await h.call(method, `/api/instances/nobody${path}`, { key, body });
            expect([foreign.status, foreign.text], `${method} ${path}`).toEqual([404, missing.text]);
            expect(foreign.body.error).toBe('bridge_not_found');
          }
        }
        expect((await h.call('GET', '/api/instances', { key })).body).toEqual([]);
      }
      expect(h.router.commands).toEqual([]);
      const mine = await h.call('POST', '/api/instances', { key: h.keys.stranger, body: { customer_ref: 'user-123' } });
      expect(String(mine.body.id)).not.toBe(number);
    });
  });
});

describe('a session', () => {
  beforeEach(async () => {
    h = await openHttp();
  });
  afterEach(() => h.close());

  it('tells phone, jid and name while connected, as published', async () => {
    const id = await connected();
    const status = () => h.call('GET', '/api/instances/user-123/proxy/status');
    expect((await status()).text).toBe(
      '{"status":"connected","phone":"15550001234","jid":"15550001234@s.whatsapp.net","name":"Alice"}',
    );
    await h.setLine(id, { ...CONNECTED, jid: '15550001234:7@s.whatsapp.net' });
    expect((await status()).body.jid).toBe('15550001234@s.whatsapp.net');
    await h.setLine(id, { ...CONNECTED, status: 'disconnected' });
    expect((await status()).text).toBe('{"status":"disconnected"}');
  });

  it('never calls a bridge connected whose worker is gone', async () => {
    await connected();
    h.router.processView = { ...h.router.processView, state: 'failed', worker: null };
    expect((await h.call('GET', '/api/instances/user-123/proxy/status')).body.status).toBe('disconnected');
    h.router.processView = { ...h.router.processView, state: 'starting' };
    expect((await h.call('GET', '/api/instances/user-123/proxy/status')).body.status).toBe('connecting');
  });

  it('shows its QR as an image that scans, and in three other forms', async () => {
    await provision();
    const data = 'https://wa.me/settings/linked_devices#2@abc,noise,identity,adv,1';
    h.router.handlers['pairing.qr'] = async () => ({ data, expiresAt: Date.UTC(2026, 0, 1) });
    const png = await h.call('GET', '/api/instances/user-123/proxy/qr');
    expect([png.status, png.headers['content-type'], png.headers['cache-control']]).toEqual([
      200,
      'image/png',
      'no-store',
    ]);
    const image = readPng(png.bytes);
    expect(image.width).toBeGreaterThanOrEqual(264);
    expect(decodeQR(image)).toBe(data);
    const svg = await h.call('GET', '/api/instances/user-123/proxy/qr?format=svg');
    expect([svg.headers['content-type'], svg.text.includes('<svg')]).toEqual(['image/svg+xml', true]);
    const text = await h.call('GET', '/api/instances/user-123/proxy/qr?format=text');
    expect(text.headers['content-type']).toBe('text/plain; charset=utf-8');
    const json = await h.call('GET', '/api/instances/user-123/proxy/qr?format=json');
    expect(json.body).toEqual({ qr: data, expires_at: '2026-01-01T00:00:00.000Z' });
    expect((await h.call('GET', '/api/instances/user-123/proxy/qr?format=gif')).body).toMatchObject({
      error: 'validation_error',
      details: [{ path: 'format' }],
    });
    expect(h.router.commands[0]).toMatchObject({ input: { waitMs: 20_000 } });
  });

  it('pairs by code, refuses a paired bridge, and logs out', async () => {
    await provision();
    h.router.handlers['pairing.code'] = async (_, { phone }) => ({
      code: phone === '15550001234' ? 'ABCD-EFGH' : '',
      expiresAt: 1,
    });
    const pair = (phone: string) => h.call('POST', '/api/instances/user-123/proxy/pair', { body: { phone } });
    expect((await pair('+1 555 000 1234')).text).toBe('{"code":"ABCD-EFGH"}');
    expect((await pair('hello')).body).toMatchObject({ error: 'validation_error', details: [{ path: 'phone' }] });
    h.router.handlers['pairing.code'] = h.router.handlers['pairing.qr'] = async () => {
      throw new AppError('already_paired');
    };
    expect(await pair('15550001234')).toMatchObject({ status: 409, body: { error: 'already_paired' } });
    expect(await h.call('GET', '/api/instances/user-123/proxy/qr')).toMatchObject({
      status: 409,
      body: { error: 'already_paired' },
    });
    h.router.handlers.logout = async () => ({ unlinked: true });
    expect((await h.call('DELETE', '/api/instances/user-123/proxy/logout')).text).toBe('{"ok":true}');
  });

  it('is alive without a key, and says nothing about the bridge', async () => {
    await provision();
    for (const name of ['user-123', 'nobody', '%20']) {
      const reply = await h.call('GET', `/api/instances/${name}/proxy/healthz`, { key: null });
      expect([reply.status, reply.text]).toEqual([200, '{"ok":true}']);
    }
  });

  it('gives the published figures in order, null where the runtime has none', async () => {
    await provision();
    h.router.handlers.stats = async () => ({
      worker: 'worker-1',
      linesInWorker: 3,
      heapUsedBytes: 14 * 1_048_576,
      heapTotalBytes: 32 * 1_048_576,
      rssBytes: 1,
      eventLoopLagMs: 0.5,
      cpuSeconds: 1,
      gcCycles: 3,
      totalAllocatedBytes: 50 * 1_048_576,
    });
    expect((await h.call('GET', '/api/instances/user-123/proxy/debug/stats')).text).toBe(
      '{"goroutines":null,"heap_alloc_mb":14,"heap_sys_mb":32,"heap_objects":null,"total_alloc_mb":50,"gc_cycles":3,' +
        '"next_gc_mb":null,"media_cache_size":0,"worker":"worker-1","lines_in_worker":3,"event_loop_lag_ms":0.5}',
    );
  });
});

describe('messaging', () => {
  beforeEach(async () => {
    h = await openHttp();
  });
  afterEach(() => h.close());
  const send = (body: unknown, query = '') =>
    h.call('POST', `/api/instances/user-123/proxy/send/text${query}`, { body });

  it('sends a text and answers id and time of the acknowledgement, as published', async () => {
    await connected();
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1777180605 }));
    const reply = await send({ chat: '15550001234', body: 'Hello!' });
    expect(reply.status).toBe(200);
    expect(reply.text).toMatch(/^\{"message_id":"3EB0[0-9A-F]{18}","timestamp":1777180605\}$/);
    const row = await h.db.store.db.selectFrom('outbox').selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({
      message_id: reply.body.message_id,
      to_jid: '15550001234@s.whatsapp.net',
      state: 'sent',
    });
    expect(JSON.parse(row.content)).toEqual({ kind: 'text', body: 'Hello!', context: {} });
  });

  it.each([
    ['15550001234', '15550001234@s.whatsapp.net'],
    ['+1 555 000 1234', '15550001234@s.whatsapp.net'],
    ['0034 600-000-000', '34600000000@s.whatsapp.net'],
    ['15550001234@s.whatsapp.net', '15550001234@s.whatsapp.net'],
    ['123@lid', '123@lid'],
    ['120363000000000000@g.us', '120363000000000000@g.us'],
    ['status@broadcast', 'status@broadcast'],
  ])('takes the chat %s', async (chat, jid) => {
    const lineId = await connected();
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1 }));
    // A quote stays in its chat.
    await insertMessage(h.db.store, lineId, { messageId: 'Q1', chat: { jid } });
    // A status asks who may see it.
    h.router.handlers['account.statusAudience'] = async () => [
      { type: 'whitelist', people: ['15550009999@s.whatsapp.net'], isDefault: true },
    ];
    expect((await send({ chat, body: 'x', mentions: ['+1 555 000 9999'], quoted_message_id: 'Q1' })).status).toBe(200);
    const row = await h.db.store.db.selectFrom('outbox').selectAll().executeTakeFirstOrThrow();
    expect(row.to_jid).toBe(jid);
    expect(JSON.parse(row.content)).toMatchObject({
      context: { quotedId: 'Q1', mentions: ['15550009999@s.whatsapp.net'] },
    });
  });

  it.each([
    [{ chat: 'nobody', body: 'x' }, 'chat'],
    [{ chat: '123', body: 'x' }, 'chat'],
    [{ chat: 'a@b.c', body: 'x' }, 'chat'],
    [{ body: 'x' }, 'chat'],
    [{ chat: '15550001234' }, 'body'],
    [{ chat: '15550001234', body: '' }, 'body'],
    [{ chat: '15550001234', body: 'x'.repeat(65_537) }, 'body'],
    [{ chat: '15550001234', body: 'a\u0000b' }, 'body'],
    [{ chat: '15550001234', body: 'x', mentions: ['zz'] }, 'mentions.0'],
  ])('refuses %j at %s and accepts nothing', async (body, path) => {
    await connected();
    const reply = await send(body);
    expect(reply.status).toBe(400);
    expect(reply.body).toMatchObject({ error: 'validation_error', details: [{ path }] });
    expect(await h.db.store.db.selectFrom('outbox').selectAll().execute()).toEqual([]);
  });

  it('refuses while the bridge is not connected, says its state, and accepts nothing', async () => {
    await provision();
    const reply = await send({ chat: '15550001234', body: 'x' });
    expect(reply.status).toBe(409);
    expect(reply.body).toMatchObject({ error: 'not_connected', status: 'unpaired' });
    expect(await h.db.store.db.selectFrom('outbox').selectAll().execute()).toEqual([]);
  });

  it('answers 202 with the same id when its turn has not come in time; the message stays accepted', async () => {
    await connected();
    h.router.handlers.send = () => new Promise(() => {});
    const before = Math.floor(Date.now() / 1_000);
    const reply = await send({ chat: '15550001234', body: 'x' }, '?wait=0');
    expect(reply.status).toBe(202);
    expect(Object.keys(reply.body)).toEqual(['message_id', 'timestamp', 'status']);
    expect(reply.body.status).toBe('queued');
    expect(Number(reply.body.timestamp)).toBeGreaterThanOrEqual(before);
    expect(h.router.count('send')).toBe(1);
    expect((await send({ chat: '15550001234', body: 'x' }, '?wait=-1')).body).toMatchObject({
      details: [{ path: 'wait' }],
    });
  });

  it('asks again when the worker is gone for a moment, and counts its end from the row', async () => {
    await connected();
    let calls = 0;
    h.router.handlers.send = async (_, { outboxId }) => {
      calls += 1;
      if (calls === 1) throw new AppError('line_failed');
      await h.router.end(outboxId, { state: 'sent', timestamp: 77 });
      return { state: 'sent', timestamp: 77 };
    };
    expect(await send({ chat: '15550001234', body: 'x' })).toMatchObject({ status: 200, body: { timestamp: 77 } });
    h.router.handlers.send = async (_, { outboxId }) => {
      await h.router.end(outboxId, { state: 'sent', timestamp: 78 });
      throw new AppError('whatsapp_timeout');
    };
    expect(await send({ chat: '15550001234', body: 'x' })).toMatchObject({ status: 200, body: { timestamp: 78 } });
  });

  it.each([
    ['not_on_whatsapp', {}, 422, 'not_on_whatsapp'],
    ['whatsapp_error', { whatsapp_code: 463 }, 502, 'whatsapp_error'],
    ['whatsapp_timeout', {}, 504, 'whatsapp_timeout'],
    ['line_not_connected', { status: 'logged_out' }, 409, 'not_connected'],
  ] as const)('a message that ends in %s says so', async (code, details, status, word) => {
    await connected();
    h.router.scriptSends(async () => ({ state: 'failed', code, details }));
    const reply = await send({ chat: '15550001234', body: 'x' });
    expect([reply.status, reply.body.error]).toEqual([status, word]);
    if (code === 'whatsapp_error') expect(reply.body.details).toEqual({ whatsapp_code: 463 });
    if (code === 'line_not_connected') expect(reply.body.status).toBe('logged_out');
  });

  it('refuses when too many messages wait, with a time, and accepts nothing', async () => {
    await h.close();
    h = await openHttp({ maxWaitingSends: 2 });
    await connected();
    h.router.handlers.send = () => new Promise(() => {});
    for (let i = 0; i < 2; i += 1) expect((await send({ chat: '15550001234', body: 'x' }, '?wait=0')).status).toBe(202);
    const reply = await send({ chat: '15550001234', body: 'x' }, '?wait=0');
    expect([reply.status, reply.body.error]).toEqual([429, 'rate_limited']);
    expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
    expect(await h.db.store.db.selectFrom('outbox').select('id').execute()).toHaveLength(2);
  });

  it('sends read receipts; in groups it names the author', async () => {
    await connected();
    h.router.handlers['messages.read'] = async () => ({});
    const lineId = String((await h.call('GET', '/api/instances/user-123')).body.line_id);
    const theirs = { fromMe: false, sender: { jid: '15550009999@s.whatsapp.net', pn: '15550009999@s.whatsapp.net' } };
    const inChat = { jid: '15550001234@s.whatsapp.net', pn: '15550001234@s.whatsapp.net' };
    await insertMessage(h.db.store, lineId, { messageId: 'M1', chat: inChat, ...theirs });
    const read = (body: unknown) => h.call('POST', '/api/instances/user-123/proxy/messages/M1/read', { body });
    expect((await read({ chat: '15550001234@s.whatsapp.net' })).text).toBe('{"ok":true}');
    expect(await read({ chat: '120363000000000000@g.us' })).toMatchObject({
      status: 404,
      body: { error: 'message_not_found' },
    });
    const inGroup = { chat: { jid: '120363000000000000@g.us' }, isGroup: true };
    await insertMessage(h.db.store, lineId, { messageId: 'M1', ...inGroup, ...theirs });
    expect((await read({ chat: '120363000000000000@g.us', sender: '15550009999', played: true })).status).toBe(200);
    expect(h.router.commands.map(({ input }) => input)).toEqual([
      { chat: '15550001234@s.whatsapp.net', ids: ['M1'], sender: undefined, played: false },
      { chat: '120363000000000000@g.us', ids: ['M1'], sender: '15550009999@s.whatsapp.net', played: true },
    ]);
  });

  it('checks numbers in the order asked, as published, and asks WhatsApp about possible ones only', async () => {
    await connected();
    h.router.handlers['numbers.check'] = async (_, { phones }) =>
      phones.map((phone) => ({ phone, registered: true, isBusiness: false })).reverse();
    const check = (phones: unknown) =>
      h.call('POST', '/api/instances/user-123/proxy/contacts/check', { body: { phones } });
    expect((await check(['15550001234', '00000000000'])).text).toBe(
      '[{"phone":"15550001234","registered":true,"is_business":false},{"phone":"00000000000","registered":false}]',
    );
    await check(['15550001111', '+1 555 000 2222', '15550001111']);
    expect(h.router.commands.map(({ input }) => input)).toEqual([
      { phones: ['15550001234'] },
      { phones: ['15550001111', '15550002222'] },
    ]);
    for (const bad of [[], Array.from({ length: 101 }, () => '1'), ['hello'], 'x', [5]]) {
      expect((await check(bad)).status).toBe(400);
    }
  });
});

/** The pixels of our PNG: 1 bit, grey, no filter. */
function readPng(png: Buffer): { width: number; height: number; data: Uint8Array } {
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const rows = inflateSync(Buffer.concat(parts));
  const stride = Math.ceil(width / 8) + 1;
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const bit = ((rows[y * stride + 1 + (x >> 3)] ?? 0) >> (7 - (x & 7))) & 1;
      data.set([bit * 255, bit * 255, bit * 255, 255], (y * width + x) * 4);
    }
  }
  return { width, height, data };
}
