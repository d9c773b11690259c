import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReceivedRequest } from './receiver.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

type Body = Record<string, unknown> & { data?: Record<string, unknown> };
type Shown = Record<string, unknown>;
const bodyOf = (request: ReceivedRequest) => JSON.parse(request.body) as Body;

const OWNER = '15550001111';
const ALICE = '15550002222';
const PROXY = '/api/instances/demo/proxy';
const LINES = '/api/bridge/v1';
const PHONES = '/api/sandbox/v1/phones';
/** The published members of a Bridges message event, in their order. */
const TWELVE = [
  'event',
  'message_id',
  'contact_id',
  'phone',
  'chat_id',
  'name',
  'body',
  'type',
  'media_type',
  'is_group',
  'from_me',
  'timestamp',
];
const BOB_CARD = [
  'BEGIN:VCARD',
  'VERSION:3.0',
  'FN:Bob',
  'TEL;type=CELL;waid=15550003333:+1 555 000 3333',
  'TEL;type=WORK:+44 20 7946 0958',
  'END:VCARD',
].join('\n');

const databases: ('sqlite' | 'postgres')[] = process.env.TEST_DATABASE_URL ? ['sqlite', 'postgres'] : ['sqlite'];

describe.each(databases)('what a message says is told whole, on %s', (database) => {
  let rig: Rig;
  let line: LinkedLine;

  beforeAll(async () => {
    rig = await Rig.start({ database });
    await rig.sandbox.phone(ALICE, 'Alice');
    line = await rig.linkLine('demo', OWNER);
    await rig.api.expect(200, 'POST', `${LINES}/webhooks`, { url: `${rig.receiver.url}/lines`, events: ['*'] });
  }, 60_000);
  afterAll(() => rig?.close());

  const arrived = async (path: string, wanted: (body: Body) => boolean): Promise<Body> =>
    bodyOf(
      await until(`an event at ${path}`, () => rig.receiver.requests.find((r) => r.path === path && wanted(bodyOf(r)))),
    );
  const bridges = (id: string, event = 'message') =>
    arrived('/bridges/demo', (body) => body.event === event && body.message_id === id);
  const lines = async (id: string, event = 'message.received') =>
    (await arrived('/lines', (body) => body.event === event && body.data?.message_id === id)).data ?? {};
  const write = async (message: Record<string, unknown>) =>
    (
      await rig.api.expect<{ message_id: string }>(201, 'POST', `${PHONES}/${ALICE}/messages`, {
        to: OWNER,
        ...message,
      })
    ).message_id;
  const listed = async (id: string): Promise<Shown> => {
    const query = `line_id=${line.lineId}&phone=%2B${ALICE}`;
    const page = await rig.api.expect<{ messages: Shown[] }>(200, 'GET', `${LINES}/messages?${query}`);
    const found = page.messages.find((message) => message.message_id === id);
    if (!found) throw new Error(`${id} is not listed`);
    return found;
  };
  const one = (id: string) => rig.api.expect<Shown>(200, 'GET', `${LINES}/messages/${id}?line_id=${line.lineId}`);
  const oneOfBridge = (id: string) => rig.api.expect<Shown>(200, 'GET', `${PROXY}/messages/${id}`);
  const found = async (q: string) => {
    const query = `line_id=${line.lineId}&q=${encodeURIComponent(q)}`;
    const { messages } = await rig.api.expect<{ messages: Shown[] }>(200, 'GET', `${LINES}/messages?${query}`);
    return messages.map((message) => message.message_id);
  };
  /** The same content in the event, the list, and both answers about one message. */
  const toldEverywhere = async (id: string, content: unknown) => {
    const event = await lines(id);
    expect(event.content).toEqual(content);
    expect((await listed(id)).content).toEqual(content);
    expect((await one(id)).content).toEqual(content);
    expect((await oneOfBridge(id)).content).toEqual(content);
    return event;
  };

  const structured: [string, Record<string, unknown>, unknown, string[]][] = [
    [
      'a place',
      { type: 'location', lat: 19.4326, lng: -99.1332, name: 'Zócalo', address: 'Plaza Mayor 1' },
      { location: { lat: 19.4326, lng: -99.1332, name: 'Zócalo', address: 'Plaza Mayor 1', live: false } },
      ['zocalo', 'plaza mayor'],
    ],
    [
      'a place that moves',
      { type: 'location', lat: 1.5, lng: 2.5, live: true, caption: 'walking home' },
      { location: { lat: 1.5, lng: 2.5, name: null, address: null, live: true } },
      ['walking'],
    ],
    [
      'a card with several numbers',
      { type: 'contact', name: 'Bob', vcard: BOB_CARD },
      { contacts: [{ name: 'Bob', phones: ['+15550003333', '+442079460958'], vcard: BOB_CARD }] },
      ['442079460958'],
    ],
    [
      'a poll',
      { type: 'poll', question: 'Favourite colour?', options: ['Vermilion', 'Green', 'Blue'], max_answers: 2 },
      { poll: { question: 'Favourite colour?', options: ['Vermilion', 'Green', 'Blue'], max_answers: 2 } },
      ['colour', 'vermilion'],
    ],
    [
      'an event with its place and call',
      {
        type: 'event',
        name: 'Housewarming',
        start_time: 1_777_334_400,
        end_time: 1_777_338_000,
        description: 'Bring marzipan',
        location: 'Our flat',
        address: 'Elm Street 5',
        lat: 52.5,
        lng: 13.4,
        call: 'video',
      },
      {
        event: {
          name: 'Housewarming',
          start_time: 1_777_334_400,
          end_time: 1_777_338_000,
          description: 'Bring marzipan',
          location: 'Our flat',
          address: 'Elm Street 5',
          lat: 52.5,
          lng: 13.4,
          join_link: expect.stringMatching(/^https:\/\/call\.whatsapp\.com\/video\//),
          canceled: false,
        },
      },
      ['housewarming', 'marzipan', 'elm street'],
    ],
  ];

  test.each(structured)('%s', async (_what, message, content, words) => {
    const id = await write(message);
    await toldEverywhere(id, content);
    const event = await bridges(id);
    expect(Object.keys(event)).toEqual([...TWELVE, 'content']);
    expect(event.content).toEqual(content);
    for (const q of words) expect(await found(q), q).toContain(id);
  });

  test('several cards in one message', async () => {
    const contacts = [
      { name: 'Bob', phone: '15550003333' },
      { name: 'Eve', phones: ['15550004444', '15550005555'] },
    ];
    const id = await write({ type: 'contact', contacts });
    const card = expect.stringContaining('BEGIN:VCARD');
    await toldEverywhere(id, {
      contacts: [
        { name: 'Bob', phones: ['+15550003333'], vcard: card },
        { name: 'Eve', phones: ['+15550004444', '+15550005555'], vcard: card },
      ],
    });
  });

  const flat: [string, Record<string, unknown>, unknown, Record<string, unknown>][] = [
    ['a text', { type: 'text', body: 'Hi' }, null, {}],
    [
      'a text with the card of a link',
      {
        type: 'text',
        body: 'see https://a.example/x',
        link_preview: { url: 'https://a.example/x', title: 'Example', description: 'About nothing' },
      },
      { link_preview: { url: 'https://a.example/x', title: 'Example', description: 'About nothing' } },
      {},
    ],
    ['a forwarded text', { type: 'text', body: 'news', forwarded: true }, null, { forwarded: true }],
    [
      'a disappearing text',
      { type: 'text', body: 'psst', ephemeral_seconds: 86_400 },
      null,
      { expires_in_seconds: 86_400 },
    ],
    [
      'a moving sticker',
      { type: 'sticker', fixture: 'sticker', animated: true },
      { sticker: { animated: true, width: null, height: null } },
      {},
    ],
    [
      'a still sticker',
      { type: 'sticker', fixture: 'sticker' },
      { sticker: { animated: false, width: null, height: null } },
      {},
    ],
    [
      'a picture to be viewed once',
      { type: 'image', fixture: 'image', view_once: true, to_companions: true },
      { image: { width: null, height: null } },
      { view_once: true },
    ],
    ['a voice note', { type: 'voice', fixture: 'voice', seconds: 7 }, { voice: { duration_seconds: 7 } }, {}],
    [
      'a film without sound',
      { type: 'video', fixture: 'video', gif: true, seconds: 3 },
      { video: { width: null, height: null, duration_seconds: 3, gif: true, note: false } },
      {},
    ],
    [
      'a document',
      { type: 'document', fixture: 'document', filename: 'offer-2026.pdf' },
      { document: { filename: 'offer-2026.pdf', pages: null } },
      {},
    ],
  ];

  test.each(flat)('%s has the published members alone at the bridge', async (_what, message, content, nuances) => {
    const id = await write(message);
    const event = await toldEverywhere(id, content);
    const usual = { forwarded: false, view_once: false, expires_in_seconds: null, edited: false, revoked: false };
    for (const told of [event, await listed(id), await one(id), await oneOfBridge(id)]) {
      expect(told).toMatchObject({ ...usual, mentions_me: false, ...nuances, name: 'Alice' });
    }
    expect(Object.keys(await bridges(id))).toEqual(TWELVE);
  });

  test('the name of a file is found', async () => {
    const id = await write({ type: 'document', fixture: 'document', filename: 'quarterly-zebra.pdf' });
    await lines(id);
    expect(await found('zebra')).toContain(id);
  });

  test('a bridge that asks gets the quote and the mentions, before the content', async () => {
    await rig.api.expect(200, 'PATCH', '/api/instances/demo', { webhook_details: true });
    const first = await write({ type: 'text', body: 'What time?' });
    const id = await write({ type: 'text', body: 'You?', quoted_message_id: first, mentions: [OWNER] });
    const event = await bridges(id);
    expect(Object.keys(event)).toEqual([...TWELVE, 'quoted_message_id', 'mentions', 'mentions_me']);
    expect(event).toMatchObject({ quoted_message_id: first, mentions: [`${OWNER}@s.whatsapp.net`], mentions_me: true });
    const place = await write({ type: 'location', lat: 1, lng: 2 });
    expect(Object.keys(await bridges(place))).toEqual([
      ...TWELVE,
      'quoted_message_id',
      'mentions',
      'mentions_me',
      'content',
    ]);
    const bridge = await rig.api.expect<Shown>(200, 'PATCH', '/api/instances/demo', { webhook_details: false });
    expect(bridge.webhook_details).toBe(false);
    expect(Object.keys(await bridges(await write({ type: 'text', body: 'plain again' })))).toEqual(TWELVE);
    const wrong = await rig.api.call('PATCH', '/api/instances/demo', { webhook_details: 'yes' });
    expect([wrong.status, wrong.body.error]).toEqual([400, 'validation_error']);
  });

  test('what the line sends is told the same way', async () => {
    const sent = await rig.api.expect<{ message_id: string }>(200, 'POST', `${LINES}/messages/location`, {
      line_id: line.lineId,
      to: `+${ALICE}`,
      lat: 40.4,
      lng: -3.7,
      name: 'Prado',
    });
    const content = { location: { lat: 40.4, lng: -3.7, name: 'Prado', address: null, live: false } };
    expect(await lines(sent.message_id, 'message.sent')).toMatchObject({ content, view_once: false });
    expect(await one(sent.message_id)).toMatchObject({ content, from_me: true, readers: null });
    expect(await found('prado')).toContain(sent.message_id);
  });

  test('an edited message says so, by whom and when; its events carry the name', async () => {
    const id = await write({ type: 'text', body: 'first' });
    await lines(id);
    await rig.api.expect(201, 'POST', `${PHONES}/${ALICE}/edits`, { to: OWNER, message_id: id, body: 'second' });
    expect(await lines(id, 'message.edited')).toMatchObject({ body: 'second', name: 'Alice', from_me: false });
    expect(await listed(id)).toMatchObject({ body: 'second', edited: true, revoked: false });
    expect(await one(id)).toMatchObject({
      edited: true,
      edited_by: `${ALICE}@s.whatsapp.net`,
      edited_at: expect.any(Number),
      revoked_at: null,
    });
  });

  test('a deleted message keeps its kind, and a second deletion says what it is', async () => {
    const id = await write({ type: 'location', lat: 3, lng: 4, name: 'Atlantis' });
    await lines(id);
    await rig.api.expect(201, 'POST', `${PHONES}/${ALICE}/revokes`, { to: OWNER, message_id: id });
    expect(await lines(id, 'message.revoked')).toMatchObject({ by_admin: false, name: 'Alice' });
    for (const told of [await listed(id), await one(id), await oneOfBridge(id)]) {
      expect(told).toMatchObject({ type: 'location', body: '', content: null, revoked: true });
    }
    expect(await one(id)).toMatchObject({ revoked_by: `${ALICE}@s.whatsapp.net`, revoked_at: expect.any(Number) });
    expect(await found('atlantis')).not.toContain(id);
    const { chats } = await rig.api.expect<{ chats: { jid: string; last_message: Shown }[] }>(
      200,
      'GET',
      `${LINES}/chats?line_id=${line.lineId}`,
    );
    expect(chats.find(({ jid }) => jid === `${ALICE}@s.whatsapp.net`)?.last_message).toMatchObject({
      id,
      type: 'location',
      revoked: true,
    });

    const { message_id: own } = await rig.api.expect<{ message_id: string }>(200, 'POST', `${PROXY}/send/text`, {
      chat: ALICE,
      body: 'mistake',
    });
    await rig.api.expect(200, 'DELETE', `${PROXY}/messages/${own}?chat=${ALICE}`);
    const again = await rig.api.call('DELETE', `${PROXY}/messages/${own}?chat=${ALICE}`);
    expect([again.status, again.body.error]).toEqual([409, 'message_revoked']);
    const viaLines = await rig.api.call('POST', `${LINES}/messages/revoke`, {
      line_id: line.lineId,
      jid: ALICE,
      message_id: own,
    });
    expect([viaLines.status, viaLines.body.error]).toEqual([409, 'message_revoked']);
    expect(await one(own)).toMatchObject({ type: 'text', revoked: true, revoked_by: `${OWNER}@s.whatsapp.net` });
    const edit = await rig.api.call('PATCH', `${PROXY}/messages/${own}/edit`, { chat: ALICE, body: 'x' });
    expect([edit.status, edit.body.error]).toEqual([409, 'message_revoked']);
  });
});
