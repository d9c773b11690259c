import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Services } from '../src/commands/context.ts';
import { AppError } from '../src/core/app-error.ts';
import { forEachStore } from './store-harness.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';
import { insertMessage } from './support/rows.ts';

const BASE = '/api/bridge/v1';
const CONNECTED = {
  status: 'connected',
  phone: '34600111222',
  jid: '34600111222@s.whatsapp.net',
  name: 'Shop',
} as const;

let h: HttpHarness;
const create = async (body: Record<string, unknown> = {}, key?: string): Promise<string> =>
  String((await h.call('POST', `${BASE}/lines`, { body, key })).body.line_id);
const connected = async (): Promise<string> => {
  const id = await create({ label: 'Support' });
  await h.setLine(id, CONNECTED);
  return id;
};

forEachStore((open) => {
  beforeEach(async () => {
    h = await openHttp({ open });
  });
  afterEach(() => h.close());

  describe('the account', () => {
    it('me tells account, plan, subscription, period and key; never the key itself', async () => {
      const reply = await h.call('GET', `${BASE}/me`);
      expect(reply.body).toMatchObject({
        ok: true,
        account: { id: 'acc_one', name: 'acc_one' },
        plan: { name: 'default', limits: { sent_messages: null, webhook_events: null, lines: null } },
        subscription: { status: 'active' },
        api_key: { name: 'a key', mode: 'test', scopes: ['*'] },
      });
      const { start, end } = reply.body.period as { start: string; end: string };
      expect(start).toMatch(/^\d{4}-\d\d-01T00:00:00\.000Z$/);
      expect(Date.parse(end)).toBeGreaterThan(Date.now());
      expect(reply.text).not.toContain(h.keys.test);
    });

    it('usage counts what was sent and what exists, of this key’s mode', async () => {
      const id = await connected();
      h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1 }));
      const send = () =>
        h.call('POST', `${BASE}/messages/send`, { body: { line_id: id, to: '+34600000000', message: 'x' } });
      await send();
      await send();
      h.router.scriptSends(async () => ({ state: 'failed', code: 'not_on_whatsapp', details: {} }));
      await send();
      const metrics = async (key: string) => (await h.call('GET', `${BASE}/usage`, { key })).body.metrics;
      expect(await metrics(h.keys.test)).toEqual({
        sent_messages: { used: 2, limit: null },
        webhook_events: { used: 0, limit: null },
        lines: { used: 1, limit: null },
      });
      expect(await metrics(h.keys.live)).toMatchObject({ sent_messages: { used: 0 }, lines: { used: 0 } });
    });
  });

  describe('lines', () => {
    it('are created, listed, shown, changed and deleted', async () => {
      const made = await h.call('POST', `${BASE}/lines`, { body: { label: 'Support', customer_ref: 'user-1' } });
      const id = String(made.body.line_id);
      const line = {
        line_id: id,
        label: 'Support',
        status: 'unpaired',
        phone: null,
        name: null,
        mode: 'test',
        customer_ref: 'user-1',
        created_at: expect.stringMatching(/Z$/),
        connected_at: null,
        lid: null,
        status_reason: null,
        status_until: null,
        status_code: null,
        status_remedy: null,
        credentials_kept_until: null,
      };
      expect(made.body).toEqual({ ok: true, ...line });
      expect((await h.call('GET', `${BASE}/lines`)).body).toEqual({ ok: true, lines: [line] });
      expect((await h.call('GET', `${BASE}/lines/${id}`)).body).toEqual({ ok: true, ...line });
      await h.setLine(id, CONNECTED);
      const shown = (await h.call('GET', `${BASE}/lines/${id}`)).body;
      expect(shown).toMatchObject({ status: 'connected', phone: '+34600111222', name: 'Shop' });
      expect(shown.connected_at).not.toBeNull();
      const patched = await h.call('PATCH', `${BASE}/lines/${id}`, { body: { label: null, customer_ref: 'user-2' } });
      expect(patched.body).toMatchObject({ label: null, customer_ref: 'user-2' });
      h.router.handlers.logout = async () => ({ unlinked: true });
      expect((await h.call('DELETE', `${BASE}/lines/${id}`)).body).toEqual({ ok: true, line_id: id, deleted: true });
      expect((await h.call('GET', `${BASE}/lines/${id}`)).body.error).toBe('line_not_found');
      expect(h.router.stopped).toEqual([id]);
    });

    it('need no body; one customer_ref is one line; a taken one is refused on change', async () => {
      expect((await h.call('POST', `${BASE}/lines`)).status).toBe(200);
      const [a, b] = await Promise.all([create({ customer_ref: 'same' }), create({ customer_ref: 'same' })]);
      expect(a).toBe(b);
      const other = await create();
      const refused = await h.call('PATCH', `${BASE}/lines/${other}`, { body: { customer_ref: 'same' } });
      expect([refused.status, refused.body]).toMatchObject([400, { details: [{ path: 'customer_ref' }] }]);
      expect((await h.call('PATCH', `${BASE}/lines/${a}`, { body: { customer_ref: 'same' } })).status).toBe(200);
    });

    it('are also bridges, and bridges are also lines', async () => {
      const id = await create({ customer_ref: 'both' });
      expect((await h.call('GET', '/api/instances/both')).body.line_id).toBe(id);
    });

    it('of another account or mode answer like missing ones, everywhere', async () => {
      const id = await connected();
      h.router.commands.length = 0;
      const calls = [
        ['GET', `/lines/${id}`],
        ['PATCH', `/lines/${id}`, { label: 'x' }],
        ['DELETE', `/lines/${id}`],
        ['GET', `/lines/${id}/qr`],
        ['POST', `/lines/${id}/pair`, { phone: '+34600000000' }],
        ['POST', `/lines/${id}/logout`],
        ['POST', '/messages/send', { line_id: id, to: '+34600000000', message: 'x' }],
        ['POST', '/messages/read', { line_id: id, phone: '+34600000000', message_ids: ['M'] }],
        ['POST', '/webhooks', { url: 'https://a.example/', events: ['*'], line_id: id }],
      ] as const;
      for (const key of [h.keys.stranger, h.keys.live]) {
        for (const [method, path, body] of calls) {
          const reply = await h.call(method, BASE + path, { key, body });
          expect([reply.status, reply.body.error], `${method} ${path}`).toEqual([404, 'line_not_found']);
        }
        expect((await h.call('GET', `${BASE}/lines`, { key })).body).toEqual({ ok: true, lines: [] });
      }
      expect(h.router.commands).toEqual([]);
    });

    it('pair by QR or code, and log out', async () => {
      const id = await create();
      h.router.handlers['pairing.qr'] = async () => ({ data: 'the-qr', expiresAt: Date.UTC(2026, 0, 1) });
      expect((await h.call('GET', `${BASE}/lines/${id}/qr`)).body).toEqual({
        ok: true,
        line_id: id,
        qr: 'the-qr',
        expires_at: '2026-01-01T00:00:00.000Z',
      });
      expect((await h.call('GET', `${BASE}/lines/${id}/qr?format=png`)).headers['content-type']).toBe('image/png');
      h.router.handlers['pairing.code'] = async () => ({ code: 'ABCD-EFGH', expiresAt: Date.UTC(2026, 0, 1) });
      expect(
        (await h.call('POST', `${BASE}/lines/${id}/pair`, { body: { phone: '+34 600 000 000' } })).body,
      ).toMatchObject({
        ok: true,
        code: 'ABCD-EFGH',
      });
      h.router.handlers.logout = async () => ({ unlinked: false });
      expect((await h.call('POST', `${BASE}/lines/${id}/logout`)).body).toEqual({
        ok: true,
        line_id: id,
        unlinked: false,
      });
    });
  });

  describe('messages', () => {
    it('are sent as published', async () => {
      const id = await connected();
      h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1777180605 }));
      const reply = await h.call('POST', `${BASE}/messages/send`, {
        body: { line_id: id, to: '+34600000000', message: 'Pedido confirmado' },
      });
      expect(reply.status).toBe(200);
      expect(reply.body).toEqual({
        ok: true,
        message_id: expect.stringMatching(/^3EB0[0-9A-F]{18}$/),
        line_id: id,
        to: '+34600000000',
        chat_id: '34600000000@s.whatsapp.net',
        status: 'sent',
        timestamp: 1777180605,
      });
    });

    it.each(['+34600000000', '34600000000', '0034 600 000 000', '+34 600-000-000'])(
      'take the number %s',
      async (to) => {
        const id = await connected();
        h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1 }));
        const reply = await h.call('POST', `${BASE}/messages/send`, { body: { line_id: id, to, message: 'x' } });
        expect(reply.body).toMatchObject({ to: '+34600000000', chat_id: '34600000000@s.whatsapp.net' });
      },
    );

    it.each([
      [{ to: 'hello' }, 'to'],
      [{ to: '123' }, 'to'],
      [{ message: '' }, 'message'],
      [{ message: undefined }, 'message'],
      [{ line_id: undefined }, 'line_id'],
      [{ archive_policy: 'sometimes' }, 'archive_policy'],
    ])('with %j are refused at %s', async (change, path) => {
      const body = { line_id: 'line_xxx', to: '+34600000000', message: 'x', ...change };
      const reply = await h.call('POST', `${BASE}/messages/send`, { body });
      expect(reply.status).toBe(400);
      expect(reply.body).toMatchObject({ error: 'validation_error', message: expect.any(String), details: [{ path }] });
    });

    it('for an unknown, an unpaired and a failing line say what is wrong, in the right form', async () => {
      const send = (line_id: string) =>
        h.call('POST', `${BASE}/messages/send?wait=0`, { body: { line_id, to: '+34600000000', message: 'x' } });
      expect(await send('line_xxx')).toMatchObject({ status: 404, body: { error: 'line_not_found' } });
      const id = await create();
      expect(await send(id)).toMatchObject({ status: 409, body: { error: 'line_not_connected', status: 'unpaired' } });
      await h.setLine(id, CONNECTED);
      h.router.scriptSends(async () => ({ state: 'failed', code: 'not_on_whatsapp', details: {} }));
      expect(
        await h.call('POST', `${BASE}/messages/send`, { body: { line_id: id, to: '+34600000000', message: 'x' } }),
      ).toMatchObject({ status: 422, body: { error: 'not_on_whatsapp' } });
      h.router.handlers['pairing.qr'] = async () => {
        throw new AppError('line_failed');
      };
      const failing = await h.call('GET', `${BASE}/lines/${id}/qr`);
      expect(failing.status).toBe(503);
      expect(failing.body).toEqual({
        ok: false,
        error: { code: 'unavailable', message: expect.any(String), retryable: true },
      });
      expect(Number(failing.headers['retry-after'])).toBeGreaterThan(0);
    });

    it('are marked as read: some, or all that is unread in the chat', async () => {
      const id = await connected();
      h.router.handlers['messages.read'] = async () => ({});
      const ana = { jid: '34600000000@s.whatsapp.net', pn: '34600000000@s.whatsapp.net' };
      for (const messageId of ['M1', 'M2']) {
        await insertMessage(h.db.store, id, { messageId, chat: ana, sender: ana, fromMe: false });
      }
      const read = (body: Record<string, unknown>) =>
        h.call('POST', `${BASE}/messages/read`, { body: { line_id: id, ...body } });
      expect((await read({ phone: '+34 600 000 000', message_ids: ['M1', 'M2'] })).body).toEqual({
        ok: true,
        line_id: id,
        jid: '34600000000@s.whatsapp.net',
        message_ids: ['M1', 'M2'],
      });
      expect(await read({ phone: '+34600000000' })).toMatchObject({ status: 404, body: { error: 'chat_not_found' } });
      expect(await read({})).toMatchObject({ status: 400, body: { details: [{ path: 'jid' }] } });
      expect(await read({ jid: '1@lid', phone: '+34600000000' })).toMatchObject({ status: 400 });
      await writeChat(id);
      expect((await read({ phone: '+34600000000' })).body.message_ids).toEqual(['M5', 'M4']);
      expect((await read({ jid: '9@lid' })).body.message_ids).toEqual([]);
      expect(h.router.commands.map(({ input }) => input)).toEqual([
        { chat: '34600000000@s.whatsapp.net', ids: ['M1', 'M2'], sender: undefined, played: false },
        { chat: '34600000000@s.whatsapp.net', ids: ['M5', 'M4'], sender: undefined, played: false },
      ]);
    });
  });

  describe('webhooks', () => {
    it('are created with a secret shown once, listed, shown and deleted', async () => {
      const made = await h.call('POST', `${BASE}/webhooks`, {
        body: {
          url: 'https://yourbackend.com/hook',
          events: ['message.received', 'message.status'],
          description: 'CRM',
        },
      });
      expect(made.status).toBe(200);
      expect(made.body).toMatchObject({ ok: true, secret: expect.stringMatching(/^wzb_whsec_[A-Za-z0-9]{40}$/) });
      const { secret, standard_secret: standard, ok: _, ...webhook } = made.body;
      expect(standard).toBe(String(secret).replace('wzb_', ''));
      expect(webhook).toEqual({
        id: expect.stringMatching(/^whk_/),
        url: 'https://yourbackend.com/hook',
        events: ['message.received', 'message.status'],
        line_id: null,
        description: 'CRM',
        status: 'enabled',
        disabled_reason: null,
        created_at: expect.stringMatching(/Z$/),
        filters: null,
        strict_order: false,
        rotating_until: null,
      });
      const list = await h.call('GET', `${BASE}/webhooks`);
      expect(list.body).toEqual({ ok: true, webhooks: [webhook] });
      expect(list.text).not.toContain(String(secret).slice(4));
      const queue = { pending: 0, dead: 0, failing_since: null, blocked_on: null };
      expect((await h.call('GET', `${BASE}/webhooks/${webhook.id}`)).body).toEqual({ ok: true, ...webhook, ...queue });
      for (const [method, path] of [
        ['GET', ''],
        ['DELETE', ''],
        ['POST', '/test'],
      ] as const) {
        const foreign = await h.call(method, `${BASE}/webhooks/${webhook.id}${path}`, { key: h.keys.stranger });
        expect([foreign.status, foreign.body.error]).toEqual([404, 'webhook_not_found']);
      }
      expect((await h.call('DELETE', `${BASE}/webhooks/${webhook.id}`)).body).toEqual({
        ok: true,
        id: webhook.id,
        deleted: true,
      });
      expect((await h.call('GET', `${BASE}/webhooks/${webhook.id}`)).body.error).toBe('webhook_not_found');
    });

    it.each([
      [{ url: 'http://10.0.0.1/' }, 'url'],
      [{ url: 5 }, 'url'],
      [{ events: [] }, 'events'],
      [{ events: ['message.nonsense'] }, 'events.0'],
      [{ events: 'message.received' }, 'events'],
    ])('with %j are refused at %s', async (change, path) => {
      const body = { url: 'https://a.example/', events: ['*'], ...change };
      const reply = await h.call('POST', `${BASE}/webhooks`, { body });
      expect(reply.status).toBe(400);
      expect(reply.body).toMatchObject({ error: 'validation_error', details: [{ path }] });
    });

    it('keep the webhook_url of bridges to themselves', async () => {
      await h.call('POST', '/api/instances', { body: { customer_ref: 'a', webhook_url: 'https://a.example/' } });
      expect((await h.call('GET', `${BASE}/webhooks`)).body).toEqual({ ok: true, webhooks: [] });
    });
  });
});

