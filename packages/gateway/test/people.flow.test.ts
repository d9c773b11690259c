import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReceivedRequest } from './receiver.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

type Body = Record<string, unknown> & { data?: Record<string, unknown> };
const bodyOf = (request: ReceivedRequest) => JSON.parse(request.body) as Body;

const ALICE = '15550002222';
const SHOP = '15550003333';
const OWNER = '15550001111';
const NOBODY = '15559999999';
const PROXY = '/api/instances/demo/proxy';
const LINES = '/api/bridge/v1';
const PHONES = '/api/sandbox/v1/phones';

const databases: ('sqlite' | 'postgres')[] = process.env.TEST_DATABASE_URL ? ['sqlite', 'postgres'] : ['sqlite'];

describe.each(databases)('people, profile, presence and calls, on %s', (database) => {
  let rig: Rig;
  let line: LinkedLine;
  let picture: Uint8Array;

  beforeAll(async () => {
    picture = await sharp({ create: { width: 800, height: 600, channels: 3, background: '#3366cc' } })
      .png()
      .toBuffer();
    rig = await Rig.start({ database });
    await rig.api.expect(201, 'POST', PHONES, { phone: ALICE, name: 'Alice', about: 'Hey!' });
    await rig.api.expect(201, 'POST', PHONES, { phone: SHOP, name: 'Shop', business: true });
    line = await rig.linkLine('demo', OWNER);
    await rig.api.expect(200, 'POST', `${LINES}/webhooks`, { url: `${rig.receiver.url}/lines`, events: ['*'] });
  }, 60_000);
  afterAll(() => rig?.close());

  const arrived = async (path: string, event: string, wanted: (body: Body) => boolean = () => true): Promise<Body> =>
    bodyOf(
      await until(`${event} at ${path}`, () =>
        rig.receiver.requests.find((r) => r.path === path && bodyOf(r).event === event && wanted(bodyOf(r))),
      ),
    );
  const bridges = (event: string, wanted?: (body: Body) => boolean) => arrived('/bridges/demo', event, wanted);
  const lines = (event: string, wanted: (data: Record<string, unknown>) => boolean = () => true) =>
    arrived('/lines', event, (body) => body.data !== undefined && wanted(body.data));
  const get = <T = Record<string, unknown>>(path: string) => rig.api.expect<T>(200, 'GET', `${PROXY}/${path}`);
  const getLine = <T = Record<string, unknown>>(path: string, query = '') =>
    rig.api.expect<T>(200, 'GET', `${LINES}/${path}?line_id=${line.lineId}${query}`);
  const typingOf = async (phone: string) => {
    const chats = await rig.api.expect<{ chat: string; typing?: Record<string, string> }[]>(
      200,
      'GET',
      `${PHONES}/${phone}/chats`,
    );
    return chats.find(({ chat }) => chat === `${OWNER}@s.whatsapp.net`)?.typing;
  };

  test('whoever writes becomes a contact, in both APIs', async () => {
    const hi = await rig.sandbox.say(ALICE, OWNER, 'Hi');
    const shop = await rig.sandbox.say(SHOP, OWNER, 'Sale!');
    await bridges('message', (b) => b.message_id === hi.message_id);
    await bridges('message', (b) => b.message_id === shop.message_id);
    await get(`contacts/${SHOP}`);
    const contacts = await get<Record<string, unknown>[]>('contacts');
    expect(contacts).toContainEqual({
      jid: `${ALICE}@s.whatsapp.net`,
      phone: ALICE,
      name: 'Alice',
      is_business: false,
    });
    expect(contacts.find((contact) => contact.phone === SHOP)).toMatchObject({ name: 'Shop', is_business: true });
    const first = await getLine<{ contacts: { phone: string }[]; next_cursor: string }>('contacts', '&limit=1');
    expect(first.contacts).toHaveLength(1);
    const rest = await getLine<typeof first>('contacts', `&limit=1&cursor=${encodeURIComponent(first.next_cursor)}`);
    expect([first.contacts[0]?.phone, rest.contacts[0]?.phone].sort()).toEqual([`+${ALICE}`, `+${SHOP}`]);
    expect(rest.next_cursor).toBeNull();
  });

  test('a username is shown beside the address, in both APIs, messages and webhooks', async () => {
    const phone = '15550004444';
    await rig.api.expect(201, 'POST', PHONES, { phone, name: 'Nora', username: 'nora.writes' });
    await rig.sandbox.say(phone, OWNER, 'Hello from a handle');
    const told = await lines('message.received', ({ body }) => body === 'Hello from a handle');
    expect(told.data).toMatchObject({ phone: `+${phone}`, username: 'nora.writes' });
    const contact = { phone, username: 'nora.writes' };
    expect(await get<Record<string, unknown>[]>('contacts')).toContainEqual(expect.objectContaining(contact));
    expect(await getLine('contacts')).toMatchObject({
      contacts: expect.arrayContaining([expect.objectContaining({ username: 'nora.writes' })]),
    });
    expect(await getLine('messages', `&phone=${phone}`)).toMatchObject({ messages: [{ username: 'nora.writes' }] });
  });

  test('a message goes to whoever has the username, by its key where it has one', async () => {
    const [open, locked] = ['15550004444', '15550005555'];
    await rig.api.expect(201, 'POST', PHONES, { phone: locked, name: 'Ivo', username: 'ivo_1', username_key: '4711' });
    const send = (to: string) =>
      rig.api.call<Record<string, unknown>>('POST', `${LINES}/messages/send`, {
        ...{ line_id: line.lineId, to, message: `to ${to}` },
      });
    const inbox = async (phone: string) => (await rig.sandbox.inbox(phone)).map(({ body }) => body);
    expect((await send('@Nora.Writes')).status).toBe(200);
    expect(await inbox(open)).toContain('to @Nora.Writes');
    const bridges = await rig.api.call('POST', `${PROXY}/send/text`, { chat: '@nora.writes', body: 'in Bridges' });
    expect([bridges.status, await inbox(open)]).toEqual([200, expect.arrayContaining(['in Bridges'])]);
    const closed = await send('@ivo_1');
    expect([closed.status, JSON.stringify(closed.body)]).toEqual([400, expect.stringContaining('with its key only')]);
    const wrong = await send('@ivo_1#1111');
    expect([wrong.status, JSON.stringify(wrong.body)]).toEqual([400, expect.stringContaining('has another key')]);
    expect((await send('@ivo_1#4711')).status).toBe(200);
    expect(await inbox(locked)).toEqual(['to @ivo_1#4711']);
    const nobody = await send('@nobody.at.all');
    expect([nobody.status, JSON.stringify(nobody.body)]).toEqual([422, expect.stringContaining('@nobody.at.all')]);
  });

  test('a username is told where numbers are asked about, and in webhooks of bridges that ask for details', async () => {
    const phone = '15550004444';
    const { numbers } = await rig.api.expect<{ numbers: unknown[] }>(200, 'POST', `${LINES}/contacts/check`, {
      ...{ line_id: line.lineId, phones: [phone, SHOP] },
    });
    expect(numbers).toEqual([
      expect.objectContaining({ phone, username: 'nora.writes' }),
      expect.not.objectContaining({ username: expect.anything() }),
    ]);
    expect(await get(`contacts/${phone}`)).toMatchObject({ username: 'nora.writes' });
    const plain = await rig.sandbox.say(phone, OWNER, 'As published');
    expect(await bridges('message', (b) => b.message_id === plain.message_id)).not.toHaveProperty('username');
    await rig.api.expect(200, 'PATCH', '/api/instances/demo', { webhook_details: true });
    const detailed = await rig.sandbox.say(phone, OWNER, 'With details');
    const told = await bridges('message', (b) => b.message_id === detailed.message_id);
    expect(told).toMatchObject({ phone, username: 'nora.writes' });
    await rig.api.expect(200, 'PATCH', '/api/instances/demo', { webhook_details: false });
  });

  test('one contact comes with its about, by phone number, JID or LID', async () => {
    const alice = {
      jid: `${ALICE}@s.whatsapp.net`,
      phone: ALICE,
      name: 'Alice',
      about: 'Hey!',
      is_business: false,
    };
    expect(await get(`contacts/${ALICE}`)).toEqual(alice);
    expect(await get(`contacts/${ALICE}@s.whatsapp.net`)).toEqual(alice);
    const { lid } = await rig.api.expect<{ lid: string }>(200, 'GET', `${PHONES}/${ALICE}`);
    expect(await get(`contacts/${encodeURIComponent(lid)}`)).toEqual(alice);
    expect(await getLine(`contacts/${ALICE}`)).toEqual({ ok: true, ...alice, phone: `+${ALICE}` });
    const nobody = await rig.api.call('GET', `${PROXY}/contacts/${NOBODY}`);
    expect([nobody.status, nobody.body.error]).toEqual([404, 'contact_not_found']);
    const nonsense = await rig.api.call('GET', `${PROXY}/contacts/abc`);
    expect([nonsense.status, nonsense.body.error]).toEqual([400, 'validation_error']);
  });

  test('an about shown to contacts only is shown to the line that has their token, and none to strangers', async () => {
    await rig.api.expect(200, 'PUT', `${PHONES}/${ALICE}/privacy`, { about: 'none' });
    expect(await get(`contacts/${ALICE}`)).toMatchObject({ about: '' });
    expect(await getLine(`contacts/${ALICE}`)).toMatchObject({ about: null });
    await rig.api.expect(200, 'PUT', `${PHONES}/${ALICE}/privacy`, { about: 'contacts' });
    expect(await get(`contacts/${ALICE}`)).toMatchObject({ about: 'Hey!' });
    await rig.api.expect(200, 'PUT', `${PHONES}/${ALICE}/privacy`, { about: 'all' });
  });

  test('numbers are checked in the order asked', async () => {
    const numbers = await rig.api.expect(200, 'POST', `${PROXY}/contacts/check`, {
      phones: [ALICE, '00000000000', SHOP],
    });
    expect(numbers).toEqual([
      { phone: ALICE, registered: true, is_business: false, jid: `${ALICE}@s.whatsapp.net` },
      { phone: '00000000000', registered: false },
      { phone: SHOP, registered: true, is_business: true, jid: `${SHOP}@s.whatsapp.net` },
    ]);
    const inLines = await rig.api.expect<{ numbers: unknown[] }>(200, 'POST', `${LINES}/contacts/check`, {
      line_id: line.lineId,
      phones: [SHOP],
    });
    expect(inLines.numbers).toEqual([
      { phone: SHOP, registered: true, is_business: true, jid: `${SHOP}@s.whatsapp.net` },
    ]);
  });

  test('the own profile is read, and its about changed where the phone shows it', async () => {
    const ok = await rig.api.expect(200, 'PATCH', `${PROXY}/profile/status`, {
      status: 'Hey there! I am using WA Bridges.',
    });
    expect(ok).toEqual({ ok: true });
    expect(await get('profile')).toEqual({
      jid: `${OWNER}@s.whatsapp.net`,
      phone: OWNER,
      name: expect.any(String),
      about: 'Hey there! I am using WA Bridges.',
      lid: expect.stringMatching(/^\d+@lid$/),
    });
    const phone = await rig.api.expect(200, 'GET', `${PHONES}/${OWNER}`);
    expect(phone.about).toBe('Hey there! I am using WA Bridges.');
    await rig.api.expect(200, 'PATCH', `${LINES}/profile/status`, { line_id: line.lineId, status: 'Abierto' });
    expect(await getLine('profile')).toMatchObject({ ok: true, phone: `+${OWNER}`, about: 'Abierto' });
    const long = await rig.api.call('PATCH', `${PROXY}/profile/status`, { status: 'x'.repeat(140) });
    expect(long.status).toBe(400);
  });

  test('the link behind the contact QR is the same every time', async () => {
    const { link } = await get<{ link: string }>('profile/qr');
    expect(link).toMatch(/^https:\/\/wa\.me\/qr\/[A-Z0-9]+$/i);
    expect(await getLine('profile/qr')).toEqual({ ok: true, line_id: line.lineId, link });
  });

  test('the audience of status updates is told, the list in force first', async () => {
    expect(await get('status/privacy')).toEqual([{ type: 'contacts', list: [], is_default: true }]);
    await rig.api.expect(200, 'PUT', `${PHONES}/${OWNER}/privacy`, {
      status_audience: { type: 'whitelist', phones: [ALICE] },
    });
    const [first] = await get<Record<string, unknown>[]>('status/privacy');
    expect(first).toEqual({ type: 'whitelist', list: [`${ALICE}@s.whatsapp.net`], is_default: true });
    const inLines = await getLine<{ privacy: unknown[] }>('status/privacy');
    expect(inLines.privacy[0]).toEqual(first);
  });

  test('typing and recording show on the phone', async () => {
    expect(await rig.api.expect(200, 'POST', `${PROXY}/presence`, { state: 'available' })).toEqual({ ok: true });
    await rig.api.expect(200, 'POST', `${PHONES}/${ALICE}/presence`, { state: 'available' });
    const type = (body: Record<string, unknown>) =>
      rig.api.expect(200, 'POST', `${PROXY}/send/typing`, { chat: ALICE, ...body });
    expect(await type({ state: 'composing', mode: 'text' })).toEqual({ ok: true });
    await until('typing', async () => (await typingOf(ALICE))?.state === 'composing');
    await rig.api.expect(200, 'POST', `${LINES}/messages/typing`, {
      line_id: line.lineId,
      to: `+${ALICE}`,
      state: 'composing',
      mode: 'voice',
    });
    await until('recording', async () => (await typingOf(ALICE))?.mode === 'voice');
    await type({ state: 'paused' });
    await until('stopped', async () => (await typingOf(ALICE))?.state === 'paused');
    const bad = await rig.api.call('POST', `${PROXY}/send/typing`, { chat: ALICE, state: 'sleeping' });
    expect([bad.status, bad.body.error]).toEqual([400, 'validation_error']);
    const nobody = await rig.api.call('POST', `${PROXY}/send/typing`, { chat: NOBODY, state: 'composing' });
    expect([nobody.status, nobody.body.error]).toEqual([422, 'not_on_whatsapp']);
  });

  test('typing of the phone arrives as published', async () => {
    await rig.api.expect(200, 'POST', `${PROXY}/presence`, { state: 'available' });
    expect(await rig.api.expect(200, 'POST', `${PROXY}/presence/subscribe`, { chat: ALICE })).toEqual({ ok: true });
    const type = (body: Record<string, unknown>) =>
      rig.api.expect(200, 'POST', `${PHONES}/${ALICE}/typing`, { to: OWNER, ...body });
    await type({ state: 'composing', mode: 'text' });
    expect(await bridges('typing', (b) => b.state === 'composing' && b.mode === 'text')).toEqual({
      event: 'typing',
      contact_id: `${ALICE}@s.whatsapp.net`,
      chat_id: `${ALICE}@s.whatsapp.net`,
      state: 'composing',
      mode: 'text',
    });
    await type({ state: 'composing', mode: 'voice' });
    await bridges('typing', (b) => b.mode === 'voice');
    await type({ state: 'paused' });
    const event = await lines('contact.typing', (d) => d.state === 'paused');
    expect(event.data).toMatchObject({ phone: `+${ALICE}`, chat_id: `${ALICE}@s.whatsapp.net` });
  });

  test('presence and subscriptions are told again after a reconnect', async () => {
    const wire = async () =>
      (
        await rig.api.expect<{ direction: string; tag: string; attrs: Record<string, string> }[]>(
          200,
          'GET',
          `/api/sandbox/v1/lines/${line.lineId}/wire`,
        )
      ).filter(({ tag, direction }) => tag === 'presence' && direction === 'in');
    const subscriptions = async () => (await wire()).filter(({ attrs }) => attrs.type === 'subscribe').length;
    const before = await subscriptions();
    await rig.sandbox.fault(line.lineId, { kind: 'stream_error', code: 503 });
    await until('the subscription is made anew', async () => (await subscriptions()) > before, 30_000);
    await rig.untilConnected('demo');
    expect((await wire()).findLast(({ attrs }) => attrs.type !== 'subscribe')?.attrs.type).toBe('available');
    await rig.api.expect(200, 'POST', `${PROXY}/presence`, { state: 'unavailable' });
  });

  test('calls arrive as published: who rings from what, and how it ended', async () => {
    const call = async (reason: string) => {
      const { call_id: id } = await rig.api.expect<{ call_id: string }>(201, 'POST', `${PHONES}/${ALICE}/calls`, {
        to: OWNER,
        platform: 'android',
      });
      const incoming = await bridges('call_incoming', (b) => b.call_id === id);
      await rig.api.expect(200, 'DELETE', `${PHONES}/${ALICE}/calls/${id}`, { reason });
      return { id, incoming, ended: await bridges('call_terminated', (b) => b.call_id === id) };
    };
    const { id, incoming, ended } = await call('hangup');
    expect(incoming).toEqual({
      event: 'call_incoming',
      call_id: id,
      contact_id: `${ALICE}@s.whatsapp.net`,
      platform: 'android',
      timestamp: expect.any(Number),
    });
    expect(ended).toEqual({
      event: 'call_terminated',
      call_id: id,
      contact_id: `${ALICE}@s.whatsapp.net`,
      reason: 'hangup',
      timestamp: expect.any(Number),
    });
    expect((await call('timeout')).ended.reason).toBe('timeout');
    expect((await call('busy')).ended.reason).toBe('busy');
    expect((await call('decline')).ended.reason).toBe('decline');
    expect((await lines('call.incoming', (d) => d.call_id === id)).data).toMatchObject({
      phone: `+${ALICE}`,
      video: false,
      platform: 'android',
    });
    await lines('call.terminated', (d) => d.call_id === id && d.reason === 'hangup');
  });

  test('pictures are shown, told of when they change, and missed when there is none', async () => {
    const none = await rig.api.call('GET', `${PROXY}/contacts/${ALICE}/avatar`);
    expect([none.status, none.body.error]).toEqual([404, 'avatar_not_found']);
    const { picture_id: id } = await rig.api.expect<{ picture_id: string }>(
      200,
      'PUT',
      `${PHONES}/${ALICE}/avatar`,
      {},
    );
    expect(await bridges('profile_picture_updated', (b) => b.picture_id === id)).toEqual({
      event: 'profile_picture_updated',
      remove: false,
      picture_id: id,
      timestamp: expect.any(Number),
    });
    const shown = await rig.api.call('GET', `${PROXY}/contacts/${ALICE}/avatar`);
    expect([shown.status, shown.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    expect(shown.headers.get('etag')).toBe(`"${id}"`);
    await rig.api.expect(204, 'DELETE', `${PHONES}/${ALICE}/avatar`);
    expect(await bridges('profile_picture_updated', (b) => b.remove === true)).toEqual({
      event: 'profile_picture_updated',
      remove: true,
      timestamp: expect.any(Number),
    });
    rig.receiver.use((request) =>
      request.path === '/me.png'
        ? { answer: 200, headers: { 'content-type': 'image/png' }, body: picture }
        : request.path === '/gone.png'
          ? { answer: 404 }
          : { answer: 200 },
    );
    const set = await rig.api.expect<{ picture_id: string }>(200, 'PUT', `${PROXY}/profile/avatar`, {
      url: `${rig.receiver.url}/me.png`,
    });
    expect(set).toEqual({ picture_id: expect.stringMatching(/./) });
    const refused = async (url: string) => {
      const answer = await rig.api.call('PUT', `${PROXY}/profile/avatar`, { url });
      return [answer.status, answer.body.error];
    };
    expect(await refused(`${rig.receiver.url}/gone.png`)).toEqual([422, 'media_fetch_failed']);
    expect(await refused('http://169.254.169.254/me.png')).toEqual([422, 'media_fetch_failed']);
    expect(await refused(`${rig.receiver.url}/text`)).toEqual([422, 'media_rejected']);
    const own = await rig.api.call('GET', `${LINES}/profile/avatar?line_id=${line.lineId}`);
    expect([own.status, own.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    const changed = await rig.api.expect<{ picture_id: string }>(200, 'PUT', `${PHONES}/${OWNER}/avatar`, {});
    await bridges('profile_picture_updated', (b) => b.picture_id === changed.picture_id);
    expect(await rig.api.expect(200, 'DELETE', `${PROXY}/profile/avatar`)).toEqual({ ok: true });
    const gone = await rig.api.call('GET', `${PROXY}/profile/avatar`);
    expect([gone.status, gone.body.error]).toEqual([404, 'avatar_not_found']);
  });

  test('what waited while the line was away is announced and counted', async () => {
    await rig.stopGateway();
    for (let i = 0; i < 3; i += 1) {
      await rig.world('POST', `/phones/${ALICE}/messages`, { to: OWNER, type: 'text', body: `meanwhile ${i}` });
    }
    await rig.startGateway();
    const preview = await bridges('offline_sync_preview', (b) => Number(b.messages) >= 3);
    expect(Object.keys(preview)).toEqual([
      'event',
      'total',
      'messages',
      'notifications',
      'receipts',
      'app_data_changes',
    ]);
    expect(await bridges('offline_sync_completed', (b) => b.count === preview.total)).toEqual({
      event: 'offline_sync_completed',
      count: preview.total,
    });
  });

  test('nothing of it is possible for a bridge that is not connected', async () => {
    await rig.api.expect(200, 'POST', '/api/instances', { customer_ref: 'idle' });
    const asked: [string, string, unknown?][] = [
      ['GET', `contacts/${ALICE}`],
      ['GET', `contacts/${ALICE}/avatar`],
      ['GET', 'profile'],
      ['PATCH', 'profile/status', { status: 'x' }],
      ['GET', 'profile/qr'],
      ['GET', 'profile/avatar'],
      ['DELETE', 'profile/avatar'],
      ['POST', 'presence', { state: 'available' }],
      ['POST', 'presence/subscribe', { chat: ALICE }],
      ['POST', 'send/typing', { chat: ALICE, state: 'composing' }],
      ['GET', 'status/privacy'],
      ['POST', 'send/reaction', { chat: ALICE, message_id: 'X', emoji: '👍' }],
      ['PATCH', 'messages/X/edit', { chat: ALICE, body: 'x' }],
      ['DELETE', `messages/X?chat=${ALICE}`],
    ];
    for (const [method, path, body] of asked) {
      const answer = await rig.api.call(method, `/api/instances/idle/proxy/${path}`, body);
      expect([method, path, answer.status, answer.body.error]).toEqual([method, path, 409, 'not_connected']);
    }
    expect(await rig.api.expect(200, 'GET', '/api/instances/idle/proxy/contacts')).toEqual([]);
  });
});
