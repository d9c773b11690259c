import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HttpHarness, openHttp } from './support/http-harness.ts';
import { connectAgent, textOf } from './support/mcp-agent.ts';

/*
 * What a caller got wrong is said by the name of the field and with the remedy: never taken for
 * something else.
 */

const CHAT = '15550002222';
const LINES = '/api/bridge/v1';
const PROXY = '/api/instances/known/proxy';
const ADMIN = 'an-admin-token-of-more-than-32-characters';

let h: HttpHarness;
let lineId: string;
const sent: Record<string, unknown>[] = [];

beforeAll(async () => {
  h = await openHttp({ adminToken: ADMIN });
  await h.call('POST', '/api/instances', { body: { customer_ref: 'known' } });
  lineId = String((await h.call('GET', '/api/instances/known')).body.line_id);
  await h.setLine(lineId, { status: 'connected', phone: '15550001111', jid: '15550001111@s.whatsapp.net', name: 'x' });
  h.router.scriptSends(async ({ outboxId }) => {
    const rows = await h.db.store.db
      .selectFrom('outbox')
      .select(['to_jid', 'content'])
      .where('id', '=', outboxId)
      .execute();
    sent.push({ to: rows[0]?.to_jid, ...(JSON.parse(rows[0]?.content ?? '{}') as object) });
    return { state: 'sent', timestamp: 1_777_180_605 };
  });
});
afterAll(() => h.close());

const bridges = (path: string, body: unknown) => h.call('POST', `${PROXY}/${path}`, { body });
const lines = (path: string, body: Record<string, unknown>) =>
  h.call('POST', `${LINES}/${path}`, { body: { line_id: lineId, ...body } });
const raw = (url: string, payload: string | Buffer, headers: Record<string, string> = {}) =>
  h.app.inject({
    method: 'POST',
    url,
    headers: { authorization: `Bearer ${h.keys.test}`, 'content-type': 'application/json', ...headers },
    payload,
  });
const pathsOf = ({ status, body }: { status: number; body: Record<string, unknown> }) => [
  status,
  ...((body.details as { path: string }[] | undefined) ?? []).map(({ path }) => path),
];
const agent = async () =>
  connectAgent({
    url: 'http://localhost/api/bridge/mcp',
    key: h.keys.test,
    fetch: async (input, init) => {
      const request = new Request(input, init);
      const response = await h.app.inject({
        method: request.method as 'POST',
        url: new URL(request.url).pathname,
        headers: { ...Object.fromEntries(request.headers), host: 'localhost' },
        payload: request.method === 'GET' ? undefined : await request.text(),
      });
      return new Response(response.statusCode === 202 ? null : response.rawPayload, {
        status: response.statusCode,
        headers: { 'content-type': String(response.headers['content-type'] ?? 'text/plain') },
      });
    },
  });

describe('dates that no calendar has', () => {
  it.each(['2026-02-30T09:00:00Z', '2030-04-31T09:00:00Z', '2030-01-01T24:00:00Z', '2030-01-01T09:00:00+25:00'])(
    '%s is 400 wherever a time is taken, and sends nothing',
    async (time) => {
      const before = sent.length;
      expect(pathsOf(await lines('messages/send', { to: CHAT, message: 'x', send_at: time }))).toEqual([
        400,
        'send_at',
      ]);
      const series = await h.call('GET', `${LINES}/usage/series?from=${encodeURIComponent(time)}`);
      expect(pathsOf(series)).toEqual([400, 'from']);
      const account = { name: 'x', cycle_anchor: time };
      const admin = await h.call('POST', '/api/admin/v1/accounts', { key: ADMIN, body: account });
      expect(pathsOf(admin)).toEqual([400, 'cycle_anchor']);
      expect(sent).toHaveLength(before);
    },
  );
});

