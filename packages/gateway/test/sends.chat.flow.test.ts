import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FileServer } from './support/file-server.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

/* What is sent obeys the chat: messages disappear where they do, and quotes stay in their chat. */

const OWNER = '15550001111';
const ALICE = '15550002222';
const BOB = '15550003333';
const CAROL = '15550004444';
const DAY = 86_400;
const WEEK = 604_800;
const LINES = '/api/bridge/v1';
const PROXY = '/api/instances/demo/proxy';
const SANDBOX = '/api/sandbox/v1';

type Item = Record<string, unknown> & { message_id: string };

let rig: Rig;
let files: FileServer;
let line: LinkedLine;

beforeAll(async () => {
  files = await FileServer.start();
  rig = await Rig.start({ targetPorts: [files.port] });
  await rig.sandbox.phone(ALICE, 'Alice');
  await rig.sandbox.phone(BOB, 'Bob');
  line = await rig.linkLine('demo', OWNER);
  const webhook = { url: `${rig.receiver.url}/lines`, events: ['message.sent'] };
  await rig.api.expect(200, 'POST', `${LINES}/webhooks`, webhook);
}, 60_000);
afterAll(async () => {
  await rig?.close();
  await files?.close();
});

/** Alice or another phone writes, and the line has journaled it, with everything before it. */
async function say(phone: string, body: string, extra: Record<string, unknown> = {}, to = OWNER): Promise<string> {
  const message = { to, type: 'text', body, ...extra };
  const { message_id: id } = await rig.api.expect<Item>(201, 'POST', `${SANDBOX}/phones/${phone}/messages`, message);
  await until(`"${body}" is journaled`, async () => {
    const { status } = await rig.api.call('GET', `${LINES}/messages/${id}?line_id=${line.lineId}`);
    return status === 200;
  });
  return id;
}
const setTimer = (phone: string, chat: string, seconds: number) =>
  rig.api.expect(200, 'PATCH', `${SANDBOX}/phones/${phone}/chats/${chat}`, { ephemeral_seconds: seconds });
const send = async (path: string, body: Record<string, unknown>) =>
  (await rig.api.expect<Item>(200, 'POST', `${PROXY}/send/${path}`, body)).message_id;
const seenBy = (phone: string, id: string) =>
  until(`${id} arrives`, async () => {
    const items = (await rig.sandbox.inbox(phone)) as unknown as Item[];
    return items.find((item) => item.message_id === id);
  });
/** The webhook of a message that was sent. */
const told = (id: string) =>
  until(`${id} is told`, () =>
    rig.receiver.requests
      .filter(({ path }) => path === '/lines')
      .map(({ body }) => JSON.parse(body) as { data: Item })
      .find(({ data }) => data.message_id === id),
  );
const shownIn = async (phone: string, chat: string) => {
  const chats = await rig.api.expect<Record<string, unknown>[]>(200, 'GET', `${SANDBOX}/phones/${phone}/chats`);
  return chats.find((one) => one.chat === `${chat}@s.whatsapp.net`)?.ephemeral_seconds;
};

test('messages into a private chat disappear as the chat says, of every kind, after every change', async () => {
  await say(ALICE, 'Hello');
  const before = await send('text', { chat: ALICE, body: 'stays' });
  expect((await seenBy(ALICE, before)).ephemeral_seconds).toBeUndefined();
  await setTimer(ALICE, OWNER, DAY);
  expect(await shownIn(ALICE, OWNER)).toBe(DAY);
  await say(ALICE, 'from now on for a day');
  const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  for (const [path, body] of [
    ['text', { body: 'goes' }],
    ['location', { lat: 1, lng: 2 }],
    ['poll', { question: 'Which?', options: ['a', 'b'] }],
    ['event', { name: 'Party', start_time: 1_777_334_400 }],
    ['contact', { contacts: [{ name: 'Bob', phone: BOB }] }],
    ['media', { data: pixel, caption: 'goes too' }],
  ] as [string, Record<string, unknown>][]) {
    const id = await send(path, { chat: ALICE, ...body });
    expect([path, (await seenBy(ALICE, id)).ephemeral_seconds]).toEqual([path, DAY]);
    const { data } = await told(id);
    expect([path, data.expires_in_seconds]).toEqual([path, DAY]);
  }
  // The owner of the line sets it on the own phone.
  await setTimer(OWNER, ALICE, WEEK);
  expect(await shownIn(ALICE, OWNER)).toBe(WEEK);
  await say(ALICE, 'for a week');
  expect((await seenBy(ALICE, await send('text', { chat: ALICE, body: 'week' }))).ephemeral_seconds).toBe(WEEK);
  await setTimer(ALICE, OWNER, 0);
  await say(ALICE, 'for good');
  const last = await send('text', { chat: `+${ALICE}`, body: 'stays again' });
  expect((await seenBy(ALICE, last)).ephemeral_seconds).toBeUndefined();
}, 60_000);

