import { afterEach, beforeEach, expect, it } from 'vitest';
import { accept } from '../src/journal/accept.ts';
import { findEndpoint, WEBHOOK_SCOPE } from '../src/store/webhooks/webhooks.ts';
import { forEachStore } from './store-harness.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';

const BASE = '/api/bridge/v1';
const OWNER = { accountId: 'acc_one', mode: 'test' } as const;

let h: HttpHarness;
let id: string;
let secret: string;

const call = (method: string, path: string, body?: unknown, key?: string) =>
  h.call(method, `${BASE}${path}`, { body, key });

/** Events of a line, one second apart, whose deliveries wait. */
async function events(count: number): Promise<string> {
  const lineId = String((await call('POST', '/lines', {})).body.line_id);
  const payload = { status: 'connected', previous: 'connecting', phone: null, reason: null } as const;
  for (let n = 0; n < count; n += 1) {
    const fact = { type: 'line.status', payload, dedupeKey: `line.status:${n}`, chat: null } as const;
    await h.db.store.transaction((tx) =>
      accept(tx, { id: lineId, accountId: 'acc_one' }, [fact], 1_777_000_000_000 + n * 1_000),
    );
  }
  return lineId;
}
const log = async (query = '') =>
  (await call('GET', `/webhooks/${id}/deliveries${query}`)).body as {
    deliveries: { id: string; status: string; event: { created_at: string } }[];
    next_cursor: string | null;
  };

