import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { periodOf } from '../src/core/quota.ts';
import { accept } from '../src/journal/accept.ts';
import { forEachStore } from './store-harness.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';

const BASE = '/api/bridge/v1';
const ADMIN = '/api/admin/v1';
const TOKEN = 'operator-token-0123456789abcdef';

let h: HttpHarness;

const admin = (method: string, path: string, body?: unknown) => h.call(method, ADMIN + path, { key: TOKEN, body });
async function connected(key?: string): Promise<string> {
  const id = String((await h.call('POST', `${BASE}/lines`, { key, body: {} })).body.line_id);
  await h.setLine(id, { status: 'connected', phone: '34611', jid: '34611@s.whatsapp.net', name: 'Shop' });
  return id;
}

forEachStore((open) => {
  beforeEach(async () => {
    h = await openHttp({ open, adminToken: TOKEN });
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1 }));
  });
  afterEach(() => h.close());

  it('contents are encrypted on request: the account sees it, and its search says that it is off', async () => {
    const line = await connected();
    const search = () => h.call('GET', `${BASE}/messages?line_id=${line}&q=word`);
    const contents = async () => ((await h.call('GET', `${BASE}/me`)).body.account as { contents: string }).contents;
    expect([await contents(), (await search()).status]).toEqual(['plain', 200]);
    const sealed = await admin('PATCH', '/accounts/acc_one', { contents: 'sealed' });
    expect(sealed.body).toMatchObject({ ok: true, contents: 'sealing' });
    expect(await contents()).toBe('sealing');
    expect(await search()).toMatchObject({ status: 409, body: { error: 'search_off' } });
    expect((await h.call('GET', `${BASE}/messages?line_id=${line}&phone=34600000000`)).status).toBe(200);
    expect((await admin('PATCH', '/accounts/acc_one', { contents: 'plain' })).body).toMatchObject({
      contents: 'opening',
    });
    expect((await search()).status).toBe(409);
    expect((await admin('PATCH', '/accounts/acc_one', { contents: 'open' })).status).toBe(400);
  });

  it('of 1000 parallel sends at a limit of 500 exactly 500 pass, on lines of one account', async () => {
    const plan = await admin('PUT', '/plans/pro', { sent_messages: 500, webhook_events: null, lines: 3 });
    expect(plan.body).toEqual({
      ok: true,
      name: 'pro',
      limits: { sent_messages: 500, webhook_events: null, lines: 3 },
    });
    const changed = await admin('PATCH', '/accounts/acc_one', { plan: 'pro' });
    expect(changed.body).toMatchObject({ plan: 'pro', limits: { sent_messages: 500 } });
    const lines = [await connected(), await connected()];
    const replies = await Promise.all(
      Array.from({ length: 1_000 }, (_, n) =>
        h.call('POST', `${BASE}/messages/send`, {
          body: { line_id: lines[n % 2], to: '+34600000000', message: `${n}` },
        }),
      ),
    );
    const count = (status: number) => replies.filter((reply) => reply.status === status).length;
    expect([count(200), count(429)]).toEqual([500, 500]);
    for (const { status, body } of replies) {
      if (status === 429)
        expect(body).toMatchObject({
          error: 'quota_exceeded',
          metric: 'sent_messages',
          used: 500,
          limit: 500,
          plan: 'pro',
        });
    }
    const { rows } = { rows: await h.db.store.db.selectFrom('outbox').select('id').execute() };
    expect(rows).toHaveLength(500);
    const usage = await admin('GET', '/accounts/acc_one/usage?mode=test');
    expect(usage.body.metrics).toEqual({
      sent_messages: { used: 500, limit: 500 },
      webhook_events: { used: 0, limit: null },
      lines: { used: 2, limit: 3 },
    });
  }, 120_000);

  it('a failed send is not counted, also among others; a bigger plan counts at once; a deleted line keeps what it sent', async () => {
    await admin('PUT', '/plans/pro', { sent_messages: 20, webhook_events: null, lines: null });
    await admin('PATCH', '/accounts/acc_one', { plan: 'pro' });
    const line = await connected();
    let n = 0;
    h.router.scriptSends(async () =>
      n++ % 2 === 0 ? { state: 'sent', timestamp: 1 } : { state: 'failed', code: 'not_on_whatsapp', details: {} },
    );
    const send = () =>
      h.call('POST', `${BASE}/messages/send`, { body: { line_id: line, to: '+34600000000', message: 'x' } });
    const used = async () =>
      ((await h.call('GET', `${BASE}/usage`)).body.metrics as { sent_messages: unknown }).sent_messages;
    const replies = await Promise.all(Array.from({ length: 16 }, send));
    expect(replies.filter(({ status }) => status === 422)).toHaveLength(8);
    expect(await used()).toEqual({ used: 8, limit: 20 });
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1 }));
    const rest = await Promise.all(Array.from({ length: 20 }, send));
    expect(rest.filter(({ status }) => status === 200)).toHaveLength(12);
    await admin('PUT', '/plans/pro', { sent_messages: 21, webhook_events: null, lines: null });
    expect((await send()).status).toBe(200);
    expect((await send()).status).toBe(429);
    h.router.handlers.logout = async () => ({ unlinked: true });
    await h.call('DELETE', `${BASE}/lines/${line}`);
    expect(await used()).toEqual({ used: 21, limit: 21 });
  }, 60_000);

  it('of 20 events at once for two webhooks exactly as many deliveries are made as the plan has left', async () => {
    await admin('PUT', '/plans/pro', { sent_messages: null, webhook_events: 25, lines: null });
    await admin('PATCH', '/accounts/acc_one', { plan: 'pro' });
    const lineId = await connected();
    for (const n of [1, 2])
      await h.call('POST', `${BASE}/webhooks`, { body: { url: `https://example.com/${n}`, events: ['*'] } });
    const payload = { status: 'connected', previous: 'connecting', phone: null, reason: null } as const;
    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        h.db.store.transaction((tx) =>
          accept(
            tx,
            { id: lineId, accountId: 'acc_one' },
            [{ type: 'line.status', payload, dedupeKey: `line.status:${n}`, chat: null }],
            Date.now(),
          ),
        ),
      ),
    );
    expect(await h.db.store.db.selectFrom('deliveries').select('id').execute()).toHaveLength(25);
    expect(await h.db.store.db.selectFrom('events').select('id').execute()).toHaveLength(20);
    const usage = await admin('GET', '/accounts/acc_one/usage?mode=test');
    expect(usage.body.metrics).toMatchObject({ webhook_events: { used: 25, limit: 25 } });
  });

  it('an inactive subscription answers 402, except for what the account is and used', async () => {
    const line = await connected();
    await admin('PATCH', '/accounts/acc_one', { subscription: 'past_due' });
    const refused = await h.call('POST', `${BASE}/messages/send`, {
      body: { line_id: line, to: '+34600000000', message: 'x' },
    });
    expect(refused).toMatchObject({
      status: 402,
      body: { ok: false, error: { code: 'subscription_required', retryable: false } },
    });
    expect((await h.call('GET', `${BASE}/lines`)).status).toBe(402);
    expect((await h.call('GET', `${BASE}/me`)).body).toMatchObject({ subscription: { status: 'past_due' } });
    await admin('PATCH', '/accounts/acc_one', { subscription: 'active' });
    expect((await h.call('GET', `${BASE}/lines`)).status).toBe(200);
  });

  it('makes accounts and keys with scopes and an expiry, rotates and revokes them', async () => {
    const account = (await admin('POST', '/accounts', { name: 'Acme', cycle_anchor: '2026-01-31T12:00:00Z' })).body;
    expect(account).toMatchObject({ name: 'Acme', plan: 'unlimited', cycle_anchor: '2026-01-31T12:00:00.000Z' });
    const made = (
      await admin('POST', '/keys', { account_id: account.id, mode: 'test', name: 'reader', scopes: ['lines:read'] })
    ).body;
    const key = String(made.key);
    expect((await h.call('GET', `${BASE}/lines`, { key })).body).toEqual({ ok: true, lines: [] });
    expect((await h.call('POST', `${BASE}/lines`, { key, body: {} })).body).toMatchObject({
      error: { code: 'forbidden' },
    });
    const next = String((await admin('POST', `/keys/${made.id}/rotate`, { grace_hours: 1 })).body.key);
    for (const each of [key, next]) expect((await h.call('GET', `${BASE}/lines`, { key: each })).status).toBe(200);
    const listed = (await admin('GET', `/keys?account_id=${account.id}`)).body.keys as { id: string }[];
    expect(listed).toHaveLength(2);
    expect(JSON.stringify(listed)).not.toContain(key.slice(14, 40));
    await admin('DELETE', `/keys/${listed[1]?.id}`);
    expect((await h.call('GET', `${BASE}/lines`, { key: next })).status).toBe(401);
    const soon = { account_id: account.id, mode: 'test', name: 'x', expires_at: '2020-01-01T00:00:00Z' };
    expect((await admin('POST', '/keys', soon)).body.error).toBe('validation_error');
    expect((await admin('POST', '/keys', { ...soon, expires_at: null, scopes: ['everything'] })).body.error).toBe(
      'validation_error',
    );
    expect((await admin('POST', '/keys', { ...soon, expires_at: null, account_id: 'acc_nobody' })).body.error).toBe(
      'account_not_found',
    );
  });

  it('refuses what would let an account through by mistake', async () => {
    expect((await admin('PATCH', '/accounts/acc_one', { plan: 'porr' })).body.error).toBe('plan_not_found');
    expect((await admin('PUT', '/plans/unlimited', { sent_messages: 1, webhook_events: 1, lines: 1 })).status).toBe(
      400,
    );
    expect((await admin('PUT', '/plans/pro', { sent_messages: -1, webhook_events: 1, lines: 1 })).status).toBe(400);
    expect((await admin('PUT', '/plans/pro', { sent_messages: 1 })).status).toBe(400);
    await admin('PUT', '/plans/pro', { sent_messages: 1, webhook_events: 1, lines: 1 });
    await admin('PATCH', '/accounts/acc_one', { plan: 'pro' });
    expect((await admin('DELETE', '/plans/pro')).body.error).toBe('plan_in_use');
    await admin('PATCH', '/accounts/acc_one', { plan: 'unlimited' });
    expect((await admin('DELETE', '/plans/pro')).body).toEqual({ ok: true });
    expect((await admin('DELETE', '/plans/pro')).body.error).toBe('plan_not_found');
  });

  it('answers to its own token only', async () => {
    for (const key of [h.keys.live, h.keys.test, null, 'x', `${TOKEN}x`]) {
      for (const [method, path] of [
        ['GET', '/accounts'],
        ['POST', '/keys'],
        ['DELETE', '/plans/pro'],
      ] as const) {
        const body = method === 'POST' ? { account_id: 'acc_one', mode: 'live', name: 'x' } : undefined;
        expect((await h.call(method, ADMIN + path, { key, body })).status).toBe(401);
      }
    }
    await h.close();
    h = await openHttp({ open });
    expect((await h.call('GET', `${ADMIN}/accounts`, { key: TOKEN })).status).toBe(404);
  });
});

