import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReceivedRequest } from './receiver.ts';
import { connectAgent } from './support/mcp-agent.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

type Shown = Record<string, unknown>;
type Body = Shown & { data?: Shown };
const bodyOf = (request: ReceivedRequest) => JSON.parse(request.body) as Body;

const OWNER = '15550001111';
const ALICE = '15550002222';
const BOB = '15550003333';
const HIDDEN = '15550004444';
const PROXY = '/api/instances/demo/proxy';
const LINES = '/api/bridge/v1';
const PHONES = '/api/sandbox/v1/phones';

/** As WhatsApp has the number, and as others write it. */
const WRITTEN: [string, string, string][] = [
  ['Brazil', '5511987654321', '551187654321'],
  ['Mexico', '5215512345678', '525512345678'],
  ['Argentina', '5491123456789', '541123456789'],
];

const databases: ('sqlite' | 'postgres')[] = process.env.TEST_DATABASE_URL ? ['sqlite', 'postgres'] : ['sqlite'];

describe.each(databases)('one person has one address, on %s', (database) => {
  let rig: Rig;
  let line: LinkedLine;
  const lids: Record<string, string> = {};

  beforeAll(async () => {
    rig = await Rig.start({ database });
    for (const [phone, name] of [
      [ALICE, 'Alice'],
      [BOB, 'Bob'],
      ...WRITTEN.map(([country, phone]) => [phone, country] as const),
    ] as const) {
      lids[phone] = (await rig.sandbox.phone(phone, name)).lid;
    }
    const hidden = { phone: HIDDEN, name: 'Hidden', lid_only: true };
    lids[HIDDEN] = (await rig.api.expect<{ lid: string }>(201, 'POST', PHONES, hidden)).lid;
    line = await rig.linkLine('demo', OWNER);
    lids[OWNER] = (await rig.api.expect<{ lid: string }>(200, 'GET', `${PHONES}/${OWNER}`)).lid;
    await rig.api.expect(200, 'POST', `${LINES}/webhooks`, { url: `${rig.receiver.url}/lines`, events: ['*'] });
  }, 60_000);
  afterAll(() => rig?.close());

  const events = (path: string) => rig.receiver.requests.filter((request) => request.path === path).map(bodyOf);
  const told = async (event: string, wanted: (data: Shown) => boolean) =>
    (await until(event, () => events('/lines').find((body) => body.event === event && wanted(body.data ?? {})))).data ??
    {};
  const post = <T = Shown>(path: string, body: Shown) =>
    rig.api.expect<T>(200, 'POST', `${LINES}/${path}`, { line_id: line.lineId, ...body });
  const get = <T = Shown>(path: string, query = '') =>
    rig.api.expect<T>(200, 'GET', `${LINES}/${path}?line_id=${line.lineId}${query}`);
  const write = async (phone: string, message: Shown) =>
    (await rig.api.expect<{ message_id: string }>(201, 'POST', `${PHONES}/${phone}/messages`, message)).message_id;
  const inboxed = (phone: string, id: string) =>
    until(`${phone} has ${id}`, async () =>
      ((await rig.sandbox.inbox(phone)) as unknown as Shown[]).find((item) => item.message_id === id),
    );
  const madeGroup = async (participants: string[]) => {
    const { group } = await post<{ group: { jid: string } }>('groups', { subject: 'Neighbours', participants });
    return group.jid;
  };

  test('the first message to a number that nobody asked about says by which one WhatsApp has it', async () => {
    const [known, typed] = ['5511987650001', '551187650001'];
    await rig.sandbox.phone(known, 'First');
    const sent = await post('messages/send', { to: `+${typed}`, message: 'Who is there?' });
    expect(sent).toMatchObject({ status: 'sent', to: `+${known}`, chat_id: `${known}@s.whatsapp.net` });
    await inboxed(known, String(sent.message_id));
  });

  test.each(WRITTEN)('%s: whichever way a number is written, it is the same chat', async (_country, known, typed) => {
    const jid = `${known}@s.whatsapp.net`;
    const checked = await rig.api.expect(200, 'POST', `${PROXY}/contacts/check`, { phones: [typed, known] });
    expect(checked).toEqual([
      { phone: typed, registered: true, is_business: false, jid },
      { phone: known, registered: true, is_business: false, jid },
    ]);
    const inLines = await post<{ numbers: Shown[] }>('contacts/check', { phones: [`+${typed}`] });
    expect(inLines.numbers).toEqual([{ phone: typed, registered: true, is_business: false, jid }]);

    const sent = await post('messages/send', { to: `+${typed}`, message: 'Hello' });
    expect(sent).toMatchObject({ to: `+${known}`, chat_id: jid });
    await inboxed(known, String(sent.message_id));
    expect(await told('message.sent', (d) => d.message_id === sent.message_id)).toMatchObject({ chat_id: jid });
    const reply = await write(known, { to: OWNER, type: 'text', body: 'Hi there' });
    await told('message.received', (d) => d.message_id === reply);
    const waited = await get<{ messages: Shown[] }>('messages/reply', `&phone=%2B${typed}&wait=5`);
    expect(waited.messages.map((message) => message.message_id)).toEqual([reply]);
    for (const phone of [typed, known]) {
      const { messages } = await get<{ messages: Shown[] }>('messages', `&phone=%2B${phone}`);
      expect(messages.map((message) => message.message_id)).toEqual([reply, sent.message_id]);
    }
    await post('messages/read', { phone: `+${typed}` });
    const { chats } = await get<{ chats: Shown[] }>('chats');
    expect(chats.filter((chat) => [jid, `${typed}@s.whatsapp.net`].includes(String(chat.jid)))).toMatchObject([
      { jid, unread_count: 0 },
    ]);
    await post('messages/react', { jid: typed, message_id: reply, emoji: '👍' });
    await post('messages/edit', { jid: typed, message_id: sent.message_id, message: 'Hello!' });
    await post('chats/archive', { phone: `+${typed}` });
    const archived = await get<{ chats: Shown[] }>('chats', '&archived=true');
    expect(archived.chats.map((chat) => chat.jid)).toContain(jid);
    const ofBridge = await rig.api.expect<{ message_id: string }>(200, 'POST', `${PROXY}/send/text`, {
      chat: typed,
      body: 'again',
    });
    await inboxed(known, ofBridge.message_id);
  });

  test('the line says its own LID', async () => {
    const lid = lids[OWNER];
    expect(await rig.api.expect(200, 'GET', `${PROXY}/status`)).toEqual({
      status: 'connected',
      phone: OWNER,
      jid: `${OWNER}@s.whatsapp.net`,
      name: 'Owner of demo',
      lid,
    });
    expect(await rig.api.expect(200, 'GET', `${PROXY}/profile`)).toMatchObject({ lid });
    expect(await get('profile')).toMatchObject({ lid });
    expect(await rig.api.expect(200, 'GET', `${LINES}/lines/${line.lineId}`)).toMatchObject({ lid });
  });

  test('mentions come in the form of from, and say whether the line is meant', async () => {
    const group = await madeGroup([ALICE, BOB]);
    const token = String(lids[OWNER]).split('@')[0];
    const body = `Hey @${token}, and you, Bob`;
    const id = await write(ALICE, { to: group, type: 'text', body, mentions: [OWNER, BOB] });
    const wanted = {
      from: `${ALICE}@s.whatsapp.net`,
      body,
      mentions: [`${OWNER}@s.whatsapp.net`, `${BOB}@s.whatsapp.net`],
      mentions_me: true,
    };
    expect(await told('message.received', (d) => d.message_id === id)).toMatchObject(wanted);
    expect(await get(`messages/${id}`)).toMatchObject({ ...wanted, name: 'Alice' });
    const other = await write(ALICE, { to: group, type: 'text', body: 'Bob?', mentions: [BOB] });
    expect(await told('message.received', (d) => d.message_id === other)).toMatchObject({ mentions_me: false });
    const all = await write(ALICE, { to: group, type: 'text', body: '@all', mentions: ['all'] });
    expect(await told('message.received', (d) => d.message_id === all)).toMatchObject({
      mentions: ['all'],
      mentions_me: true,
    });
  });

  test('what the line mentions carries the form that phones of the group need', async () => {
    const group = await madeGroup([ALICE, BOB]);
    const sent = await post('messages/send', { to: group, message: `Hi @${ALICE}!`, mentions: [ALICE] });
    const lid = String(lids[ALICE]);
    expect(await inboxed(BOB, String(sent.message_id))).toMatchObject({
      body: `Hi @${lid.split('@')[0]}!`,
      mentions: [lid],
    });
    expect(await told('message.sent', (d) => d.message_id === sent.message_id)).toMatchObject({
      body: `Hi @${ALICE}!`,
      mentions: [`${ALICE}@s.whatsapp.net`],
    });
    const all = await rig.api.expect<{ message_id: string }>(200, 'POST', `${PROXY}/send/text`, {
      chat: group,
      body: 'Everybody!',
      mentions: ['all'],
    });
    expect(await inboxed(BOB, all.message_id)).toMatchObject({ mentions_all: true });
    expect(await get(`messages/${all.message_id}`)).toMatchObject({ mentions: ['all'] });
  });

  test('lists show people by what is known now; what was told stays as it was told', async () => {
    const id = await write(HIDDEN, { to: OWNER, type: 'text', body: 'Guess who' });
    const lid = lids[HIDDEN];
    expect(await told('message.received', (d) => d.message_id === id)).toMatchObject({ from: lid, phone: null });
    expect(await get(`messages/${id}`)).toMatchObject({ from: lid, jid: lid });
    await rig.api.expect(200, 'POST', `${PROXY}/contacts/check`, { phones: [HIDDEN] });
    const jid = `${HIDDEN}@s.whatsapp.net`;
    await until('the number is shown', async () => (await get(`messages/${id}`)).from === jid);
    expect(await get(`messages/${id}`)).toMatchObject({ from: jid, jid });
    expect(await rig.api.expect(200, 'GET', `${PROXY}/messages/${id}`)).toMatchObject({
      contact_id: jid,
      phone: HIDDEN,
      chat_id: jid,
    });
    const { messages } = await get<{ messages: Shown[] }>('messages', `&phone=%2B${HIDDEN}`);
    expect(messages.map((message) => message.from)).toEqual([jid]);
    const { chats } = await get<{ chats: Shown[] }>('chats');
    expect(chats.find((chat) => chat.jid === jid)).toMatchObject({ phone: `+${HIDDEN}` });
    const agent = await connectAgent({ url: `${rig.base}/api/bridge/mcp`, key: rig.testKey });
    try {
      const { messages: read } = await agent.get<{ messages: Shown[] }>('bridge_get_messages', {
        line_id: line.lineId,
        phone: `+${HIDDEN}`,
      });
      expect(read).toMatchObject([{ from: jid, name: 'Hidden' }]);
    } finally {
      await agent.close();
    }
    const { deliveries } = await rig.api.expect<{ deliveries: Shown[] }>(
      200,
      'GET',
      `${LINES}/webhooks/${await webhookId()}/deliveries?limit=100`,
    );
    const bodies = await Promise.all(
      deliveries.map(
        async (delivery) =>
          (await rig.api.expect<{ payload: Body }>(200, 'GET', `${LINES}/deliveries/${delivery.id}`)).payload,
      ),
    );
    expect(bodies.find((body) => body.data?.message_id === id)?.data).toMatchObject({ from: lid, phone: null });
  });
  const webhookId = async () =>
    (await rig.api.expect<{ webhooks: { id: string }[] }>(200, 'GET', `${LINES}/webhooks`)).webhooks[0]?.id;

  test('in a group each step is told once, with counts; each reader is listed, and told to who asks', async () => {
    const group = await madeGroup([ALICE, BOB]);
    await rig.api.expect(200, 'POST', `${LINES}/webhooks`, {
      url: `${rig.receiver.url}/readers`,
      events: ['message.receipt'],
    });
    await rig.api.expect(200, 'PATCH', '/api/instances/demo', { webhook_events: ['message', 'message_receipt'] });
    const sent = await post('messages/send', { to: group, message: 'Who reads this?' });
    const id = String(sent.message_id);
    for (const phone of [ALICE, BOB]) {
      await inboxed(phone, id);
      await rig.api.expect(200, 'POST', `${PHONES}/${phone}/receipts`, { to: group, message_ids: [id], type: 'read' });
    }
    const readers = await until('both have read it', async () => {
      const { readers: all } = await get<{ readers: Shown[] }>(`messages/${id}`);
      return all.filter((one) => one.read_at !== null).length === 2 && all;
    });
    expect(readers).toHaveLength(2);
    expect(readers.map((one) => [one.jid, one.phone, one.name]).sort()).toEqual([
      [`${ALICE}@s.whatsapp.net`, `+${ALICE}`, 'Alice'],
      [`${BOB}@s.whatsapp.net`, `+${BOB}`, expect.any(String)],
    ]);
    expect(readers[0]).toMatchObject({ delivered_at: expect.any(Number), played_at: null });
    expect(await rig.api.expect(200, 'GET', `${PROXY}/messages/${id}`)).toMatchObject({
      status: 'read',
      readers: [{ read_at: expect.any(Number) }, { read_at: expect.any(Number) }],
    });
    const receipts = () =>
      events('/readers').flatMap(({ event, data }) =>
        event === 'message.receipt' && data?.message_id === id ? [`${data.from} ${data.status}`] : [],
      );
    await until('every reader is told', () => receipts().length >= 4);
    expect(receipts().sort()).toEqual([
      `${ALICE}@s.whatsapp.net delivered`,
      `${ALICE}@s.whatsapp.net read`,
      `${BOB}@s.whatsapp.net delivered`,
      `${BOB}@s.whatsapp.net read`,
    ]);
    const atBridge = () =>
      events('/bridges/demo').filter((body) => body.event === 'message_receipt' && body.message_id === id);
    await until('the bridge is told', () => atBridge().length === 4);
    expect(atBridge()[0]).toMatchObject({ chat_id: group, phone: expect.any(String) });
    // The receipt of the own phone says `sent`, when it comes before WhatsApp's acknowledgement.
    const steps = events('/lines').filter(
      ({ event, data }) => event === 'message.status' && data?.message_id === id && data.status !== 'sent',
    );
    expect(steps.map(({ data }) => data?.status)).toEqual(['delivered', 'read']);
    expect(steps[1]?.data?.counts).toMatchObject({
      delivered: expect.any(Number),
      read: expect.any(Number),
      played: 0,
    });
    expect(events('/lines').some(({ event }) => event === 'message.receipt')).toBe(false);
  });
});
