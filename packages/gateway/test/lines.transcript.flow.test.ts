import { afterAll, beforeAll, expect, test } from 'vitest';
import { linesDialect } from '../src/dialects/lines/dialect.ts';
import { Rig } from './support/rig.ts';
import { type Exchange, transcript } from './support/transcript.ts';
import { until } from './support/until.ts';

type Json = Record<string, unknown>;

const OWNER = '15550009876';
const ALICE = '15550001234';
const BOB = '15550002222';
const PHONES = '/api/sandbox/v1/phones';
const UNIX = 1777180605;
const INSTANT = '2026-04-26T05:16:45.000Z';

const HEADING = `# The Lines API, as it is spoken

A line, its messages of every kind and its webhooks, recorded between a running gateway and the simulated network. What differs from run to run (ids,
times, secrets) stands here with fixed values; all else is as it went over the wire. \`npm run transcript\` records it anew, and a test compares.
The whole API is in the reference at \`/docs/api\`.

All requests carry \`Authorization: Bearer $PONTE_KEY\`.
`;
const FIXED: Json = {
  ...{ timestamp: UNIX, edited_at: UNIX, revoked_at: UNIX, delivered_at: UNIX, read_at: UNIX },
  ...{ created_at: INSTANT, connected_at: INSTANT, updated_at: INSTANT },
  ...{ secret: 'wzb_whsec_V7cLrtGPQ2ysXh3kTnbd', standard_secret: 'whsec_V7cLrtGPQ2ysXh3kTnbd' },
};
const FORMS: [RegExp, (number: string) => string][] = [
  [/\b3[AE][0-9A-F]{16,30}\b/g, (number) => `3EB0A1B2C3D4E5F60718${number}`],
  [/\b\d{13,16}(?=@lid\b)/g, (number) => `1000000000000${number}`],
  [/\b\d{10,}(?=@g\.us\b)/g, (number) => `1203630000000000${number}`],
  [/\bline_\w{20}\b/g, (number) => `line_V7cLrtGPQ2ysXh3kTn${number}`],
  [/\bwhk_\w{20}\b/g, (number) => `whk_9mKdLs2RXcVbN4Zt8Q${number}`],
  [/\bevt_\w{20,}\b/g, (number) => `evt_4Zt8Qx7WcVbN2mKdLs${number}`],
  [/(?<=call\.whatsapp\.com\/video\/)\w+/g, () => 'AbCdEfGhIjKlMnOpQrStUv'],
];

/** What Alice writes, one of each kind, with the words of the transcript for it. */
const WRITTEN: [string, Json][] = [
  ['a text that names the line', { type: 'text', body: `Hi @${OWNER}`, mentions: [OWNER] }],
  [
    'a text with the card of a link, forwarded',
    {
      type: 'text',
      body: 'see https://a.example/x',
      forwarded: true,
      link_preview: { url: 'https://a.example/x', title: 'Example', description: 'About nothing' },
    },
  ],
  ['a text that disappears', { type: 'text', body: 'psst', ephemeral_seconds: 86_400 }],
  ['a picture', { type: 'image', fixture: 'image', caption: 'look' }],
  ['a voice message', { type: 'voice', fixture: 'voice', seconds: 7 }],
  ['a moving sticker', { type: 'sticker', fixture: 'sticker', animated: true }],
  ['a place', { type: 'location', lat: 19.4326, lng: -99.1332, name: 'Zócalo', address: 'Plaza Mayor 1' }],
  ['a place that moves', { type: 'location', lat: 1.5, lng: 2.5, live: true, caption: 'walking home' }],
  ['a card with two numbers', { type: 'contact', name: 'Bob', phones: [BOB, '15550003333'] }],
  ['a poll', { type: 'poll', question: 'Favourite colour?', options: ['Red', 'Green', 'Blue'], max_answers: 2 }],
  [
    'an event',
    {
      type: 'event',
      name: 'Housewarming',
      start_time: 1_777_334_400,
      end_time: 1_777_338_000,
      description: 'Bring cake',
      location: 'Our flat',
      address: 'Elm Street 5',
      call: 'video',
    },
  ],
];

let rig: Rig;
beforeAll(async () => {
  rig = await Rig.start();
}, 60_000);
afterAll(() => rig?.close());