test('a message alone tells how its chat is set', async () => {
  await say(BOB, 'mine disappears', { ephemeral_seconds: 3_600 });
  expect((await seenBy(BOB, await send('text', { chat: BOB, body: 'so does mine' }))).ephemeral_seconds).toBe(3_600);
});

test('messages into a group disappear as the group says, also after a change', async () => {
  const group = { subject: 'Short', owner: ALICE, participants: [OWNER, BOB], ephemeral_seconds: DAY };
  const { jid } = await rig.api.expect<{ jid: string }>(201, 'POST', `${SANDBOX}/groups`, group);
  expect((await seenBy(BOB, await send('text', { chat: jid, body: 'a day' }))).ephemeral_seconds).toBe(DAY);
  for (const seconds of [WEEK, 0]) {
    await rig.api.expect(200, 'PATCH', `${SANDBOX}/groups/${jid}`, { ephemeral_seconds: seconds });
    await say(BOB, `now ${seconds}`, {}, jid);
    const item = await seenBy(BOB, await send('text', { chat: jid, body: `as of ${seconds}` }));
    expect(item.ephemeral_seconds ?? 0).toBe(seconds);
  }
});

test('a chat that was set before the line was linked is known from its history', async () => {
  await rig.sandbox.phone(CAROL, 'Carol');
  await rig.world('POST', `/phones/${CAROL}/messages`, { to: ALICE, type: 'text', body: 'long ago' });
  await rig.world('PATCH', `/phones/${CAROL}/chats/${ALICE}`, { ephemeral_seconds: WEEK });
  const late = await rig.linkLine('late', CAROL);
  await until('history is read', async () => {
    const { chats } = await rig.api.expect<{ chats: unknown[] }>(200, 'GET', `${LINES}/chats?line_id=${late.lineId}`);
    return chats.length > 0;
  });
  const { message_id: id } = await rig.api.expect<Item>(200, 'POST', '/api/instances/late/proxy/send/text', {
    chat: ALICE,
    body: 'from the new line',
  });
  expect((await seenBy(ALICE, id)).ephemeral_seconds).toBe(WEEK);
}, 60_000);

test('a quote stays in its chat; a message of a group can be answered in private, to its author only', async () => {
  const private_ = await say(ALICE, 'between us');
  const { jid } = await rig.api.expect<{ jid: string }>(201, 'POST', `${SANDBOX}/groups`, {
    subject: 'Open',
    owner: ALICE,
    participants: [OWNER, BOB],
  });
  const said = await say(ALICE, 'to all', {}, jid);
  const quote = (chat: string, id: string) =>
    rig.api.call('POST', `${PROXY}/send/text`, { chat, body: 'about that', quoted_message_id: id });
  const inLines = (to: string, id: string) =>
    rig.api.call('POST', `${LINES}/messages/reply`, {
      line_id: line.lineId,
      to,
      message: 'about that',
      quoted_message_id: id,
    });
  for (const [chat, id] of [
    [BOB, private_],
    [jid, private_],
    [BOB, said],
  ] as const) {
    for (const refused of [await quote(chat, id), await inLines(chat, id)]) {
      expect([chat, refused.status, refused.body.error]).toEqual([chat, 404, 'message_not_found']);
      expect(refused.body.message).toContain('another chat');
    }
  }
  for (const [chat, id] of [
    [ALICE, private_],
    [jid, said],
    [ALICE, said],
  ] as const) {
    expect([chat, (await quote(chat, id)).status]).toEqual([chat, 200]);
    expect([chat, (await inLines(chat, id)).status]).toEqual([chat, 200]);
  }
  expect((await quote(ALICE, 'NOPE')).body.message).toContain('not known');
}, 60_000);