describe('a billing cycle', () => {
  const day = (text: string) => Date.parse(text);
  it.each([
    ['2026-02-14T23:59:59.999Z', '2026-01-15T00:00:00Z', '2026-01-15T00:00:00Z', '2026-02-15T00:00:00Z'],
    ['2026-02-15T00:00:00Z', '2026-01-15T00:00:00Z', '2026-02-15T00:00:00Z', '2026-03-15T00:00:00Z'],
    ['2026-02-28T11:59:59Z', '2026-01-31T12:00:00Z', '2026-01-31T12:00:00Z', '2026-02-28T12:00:00Z'],
    ['2026-03-01T00:00:00Z', '2026-01-31T12:00:00Z', '2026-02-28T12:00:00Z', '2026-03-31T12:00:00Z'],
    ['2028-02-29T13:00:00Z', '2026-01-31T12:00:00Z', '2028-02-29T12:00:00Z', '2028-03-31T12:00:00Z'],
    ['2025-12-31T10:00:00Z', '2026-06-30T12:00:00Z', '2025-12-30T12:00:00Z', '2026-01-30T12:00:00Z'],
  ])('%s, anchored at %s', (now, anchor, start, end) => {
    expect(periodOf(day(now), day(anchor))).toEqual({ startMs: day(start), endMs: day(end) });
  });

  it('without an anchor is the calendar month', () => {
    expect(periodOf(day('2026-02-10T05:00:00Z'))).toEqual({ startMs: day('2026-02-01'), endMs: day('2026-03-01') });
  });
});