forEachStore((open) => {
  beforeEach(async () => {
    h = await openHttp({ open });
    const made = await call('POST', '/webhooks', { url: 'https://a.example/', events: ['message.received'] });
    id = String(made.body.id);
    secret = String(made.body.secret);
  });
  afterEach(() => h.close());

  it('changes what is given and leaves the rest', async () => {
    const filters = { chats: ['+34600000000'], direction: 'in', types: ['text', 'image'] };
    const changed = await call('PATCH', `/webhooks/${id}`, {
      events: ['*'],
      description: 'all',
      filters,
      strict_order: true,
      headers: { 'X-Team': 'ops' },
    });
    expect(changed.body).toMatchObject({
      ok: true,
      id,
      url: 'https://a.example/',
      events: ['*'],
      description: 'all',
      filters: { ...filters, chats: ['34600000000@s.whatsapp.net'] },
      strict_order: true,
      status: 'enabled',
    });
    expect(changed.text).not.toContain('ops');
    expect((await call('PATCH', `/webhooks/${id}`, { status: 'disabled' })).body).toMatchObject({
      status: 'disabled',
      disabled_reason: 'by_owner',
      events: ['*'],
    });
    expect((await call('PATCH', `/webhooks/${id}`, { status: 'enabled', filters: null })).body).toMatchObject({
      status: 'enabled',
      filters: null,
    });
    for (const wrong of [
      { url: 'http://a.example/' },
      { events: ['nothing'] },
      { events: [] },
      { headers: { 'X-Delivery-Id': 'x' } },
      { status: 'on' },
    ]) {
      const refused = await call('PATCH', `/webhooks/${id}`, wrong);
      expect([JSON.stringify(wrong), refused.status, refused.body.error]).toEqual([
        JSON.stringify(wrong),
        400,
        'validation_error',
      ]);
    }
  });

  it('rotates the secret: both sign during the grace, only the new one after it was finished', async () => {
    const rotated = await call('POST', `/webhooks/${id}/rotate-secret`, { grace_hours: 2 });
    expect(rotated.body.secret).toMatch(/^wzb_whsec_/);
    expect(rotated.body.secret).not.toBe(secret);
    expect(Date.parse(String(rotated.body.rotating_until)) - Date.now()).toBeGreaterThan(7_000_000);
    const box = await h.services.ring.box(WEBHOOK_SCOPE);
    const secrets = async () => (await findEndpoint(h.db.store.db, box, { ...OWNER, id }, Date.now()))?.secrets;
    expect(await secrets()).toEqual([rotated.body.secret, secret]);
    expect((await call('GET', `/webhooks/${id}`)).text).not.toContain(String(rotated.body.secret));
    expect((await call('POST', `/webhooks/${id}/finish-rotation`)).body).toMatchObject({ id, rotating_until: null });
    expect(await secrets()).toEqual([rotated.body.secret]);
    expect((await call('POST', `/webhooks/${id}/rotate-secret`)).status).toBe(200);
    expect((await call('POST', `/webhooks/${id}/rotate-secret`, { grace_hours: 1_000 })).status).toBe(400);
  });

  it('shows the log in pages, newest first, and sends again one delivery or what failed since a time', async () => {
    await call('PATCH', `/webhooks/${id}`, { events: ['line.status'] });
    const lineId = await events(5);
    const { db } = h.db.store;
    await db.updateTable('deliveries').set({ state: 'dead', finished_at: Date.now() }).execute();
    const first = await log('?limit=3');
    const rest = await log(`?limit=3&cursor=${first.next_cursor}`);
    const all = [...first.deliveries, ...rest.deliveries];
    expect([all.length, rest.next_cursor]).toEqual([5, null]);
    expect(all.map((one) => one.event.created_at)).toEqual(
      [...all.map((one) => one.event.created_at)].sort().reverse(),
    );
    expect((await log('?status=pending')).deliveries).toEqual([]);
    const [newest] = all;
    expect((await call('POST', `/deliveries/${newest?.id}/replay`)).body).toEqual({
      ok: true,
      id: newest?.id,
      webhook_id: id,
      status: 'pending',
    });
    expect((await call('GET', `/deliveries/${newest?.id}`)).body).toMatchObject({
      id: newest?.id,
      status: 'pending',
      attempt_log: [],
      payload: { event: 'line.status', line_id: lineId, data: { status: 'connected' } },
    });
    expect((await log('?event=line.status')).deliveries).toHaveLength(5);
    expect((await log('?event=message.received')).deliveries).toEqual([]);
    expect((await log(`?line_id=${lineId}&status=dead`)).deliveries).toHaveLength(4);
    expect((await log('?line_id=line_other')).deliveries).toEqual([]);
    const replayed = await call('POST', `/webhooks/${id}/replay`, { since: new Date(1_777_000_002_000).toISOString() });
    expect(replayed.body).toEqual({ ok: true, id, replayed: 2 });
    expect((await log('?status=pending')).deliveries).toHaveLength(3);
    expect((await log('?status=dead')).deliveries).toHaveLength(2);
  });

  it('sends again by status and by event, and what the webhook never got', async () => {
    await events(3);
    await call('PATCH', `/webhooks/${id}`, { events: ['line.status', 'message.sent'] });
    const since = new Date(1_777_000_000_000).toISOString();
    const replay = async (narrowed: object) =>
      (await call('POST', `/webhooks/${id}/replay`, { since, ...narrowed })).body.replayed;
    // It asked for none of them when they happened.
    expect(await replay({})).toBe(0);
    expect(await replay({ missing: true, events: ['message.sent'] })).toBe(0);
    expect(await replay({ missing: true, until: new Date(1_777_000_002_000).toISOString() })).toBe(2);
    expect(await replay({ missing: true })).toBe(1);
    expect(await replay({ missing: true })).toBe(0);
    await h.db.store.db.updateTable('deliveries').set({ state: 'delivered', finished_at: 1 }).execute();
    expect(await replay({})).toBe(0);
    expect(await replay({ status: ['delivered'], events: ['message.sent'] })).toBe(0);
    expect(await replay({ status: ['delivered'], events: ['line.status'] })).toBe(3);
    for (const wrong of [{ status: ['pending'] }, { status: [] }, { events: ['nothing'] }, { missing: 'yes' }]) {
      expect((await call('POST', `/webhooks/${id}/replay`, { since, ...wrong })).status).toBe(400);
    }
  });

  it('shows what waits, and in strict order what for, and goes on when that is given up', async () => {
    await call('PATCH', `/webhooks/${id}`, { events: ['line.status'], strict_order: true });
    await events(3);
    const report = async () => (await call('GET', `/webhooks/${id}`)).body;
    expect(await report()).toMatchObject({ pending: 3, dead: 0, blocked_on: null, failing_since: null });
    const first = (await log()).deliveries.at(-1);
    await h.db.store.db
      .updateTable('deliveries')
      .set({ attempts: 1, step: 1, next_at: Date.now() + 60_000 })
      .where('id', '=', first?.id ?? '')
      .execute();
    expect(await report()).toMatchObject({ pending: 3, blocked_on: { id: first?.id, attempts: 1, status: 'pending' } });
    const given = await call('POST', `/deliveries/${first?.id}/give-up`);
    expect(given.body).toEqual({ ok: true, id: first?.id, webhook_id: id, status: 'dead' });
    expect(await report()).toMatchObject({ pending: 2, dead: 1, blocked_on: null });
    const again = await call('POST', `/deliveries/${first?.id}/give-up`);
    expect([again.status, again.body.error]).toEqual([400, 'validation_error']);
    expect((await call('POST', `/deliveries/${first?.id}/replay`)).status).toBe(200);
    expect(await report()).toMatchObject({ pending: 3, dead: 0 });
  });

  it('searches its log by the id of a delivery or an event, and by time', async () => {
    await call('PATCH', `/webhooks/${id}`, { events: ['line.status'] });
    await events(3);
    const all = (await log()).deliveries;
    const found = async (query: string) =>
      (await call('GET', `/webhooks/${id}/deliveries?${query}`)).body.deliveries as typeof all;
    expect((await found(`q=${all[1]?.id}`)).map((one) => one.id)).toEqual([all[1]?.id]);
    const event = (await call('GET', `/deliveries/${all[0]?.id}`)).body.event as { id: string };
    expect((await found(`q=${event.id}`)).map((one) => one.id)).toEqual([all[0]?.id]);
    expect(await found('since=2000-01-01T00:00:00Z')).toHaveLength(all.length);
    expect(await found('until=946684800')).toEqual([]);
    const refused = await call('GET', `/webhooks/${id}/deliveries?since=yesterday`);
    expect([refused.status, refused.body.error]).toEqual([400, 'validation_error']);
  });

  it('belongs to its account and mode alone', async () => {
    await call('PATCH', `/webhooks/${id}`, { events: ['line.status'] });
    await events(1);
    const [delivery] = (await log()).deliveries;
    for (const key of [h.keys.stranger, h.keys.live]) {
      for (const [method, path, body, code] of [
        ['PATCH', `/webhooks/${id}`, { description: 'x' }, 'webhook_not_found'],
        ['POST', `/webhooks/${id}/rotate-secret`, {}, 'webhook_not_found'],
        ['POST', `/webhooks/${id}/finish-rotation`, undefined, 'webhook_not_found'],
        ['GET', `/webhooks/${id}/deliveries`, undefined, 'webhook_not_found'],
        ['POST', `/webhooks/${id}/replay`, { since: 0 }, 'webhook_not_found'],
        ['GET', `/deliveries/${delivery?.id}`, undefined, 'delivery_not_found'],
        ['POST', `/deliveries/${delivery?.id}/replay`, undefined, 'delivery_not_found'],
        ['POST', `/deliveries/${delivery?.id}/give-up`, undefined, 'delivery_not_found'],
      ] as const) {
        const refused = await call(method, path, body, key);
        expect([path, refused.status, refused.body.error]).toEqual([path, 404, code]);
      }
    }
    const reader = await h.keyWith(['webhooks:read']);
    expect((await call('POST', `/webhooks/${id}/rotate-secret`, {}, reader)).status).toBe(403);
    expect((await call('GET', `/webhooks/${id}/deliveries`, undefined, reader)).status).toBe(200);
  });
});