test('a link gets its card, unless nobody wants it or the page takes too long', async () => {
  const png = await sharp({ create: { width: 400, height: 300, channels: 3, background: '#0a0' } })
    .png()
    .toBuffer();
  files.serve('/p.png', png, 'image/png');
  const head =
    '<meta property="og:title" content="Caf&eacute; &amp; Bar"><meta content=\'Open late\' name="description">';
  const page = `<!doctype html><html><head><title>x</title>${head}<meta property="og:image" content="/p.png"></head>`;
  const url = files.serve('/page', Buffer.from(page), 'text/html; charset=utf-8');
  const id = await send('text', { chat: ALICE, body: `Look (${url}), nice` });
  const card = { url, title: 'Caf&eacute; & Bar', description: 'Open late' };
  expect((await seenBy(ALICE, id)).link_preview).toEqual(card);
  expect((await told(id)).data.content).toMatchObject({ link_preview: card });
  const byLines = await rig.api.expect<Item>(200, 'POST', `${LINES}/messages/send`, {
    line_id: line.lineId,
    to: `+${ALICE}`,
    message: `${url}?again`,
    link_preview: false,
  });
  expect((await seenBy(ALICE, byLines.message_id)).link_preview).toBeUndefined();
  expect(files.requests.filter((path) => path.startsWith('/page'))).toEqual(['/page']);
  files.acts.set('/slow', (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }));
  files.serve('/file', png, 'image/png');
  for (const link of [files.url('/slow'), files.url('/missing'), files.url('/file'), 'http://10.0.0.1/private']) {
    const startedAt = performance.now();
    const plain = await send('text', { chat: ALICE, body: link });
    expect((await seenBy(ALICE, plain)).link_preview).toBeUndefined();
    expect(performance.now() - startedAt).toBeLessThan(6_000);
  }
}, 60_000);

test('a web page behind an address is no file unless it is asked for; empty files are refused; data: is understood', async () => {
  const page = files.serve('/login.pdf', Buffer.from('<!doctype html><title>Sign in</title>'), 'application/pdf');
  const empty = files.serve('/empty.csv', Buffer.alloc(0), 'text/csv');
  const media = (body: Record<string, unknown>) =>
    rig.api.call('POST', `${PROXY}/send/media`, { chat: ALICE, ...body });
  const inLines = (body: Record<string, unknown>) =>
    rig.api.call('POST', `${LINES}/messages/send-media`, { line_id: line.lineId, to: `+${ALICE}`, ...body });
  for (const refused of [await media({ url: page }), await inLines({ media_url: page })]) {
    expect([refused.status, refused.body.error]).toEqual([422, 'media_rejected']);
    expect(refused.body.message).toContain('web page');
  }
  for (const refused of [
    await media({ url: empty }),
    await inLines({ media_url: empty, media_type: 'document' }),
    await media({ data: '', filename: 'a.csv' }),
  ]) {
    expect([refused.status, refused.body.error]).toEqual([422, 'media_rejected']);
    expect(refused.body.message).toContain('empty');
  }
  const asked = await media({ url: page, filename: 'page.html' });
  expect(await seenBy(ALICE, String(asked.body.message_id))).toMatchObject({
    type: 'document',
    mime_type: 'text/html',
    filename: 'page.html',
  });
  const csv = `data:application/octet-stream;base64,${Buffer.from('a,b\n1,2').toString('base64')}`;
  const sheet = await media({ data: csv, filename: 'a.csv' });
  expect(await seenBy(ALICE, String(sheet.body.message_id))).toMatchObject({
    type: 'document',
    mime_type: 'text/csv',
    filename: 'a.csv',
  });
  const pdf = await inLines({ media_type: 'document', data: Buffer.from('%PDF-1.7\n').toString('base64') });
  expect(await seenBy(ALICE, String(pdf.body.message_id))).toMatchObject({ filename: 'document.pdf' });
  const byPhone = { to: OWNER, type: 'document', filename: 'b.csv', mime_type: 'text/csv', data: csv };
  await rig.api.expect(201, 'POST', `${SANDBOX}/phones/${ALICE}/messages`, byPhone);
}, 60_000);
