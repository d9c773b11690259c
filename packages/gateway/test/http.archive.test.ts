import { afterEach, beforeEach, expect, it } from 'vitest';
import { forEachStore } from './store-harness.ts';
import { type HttpHarness, openHttp } from './support/http-harness.ts';
import { ManualClock } from './support/manual-clock.ts';

const BASE = '/api/bridge/v1';
const CUSTOMER = '+34600000000';
const JID = '34600000000@s.whatsapp.net';

let h: HttpHarness;
let clock: ManualClock;
let lineId: string;

const call = (method: string, path: string, body?: unknown, key?: string | null) => h.call(method, path, { body, key });
const setChat = (archived: number) =>
  h.db.store.db
    .insertInto('chats')
    .values({
      line_id: lineId,
      jid: '9@lid',
      pn: JID,
      lid: '9@lid',
      name: null,
      is_group: 0,
      archived,
      unread_count: 0,
      last_message_id: null,
      last_message_at: 1_777_000_000_000,
      updated_at: 5,
    })
    .onConflict((conflict) => conflict.columns(['line_id', 'jid']).doUpdateSet({ archived }))
    .execute();

forEachStore((open) => {
  beforeEach(async () => {
    clock = new ManualClock();
    h = await openHttp({ open, clock });
    lineId = String((await call('POST', `${BASE}/lines`, {})).body.line_id);
    h.router.scriptSends(async () => ({ state: 'sent', timestamp: 1 }));
    h.router.handlers['account.archive'] = async () => ({});
  });
  afterEach(() => h.close());
  const connect = () =>
    h.setLine(lineId, { status: 'connected', phone: '34611', jid: '34611@s.whatsapp.net', name: 'Shop' });

  it('archives at WhatsApp first, then here, up to the newest message; refuses what it cannot do by name', async () => {
    const archive = (body: Record<string, unknown>, key?: string) =>
      call('POST', `${BASE}/chats/archive`, { line_id: lineId, phone: CUSTOMER, ...body }, key);
    expect((await archive({})).body).toMatchObject({ error: 'line_not_connected', status: 'unpaired' });
    await connect();
    expect((await archive({})).body.error).toBe('chat_not_found');
    await setChat(0);
    expect((await archive({})).body).toEqual({ ok: true, line_id: lineId, jid: JID, archived: true });
    expect(h.router.commands.filter(({ name }) => name === 'account.archive').map(({ input }) => input)).toEqual([
      { chat: JID, archived: true, lastMessageAt: 1_777_000_000 },
    ]);
    expect((await call('GET', `${BASE}/chats?line_id=${lineId}&archived=true`)).body.chats).toHaveLength(1);
    expect((await archive({ archive: false })).body).toMatchObject({ archived: false });
    expect((await archive({ archive: 'yes' })).status).toBe(400);
    expect((await archive({ jid: JID })).status).toBe(400);
    expect((await archive({}, h.keys.stranger)).body.error).toBe('line_not_found');
    expect((await archive({}, await h.keyWith(['messages:read']))).status).toBe(403);
  });

  it('a policy is kept with the message: always, and for chats that were archived when it was accepted', async () => {
    await connect();
    const archivesAfter = async (archive_policy: string | undefined, archived: number) => {
      await setChat(archived);
      const body = { line_id: lineId, to: CUSTOMER, message: 'x', archive_policy };
      expect((await call('POST', `${BASE}/messages/send`, body)).status).toBe(200);
      const row = await h.db.store.db
        .selectFrom('outbox')
        .select('archive_after')
        .orderBy('seq', 'desc')
        .executeTakeFirst();
      return row?.archive_after !== null;
    };
    for (const [policy, archived, wanted] of [
      [undefined, 1, false],
      ['never', 1, false],
      ['always', 0, true],
      ['always', 1, true],
      ['preserve_if_previously_archived', 0, false],
      ['preserve_if_previously_archived', 1, true],
    ] as const) {
      expect([policy, archived, await archivesAfter(policy, archived)]).toEqual([policy, archived, wanted]);
    }
  });

  it('a connect link works for its line, for 15 minutes and one pairing, and only its hash is stored', async () => {
    h.router.handlers['pairing.qr'] = async () => ({ data: 'QR-DATA', expiresAt: clock.now() + 20_000 });
    h.router.handlers['pairing.code'] = async () => ({ code: 'ABCD1234', expiresAt: clock.now() + 60_000 });
    const make = () => call('POST', `${BASE}/lines/${lineId}/connect-link`);
    const made = await make();
    const url = String(made.body.url);
    const token = url.slice(url.lastIndexOf('/') + 1);
    expect(made.body).toEqual({
      ok: true,
      line_id: lineId,
      url: `http://127.0.0.1:8080/connect/${token}`,
      expires_at: new Date(clock.now() + 900_000).toISOString(),
    });
    const stored = await h.db.store.db.selectFrom('connect_links').selectAll().execute();
    expect(JSON.stringify(stored)).not.toContain(token);
    const visitor = { 'x-connect-visitor': 'a-browser-of-somebody-1' };
    const codeOf = (path: string, phone: string) =>
      h.call('POST', `${path}/code`, { key: null, headers: visitor, body: { phone } });
    const state = async (want = 'none', at = token) =>
      (await h.call('GET', `/connect/${at}/state?want=${want}`, { key: null, headers: visitor })).body;
    expect(await state()).toEqual({ state: 'waiting', page: {}, seconds_left: 900, problem: null, qr: null });
    expect((await state('qr')).qr).toMatch(/^<svg/);
    const code = await codeOf(`/connect/${token}`, CUSTOMER);
    expect(code.body).toEqual({ code: 'ABCD1234' });
    expect((await codeOf(`/connect/${token}`, 'x')).status).toBe(400);
    expect(await state('qr', `${token}x`)).toEqual({ state: 'unknown', page: {} });
    await h.setLine(lineId, { status: 'connecting', phone: '34611', jid: '34611@s.whatsapp.net', name: 'Shop' });
    expect(await state('qr')).toEqual({ state: 'linking', page: {}, seconds_left: 900 });
    expect((await make()).body.error).toBe('already_paired');
    await connect();
    expect(await state()).toEqual({
      state: 'connected',
      page: {},
      line_id: lineId,
      phone: '+34611',
      name: 'Shop',
    });
    await h.db.store.db.updateTable('lines').set({ status: 'unpaired', phone: null }).execute();
    expect(await state('qr')).toEqual({ state: 'expired', page: {} });
    const later = String((await make()).body.url);
    await clock.advance(900_000);
    expect(await state('qr', later.slice(later.lastIndexOf('/') + 1))).toEqual({ state: 'expired', page: {} });
    expect((await codeOf(later.slice(later.indexOf('/connect')), CUSTOMER)).status).toBe(404);
    expect((await call('POST', `${BASE}/lines/${lineId}/connect-link`, undefined, h.keys.stranger)).status).toBe(404);
  });
});