test('a line’s messages of every kind, answered as documented and recorded', async () => {
  const exchanges: Exchange[] = [];
  const webhooks: [string, unknown][] = [];
  const call = async <T = Json>(operation: string, { params = {}, query = {}, body }: Asked = {}): Promise<T> => {
    const row = linesDialect.routes.find((one) => one.operation === operation);
    if (!row) throw new Error(`the Lines API has no operation ${operation}`);
    const search = new URLSearchParams(query).toString();
    const below = Object.entries(params).reduce((path, [name, value]) => path.replace(`:${name}`, value), row.path);
    const path = `${linesDialect.prefix}${below}${search && `?${search}`}`;
    const { status, headers, body: answer } = await rig.api.call<T>(row.method, path, body);
    const schema = row.answers[status]?.schema;
    expect([operation, status, answer]).toEqual([operation, expect.toBeOneOf([200, 201]), schema?.parse(answer)]);
    const contentType = headers.get('content-type') ?? '';
    exchanges.push({ row, path, request: body, status, contentType, answer });
    return answer;
  };
  const told = async (title: string, event: string, wanted: (data: Json) => boolean) => {
    const bodies = () =>
      rig.receiver.requests.filter(({ path }) => path === '/lines').map((one) => JSON.parse(one.body) as Json);
    const isIt = (body: Json) => body.event === event && wanted(body.data as Json);
    webhooks.push([title, await until(title, () => bodies().find(isIt))]);
  };
  const act = <T = { message_id: string }>(path: string, body: Json) =>
    rig.api.expect<T>(path === '' || path.endsWith('messages') ? 201 : 200, 'POST', `${PHONES}${path}`, body);
  const change = (path: string, body: Json) => rig.api.expect<Json>(201, 'POST', `${PHONES}/${ALICE}/${path}`, body);

  for (const [phone, name] of [
    [OWNER, 'My Name'],
    [ALICE, 'Alice'],
    [BOB, 'Bob'],
  ])
    await act('', { phone, name });
  const { line_id: id } = await call<{ line_id: string }>('createLine', { body: { label: 'Support' } });
  await call('createWebhook', {
    body: { url: `${rig.receiver.url}/lines`, events: ['*', 'message.receipt'], description: 'Our CRM' },
  });
  await act(`/${OWNER}/scan`, { line_id: id });
  const line = { line_id: id };
  await until('the line knows its name', async () => {
    const { status, name } = await rig.api.expect<Json>(200, 'GET', `/api/bridge/v1/lines/${id}`);
    return status === 'connected' && name === 'My Name';
  });
  await call('getLine', { params: line });
  await call('getProfile', { query: line });
  await call('checkContacts', { body: { ...line, phones: [`+${ALICE}`, '+00000000000'] } });

  const ids: string[] = [];
  for (const [what, message] of WRITTEN) {
    const { message_id: written } = await act(`/${ALICE}/messages`, { to: OWNER, ...message });
    await told(`message.received: ${what}`, 'message.received', (data) => data.message_id === written);
    ids.push(written);
  }
  const [text = '', , , , , , place = ''] = ids;
  const sent = await call<{ message_id: string }>('sendMessage', {
    body: { ...line, to: `+${ALICE}`, message: 'Hello!' },
  });
  await told('message.sent', 'message.sent', (data) => data.message_id === sent.message_id);
  const chat = { ...line, to: `+${ALICE}` };
  await call('sendLocation', { body: { ...chat, lat: 40.4, lng: -3.7, name: 'Prado' } });
  await call('sendContact', { body: { ...chat, contacts: [{ name: 'Bob', phone: `+${BOB}` }] } });
  await call('sendPoll', { body: { ...chat, question: 'When?', options: ['Today', 'Tomorrow'] } });
  await call('sendEvent', { body: { ...chat, name: 'Team sync', start_time: 1_777_334_400, location: 'Office' } });
  await call('replyToMessage', { body: { ...chat, message: 'Nice', quoted_message_id: text } });

  await change('edits', { to: OWNER, message_id: text, body: 'Hi there' });
  await told('message.edited', 'message.edited', (data) => data.message_id === text);
  await change('revokes', { to: OWNER, message_id: place });
  await told('message.revoked', 'message.revoked', (data) => data.message_id === place);
  await call('getMessage', { params: { id: text }, query: line });
  await call('getMessage', { params: { id: place }, query: line });
  await call('listMessages', { query: { ...line, q: 'cake' } });
  await call('listMessages', { query: { ...line, phone: `+${ALICE}`, limit: '3' } });

  // Before there is a second chat: those of one second are in the order of LIDs, which are drawn.
  await call('listChats', { query: line });

  const { group } = await rig.api.expect<{ group: { jid: string } }>(200, 'POST', '/api/bridge/v1/groups', {
    ...{ ...line, subject: 'Neighbours', participants: [ALICE] },
  });
  const announced = await call<{ message_id: string }>('sendMessage', {
    body: { ...line, to: group.jid, message: `Hi @${ALICE}`, mentions: [ALICE] },
  });
  const isIt = (data: Json) => data.message_id === announced.message_id;
  await told('message.receipt', 'message.receipt', (data) => isIt(data) && data.status === 'delivered');
  await act(`/${ALICE}/receipts`, { to: group.jid, message_ids: [announced.message_id], type: 'read' });
  await told('message.status', 'message.status', (data) => isIt(data) && data.status === 'read');
  await call('getMessage', { params: { id: announced.message_id }, query: line });
  const { message_id: all } = await act(`/${ALICE}/messages`, {
    to: group.jid,
    type: 'text',
    body: '@all',
    mentions: ['all'],
  });
  await told('message.received: in a group, to all members', 'message.received', (data) => data.message_id === all);

  const document = transcript(exchanges, webhooks, {
    ...{ heading: HEADING, fixed: FIXED, forms: FORMS },
    places: { [rig.receiver.url]: 'https://yourbackend.com', [rig.base]: 'https://ponte.example' },
    webhooks: 'Each is a signed POST to the webhook’s `url`.',
  });
  await expect(document).toMatchFileSnapshot('../../../docs/lines-transcript.md');
}, 120_000);

interface Asked {
  params?: Record<string, string>;
  query?: Record<string, string>;
  body?: Json;
}