describe('half characters', () => {
  it.each(['"x\\uD83D"', '"\\uDE00x"', '"\\uD83D\\uD83D\\uDE00"', '"a\\ude00\\ud83db"'])(
    '%s is 400 wherever text goes',
    async (text) => {
      const at = async (url: string, body: string) => {
        const { statusCode, payload } = await raw(url, body);
        return pathsOf({ status: statusCode, body: JSON.parse(payload) as Record<string, unknown> });
      };
      const line = `"line_id":"${lineId}","to":"${CHAT}"`;
      expect(await at(`${PROXY}/send/text`, `{"chat":"${CHAT}","body":${text}}`)).toEqual([400, 'body']);
      expect(await at(`${LINES}/messages/send`, `{${line},"message":${text}}`)).toEqual([400, 'message']);
      expect(await at(`${LINES}/messages/poll`, `{${line},"question":"q","options":["a",${text}]}`)).toEqual([
        400,
        'options.1',
      ]);
      expect(
        await at(`${LINES}/messages/contact`, `{${line},"contacts":[{"name":${text},"phone":"${CHAT}"}]}`),
      ).toEqual([400, 'contacts.0.name']);
      const media = `{"chat":"${CHAT}","url":"https://a.example/b","caption":${text}}`;
      expect(await at(`${PROXY}/send/media`, media)).toEqual([400, 'caption']);
      const hook = `{"url":"https://a.example/b","events":["*"],"description":${text}}`;
      expect(await at(`${LINES}/webhooks`, hook)).toEqual([400, 'description']);
      expect((await at('/api/instances', `{"customer_ref":${text}}`)).slice(0, 2)).toEqual([400, 'customer_ref']);
      expect(await at(`${LINES}/lines`, `{"label":${text}}`)).toEqual([400, 'label']);
      expect(await at('/api/sandbox/v1/phones', `{"phone":"${CHAT}","name":${text}}`)).toEqual([400, 'name']);
      const one = await agent();
      const args = { line_id: lineId, to: CHAT, message: JSON.parse(text) as string };
      expect((await one.refused('bridge_send_message', args)).text).toContain('message: The text holds half');
      await one.close();
    },
  );

  it('whole ones are sent as they are', async () => {
    expect((await bridges('send/text', { chat: CHAT, body: '\ud83d\ude00 ok' })).status).toBe(200);
    expect(sent.at(-1)).toMatchObject({ body: '😀 ok' });
  });
});

describe('phone numbers', () => {
  it.each([
    ['+44 (0)20 7946 0958', '442079460958'],
    ['＋1‑555‑000‑2222', '15550002222'],
    ['\u202a+1 555 000 2222\u202c', '15550002222'],
    ['15550002222@c.us', '15550002222'],
  ])('%j is understood in every place', async (typed, digits) => {
    const jid = `${digits}@s.whatsapp.net`;
    expect((await bridges('send/text', { chat: typed, body: 'x' })).status).toBe(200);
    expect(sent.at(-1)?.to).toBe(jid);
    expect((await lines('messages/send', { to: typed, message: 'x', mentions: [typed] })).status).toBe(200);
    expect(sent.at(-1)).toMatchObject({ to: jid, context: { mentions: [jid] } });
    const contacts = [{ name: 'A', phone: typed }];
    expect((await bridges('send/contact', { chat: CHAT, contacts })).status).toBe(200);
    expect(JSON.stringify(sent.at(-1))).toContain(`waid=${digits}`);
  });

  it.each(['(0)20 7946 0958', '+39 (0)6 1234567', '+44 (020) 7946 0958'])('%j is refused', async (typed) => {
    expect(pathsOf(await bridges('send/text', { chat: typed, body: 'x' }))).toEqual([400, 'chat']);
    expect(pathsOf(await bridges('contacts/check', { phones: [typed] }))).toEqual([400, 'phones.0']);
    expect(pathsOf(await lines('messages/send', { to: typed, message: 'x' }))).toEqual([400, 'to']);
  });
});

it.each(['.', '..'])('the customer_ref %j is refused', async (ref) => {
  expect(pathsOf(await h.call('POST', '/api/instances', { body: { customer_ref: ref } }))).toEqual([
    400,
    'customer_ref',
  ]);
  expect(pathsOf(await h.call('POST', `${LINES}/lines`, { body: { customer_ref: ref } }))).toEqual([
    400,
    'customer_ref',
  ]);
  const change = await h.call('PATCH', `${LINES}/lines/${lineId}`, { body: { customer_ref: ref } });
  expect(pathsOf(change)).toEqual([400, 'customer_ref']);
});

describe('JSON that is none', () => {
  it.each([
    ['{"chat":"1","body":"two\nlines"}', 'raw line break', 'line 1, column 24 (position 23)'],
    ['{\n  "chat": "1",\n  "body": "a\tb"\n}', 'raw tab', 'line 3, column 13'],
    ['{"chat":"1","body":"two\r\nlines"}', 'raw line break', 'line 1, column 24'],
    ['{"chat":"1" "body":"x"}', 'brackets', 'line 1, column 13'],
    ['{"chat":"1",}', 'brackets', 'line 1, column 13'],
    ['{"chat":"1"', '', ''],
  ])('%j is named with its place', async (body, what, where) => {
    for (const url of [`${PROXY}/send/text`, `${LINES}/messages/send`, `${PROXY}/send/media`]) {
      const { statusCode, payload } = await raw(url, body);
      const { error, message } = JSON.parse(payload) as { error: string; message: string };
      expect([statusCode, error]).toEqual([400, 'validation_error']);
      expect(message).toContain('not valid JSON');
      expect(message).toContain(what);
      expect(message).toContain(where);
      expect(message).not.toContain('lines"');
    }
  });

  it.each([
    ['gzip', gzipSync(`{"chat":"${CHAT}","body":"x"}`)],
    ['br', Buffer.from('anything')],
    ['GZIP', gzipSync('{}')],
  ])('a body in %s is 415 by name', async (coding, bytes) => {
    for (const url of [`${PROXY}/send/text`, `${LINES}/messages/send`, `${PROXY}/send/media`]) {
      const { statusCode, payload } = await raw(url, bytes, { 'content-encoding': coding });
      const { error, message } = JSON.parse(payload) as { error: string; message: string };
      expect([statusCode, error]).toEqual([415, 'unsupported_media_type']);
      expect(message).toContain(coding.toLowerCase());
    }
  });

  it('gzip without its header is known by its bytes; identity is no coding', async () => {
    const { statusCode, payload } = await raw(`${PROXY}/send/text`, gzipSync('{}'));
    expect([statusCode, payload]).toEqual([415, expect.stringContaining('gzip')]);
    const body = JSON.stringify({ chat: CHAT, body: 'x' });
    expect((await raw(`${PROXY}/send/text`, body, { 'content-encoding': 'identity' })).statusCode).toBe(200);
  });
});