describe('a webhook test', () => {
  afterEach(() => h.close());

  it('tells what the endpoint answered', async () => {
    const asked: unknown[] = [];
    const testWebhook: Services['testWebhook'] = async (target) => {
      asked.push(target);
      return { ok: false, statusCode: 500, durationMs: 12, responseExcerpt: 'oops', errorClass: null };
    };
    h = await openHttp({ testWebhook });
    const made = await h.call('POST', `${BASE}/webhooks`, { body: { url: 'https://a.example/', events: ['*'] } });
    const reply = await h.call('POST', `${BASE}/webhooks/${made.body.id}/test`);
    expect(reply.body).toEqual({ ok: false, status_code: 500, duration_ms: 12, response_excerpt: 'oops' });
    expect(asked).toEqual([{ accountId: 'acc_one', mode: 'test', id: made.body.id }]);
  });
});

forEachStore((open) => {
  afterEach(() => h.close());

  it('a plan with limits lets exactly its number of messages and lines through, also at once, and says used, limit and plan', async () => {
    h = await openHttp({ open, plans: { default: { sent_messages: 5, webhook_events: null, lines: 2 } } });
    const id = await connected();
    h.router.scriptSends(async () => ({ state: 'failed', code: 'not_on_whatsapp', details: {} }));
    const send = () =>
      h.call('POST', `${BASE}/messages/send`, { body: { line_id: id, to: '+34600000000', message: 'x' } });
    await send();
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1 }));
    const replies = await Promise.all(Array.from({ length: 12 }, send));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(5);
    const refused = replies.find(({ status }) => status === 429);
    expect(refused?.body).toEqual({
      error: 'quota_exceeded',
      message: 'Monthly quota exceeded',
      metric: 'sent_messages',
      used: 5,
      limit: 5,
      plan: 'default',
    });
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(0);
    await create();
    const third = await h.call('POST', '/api/instances', { body: { customer_ref: 'third' } });
    expect(third).toMatchObject({
      status: 429,
      body: { error: 'line_limit_reached', metric: 'lines', used: 2, limit: 2, plan: 'default' },
    });
  });
});

/** A chat known by LID and number, with two of three received messages unread. */
async function writeChat(lineId: string): Promise<void> {
  const { db } = h.db.store;
  await db
    .insertInto('chats')
    .values({
      line_id: lineId,
      jid: '9@lid',
      pn: '34600000000@s.whatsapp.net',
      lid: '9@lid',
      name: null,
      is_group: 0,
      archived: 0,
      unread_count: 2,
      last_message_id: 'M5',
      last_message_at: 5,
      updated_at: 5,
    })
    .execute();
  for (const n of [3, 4, 5]) {
    await db
      .insertInto('messages')
      .values({
        line_id: lineId,
        message_id: `M${n}`,
        chat_jid: '9@lid',
        sender_jid: '9@lid',
        from_me: 0,
        kind: 'text',
        body: 'x',
        facts: '{}',
        proto: null,
        status: 'delivered',
        timestamp: n,
        created_at: n,
      })
      .execute();
  }
}