it.each([
  'https://a.example/my photo.jpg',
  ' https://a.example/x',
  'https://a.example/a\nb',
  'https://a.example/\u200bx',
])('the address %j is refused, and says so', async (url) => {
  for (const answer of [
    await bridges('send/media', { chat: CHAT, url }),
    await lines('messages/send-media', { to: CHAT, media_url: url }),
  ]) {
    expect(answer.status).toBe(400);
    expect(String(answer.body.message)).toMatch(/space/);
  }
});

describe('members that nobody knows', () => {
  it('are refused in the Lines API, with the nearest known one', async () => {
    for (const [member, near] of [
      ['quoted_mesage_id', 'quoted_message_id'],
      ['quotedMessageId', 'quoted_message_id'],
      ['mention', 'mentions'],
      ['prioritty', 'priority'],
      ['sendAt', 'send_at'],
    ] as const) {
      const answer = await lines('messages/send', { to: CHAT, message: 'x', [member]: 'y' });
      expect(pathsOf(answer)).toEqual([400, member]);
      expect(answer.body.message).toBe(`${member}: did you mean ${near}?`);
    }
    const other = await lines('messages/send', { to: CHAT, message: 'x', colour: 'red' });
    expect(pathsOf(other)).toEqual([400, 'colour']);
    expect(other.body.message).toContain('there is no such member. Known: line_id, to, message');
    const inner = await lines('messages/contact', { to: CHAT, contacts: [{ name: 'A', phon: CHAT }] });
    expect(inner.body.details).toContainEqual({ path: 'contacts.0.phon', message: 'did you mean phone?' });
  });

  it('are ignored by the Bridges API, but for near misses of a known one', async () => {
    const text = (extra: object) => bridges('send/text', { chat: CHAT, body: 'x', ...extra });
    expect((await text({ colour: 'red', session: 'a', isGroup: false, id: 7, text: 'y' })).status).toBe(200);
    for (const [member, near] of [
      ['quoted_mesage_id', 'quoted_message_id'],
      ['quotedMessageId', 'quoted_message_id'],
      ['mentoins', 'mentions'],
    ] as const) {
      const answer = await text({ [member]: 'y' });
      expect(pathsOf(answer)).toEqual([400, member]);
      expect(answer.body.message).toBe(`${member}: did you mean ${near}?`);
    }
    // It is there, so nothing else was meant.
    expect((await text({ mentions: [], mention: 'y' })).status).toBe(200);
    const made = await h.call('POST', '/api/instances', {
      body: { customer_ref: 'a', webhookUrl: 'https://a.example' },
    });
    expect(pathsOf(made)).toEqual([400, 'webhookUrl']);
  });

  it('are refused by the admin API, the sandbox and MCP', async () => {
    const admin = await h.call('POST', '/api/admin/v1/accounts', { key: ADMIN, body: { name: 'x', plann: 'default' } });
    expect(admin.body.message).toBe('plann: did you mean plan?');
    const phones = '/api/sandbox/v1/phones';
    const phone = await h.call('POST', phones, { body: { phone: CHAT, name: 'A', busines: true } });
    expect(phone.body.message).toBe('busines: did you mean business?');
    const said = { to: CHAT, type: 'text', body: 'x', qouted_message_id: 'y' };
    const message = await h.call('POST', `${phones}/${CHAT}/messages`, { body: said });
    expect(message.body.message).toBe('qouted_message_id: did you mean quoted_message_id?');
    const one = await agent();
    const refused = await one.refused('bridge_send_message', { line_id: lineId, to: CHAT, mesage: 'x' });
    expect(refused.text).toContain('mesage: did you mean message?');
    const contacts = [{ name: 'A', phone: CHAT, vcrad: 'y' }];
    const inner = await one.refused('bridge_send_contact', { line_id: lineId, to: CHAT, contacts });
    expect(inner.text).toContain('did you mean vcard?');
    const good = await one.call('bridge_send_contact', {
      line_id: lineId,
      to: CHAT,
      contacts: [{ name: 'A', phone: CHAT }],
    });
    expect([good.isError ?? false, textOf(good)]).toEqual([false, expect.stringContaining('Sent')]);
    await one.close();
  });
});
