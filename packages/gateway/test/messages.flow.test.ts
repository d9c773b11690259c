import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReceivedRequest } from './receiver.ts';
import type { InboxItem } from './support/api.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

type Body = Record<string, unknown> & { data?: Record<string, unknown> };
type Shown = InboxItem & Record<string, unknown>;
type Sent = { message_id: string; timestamp: number };

const bodyOf = (request: ReceivedRequest) => JSON.parse(request.body) as Body;

const ALICE = '15550002222';
const BOB = '15550003333';
const HIDDEN = '15550005555';
const OWNER = '15550001111';
const PROXY = '/api/instances/demo/proxy';
const LINES = '/api/bridge/v1';

const databases: ('sqlite' | 'postgres')[] = process.env.TEST_DATABASE_URL ? ['sqlite', 'postgres'] : ['sqlite'];

describe.each(databases)('messages and what is done to them, on %s', (database) => {
  let rig: Rig;
  let line: LinkedLine;

  beforeAll(async () => {
    rig = await Rig.start({ database });
    await rig.sandbox.phone(ALICE, 'Alice');
    await rig.sandbox.phone(BOB, 'Bob');
    line = await rig.linkLine('demo', OWNER);
    await rig.api.expect(200, 'PATCH', '/api/instances/demo', {
      webhook_events: [
        'message',
        'poll_vote',
        'event_response',
        'message_edited',
        'message_revoked',
        'reaction',
        'message_status',
      ],
    });
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
  const lines = (event: string, wanted: (data: Record<string, unknown>) => boolean) =>
    arrived('/lines', event, (body) => body.data !== undefined && wanted(body.data));
  const shown = (id: string, wanted: (item: Shown) => boolean = () => true): Promise<Shown> =>
    until(`Alice's phone shows ${id}`, async () =>
      ((await rig.sandbox.inbox(ALICE)) as Shown[]).find((item) => item.message_id === id && wanted(item)),
    );
  const act = (what: string, body: Record<string, unknown>) =>
    rig.api.expect<Sent>(201, 'POST', `/api/sandbox/v1/phones/${ALICE}/${what}`, { to: OWNER, ...body });
  const send = (path: string, body: Record<string, unknown>) =>
    rig.api.expect<Sent>(200, 'POST', `${PROXY}/${path}`, { chat: ALICE, ...body });
  const sendLine = (path: string, body: Record<string, unknown>) =>
    rig.api.expect<Sent & Record<string, unknown>>(200, 'POST', `${LINES}/messages/${path}`, {
      line_id: line.lineId,
      ...body,
    });
  /** A message of Alice that the line has. */
  const heard = async (text: string) => {
    const said = await rig.sandbox.say(ALICE, OWNER, text);
    await bridges('message', (b) => b.message_id === said.message_id);
    return said.message_id;
  };

  test('a text quotes a message and names people, through either API', async () => {
    const question = await heard('What time?');
    const viaBridges = await send('send/text', {
      body: 'At five, @15550002222',
      quoted_message_id: question,
      mentions: [ALICE],
    });
    expect(await shown(viaBridges.message_id)).toMatchObject({ body: 'At five, @15550002222' });
    const viaLines = await sendLine('reply', { to: `+${ALICE}`, message: 'At six', quoted_message_id: question });
    expect(viaLines).toMatchObject({ ok: true, line_id: line.lineId, to: `+${ALICE}`, status: 'sent' });
    expect(await shown(viaLines.message_id)).toMatchObject({ body: 'At six', quoted_message_id: question });
    const event = await lines('message.sent', (d) => d.message_id === viaLines.message_id);
    expect(event.data).toMatchObject({ quoted_message_id: question });
  });

  test('a reaction appears on the phone and goes again, through either API', async () => {
    const id = await heard('React to me');
    const reaction = await send('send/reaction', { message_id: id, emoji: '👍' });
    expect(Object.keys(reaction)).toEqual(['message_id', 'timestamp']);
    const ownMessages = async () =>
      rig.api.expect<Shown[]>(200, 'GET', `/api/sandbox/v1/phones/${ALICE}/inbox?sent=true`);
    const reactionsOf = async () => (await ownMessages()).find((item) => item.message_id === id)?.reactions;
    await until('the thumb', async () => JSON.stringify(await reactionsOf())?.includes('👍'));
    await sendLine('react', { jid: `${ALICE}@s.whatsapp.net`, message_id: id, emoji: '🎉' });
    await until('the other one instead', async () => {
      const now = JSON.stringify(await reactionsOf());
      return now?.includes('🎉') && !now.includes('👍');
    });
    await send('send/reaction', { message_id: id, emoji: '' });
    await until('none', async () => JSON.stringify(await reactionsOf()) === '[]');
    const own = await bridges('reaction', (b) => b.message_id === id && b.emoji === '👍');
    expect(own).toMatchObject({ from_me: true });
  });

  test('a reaction of the phone arrives in both formats', async () => {
    const { message_id: id } = await send('send/text', { body: 'Like it?' });
    await shown(id);
    await act('reactions', { message_id: id, emoji: '❤️' });
    expect(await bridges('reaction', (b) => b.message_id === id)).toEqual({
      event: 'reaction',
      message_id: id,
      contact_id: `${ALICE}@s.whatsapp.net`,
      phone: ALICE,
      chat_id: `${ALICE}@s.whatsapp.net`,
      from_me: false,
      name: 'Alice',
      emoji: '❤️',
      timestamp: expect.any(Number),
    });
    const event = await lines('message.reaction', (d) => d.message_id === id);
    expect(event.data).toMatchObject({ emoji: '❤️', from_me: false, phone: `+${ALICE}` });
    await act('reactions', { message_id: id, emoji: '' });
    await bridges('reaction', (b) => b.message_id === id && b.emoji === '');
  });

  test('an own text is edited and revoked, each under a message id of its own', async () => {
    const { message_id: id } = await send('send/text', { body: 'wrong' });
    await shown(id);
    const edited = await rig.api.expect<Sent>(200, 'PATCH', `${PROXY}/messages/${id}/edit`, {
      chat: `${ALICE}@s.whatsapp.net`,
      body: 'corrected text',
    });
    expect(edited.message_id).not.toBe(id);
    expect(await shown(id, (item) => item.edited === true)).toMatchObject({ body: 'corrected text' });
    await sendLine('edit', { jid: ALICE, message_id: id, message: 'corrected twice' });
    await shown(id, (item) => item.body === 'corrected twice');
    const revoked = await rig.api.expect<Sent>(200, 'DELETE', `${PROXY}/messages/${id}?chat=${ALICE}`);
    expect(revoked.message_id).not.toBe(id);
    await shown(id, (item) => item.revoked === true);
    await bridges('message_revoked', (b) => b.message_id === id && b.from_me === true);
    const again = await rig.api.call('DELETE', `${PROXY}/messages/${id}?chat=${ALICE}`);
    expect([again.status, again.body.error]).toEqual([409, 'message_revoked']);
  });

  test('an edit with an Idempotency-Key is made once', async () => {
    const { message_id: id } = await send('send/text', { body: 'once' });
    const key = { 'idempotency-key': `edit-${id}` };
    const body = { chat: ALICE, body: 'once more' };
    const first = await rig.api.call('PATCH', `${PROXY}/messages/${id}/edit`, body, key);
    const again = await rig.api.call('PATCH', `${PROXY}/messages/${id}/edit`, body, key);
    expect([first.status, again.raw, again.headers.get('idempotent-replayed')]).toEqual([200, first.raw, 'true']);
  });

  test('edits and revocations of the phone arrive in both formats', async () => {
    const id = await heard('first version');
    await act('edits', { message_id: id, body: 'second version' });
    expect(await bridges('message_edited', (b) => b.message_id === id)).toMatchObject({
      body: 'second version',
      from_me: false,
      phone: ALICE,
    });
    await act('edits', { message_id: id, body: 'third version' });
    await lines('message.edited', (d) => d.message_id === id && d.body === 'third version');
    await act('revokes', { message_id: id });
    await lines('message.revoked', (d) => d.message_id === id);
    await bridges('message_revoked', (b) => b.message_id === id);
  });

  test('a location, a contact, a poll and an event arrive as what they are, through either API', async () => {
    const pin = await send('send/location', {
      lat: 19.432608,
      lng: -99.133209,
      name: 'Zócalo',
      address: 'Plaza de la Constitución',
    });
    expect(await shown(pin.message_id)).toMatchObject({
      type: 'location',
      lat: 19.432608,
      lng: -99.133209,
      name: 'Zócalo',
      address: 'Plaza de la Constitución',
    });
    const card = await sendLine('contact', {
      to: ALICE,
      contacts: [{ name: 'Bob, the builder', phone: '+15550003333' }],
    });
    const { vcard } = await shown(card.message_id);
    expect(vcard).toContain('waid=15550003333:+15550003333');
    expect(vcard).toContain('FN:Bob\\, the builder');
    const two = [
      { name: 'Bob', phone: '15550003333' },
      { name: 'Eve', phone: '15550004444' },
    ];
    const cards = await send('send/contact', { contacts: two });
    expect(await shown(cards.message_id)).toMatchObject({
      type: 'contact',
      contacts: [{ name: 'Bob' }, { name: 'Eve' }],
    });
    const poll = await sendLine('poll', { to: ALICE, question: 'Any?', options: ['a', 'b', 'c'], max_answers: 0 });
    expect(await shown(poll.message_id)).toMatchObject({ type: 'poll', options: ['a', 'b', 'c'], max_answers: 0 });
    const event = await sendLine('event', {
      to: ALICE,
      name: 'Reunión',
      start_time: 1777334400,
      end_time: 1777338000,
      description: 'Bring cake',
      location: 'Office',
    });
    expect(await shown(event.message_id)).toMatchObject({
      type: 'event',
      name: 'Reunión',
      start_time: 1777334400,
      end_time: 1777338000,
      description: 'Bring cake',
      location: 'Office',
    });
    const viaLines = await sendLine('location', { to: ALICE, lat: 40.4, lng: -3.7 });
    expect(await shown(viaLines.message_id)).toMatchObject({ type: 'location', lat: 40.4, lng: -3.7 });
  });

  test('votes arrive as published; each replaces the earlier one, and an empty one withdraws it', async () => {
    const { message_id: pollId } = await send('send/poll', {
      question: 'Favorite color?',
      options: ['Red', 'Green', 'Blue'],
      max_answers: 1,
    });
    await shown(pollId);
    const vote = await act('votes', { poll_id: pollId, options: ['Red'] });
    const first = await bridges('poll_vote', (b) => b.message_id === vote.message_id);
    expect(first).toEqual({
      event: 'poll_vote',
      contact_id: `${ALICE}@s.whatsapp.net`,
      phone: ALICE,
      chat_id: `${ALICE}@s.whatsapp.net`,
      poll_id: pollId,
      message_id: vote.message_id,
      name: 'Alice',
      from_me: false,
      timestamp: vote.timestamp,
      selected_options: ['Red'],
    });
    expect(Object.keys(first)).toEqual([
      'event',
      'contact_id',
      'phone',
      'chat_id',
      'poll_id',
      'message_id',
      'name',
      'from_me',
      'timestamp',
      'selected_options',
    ]);
    const second = await act('votes', { poll_id: pollId, options: ['Blue'] });
    const inLines = await lines('poll.vote', (d) => d.message_id === second.message_id);
    expect(inLines.data).toMatchObject({ poll_id: pollId, selected_options: ['Blue'] });
    const none = await act('votes', { poll_id: pollId, options: [] });
    const withdrawn = await bridges('poll_vote', (b) => b.message_id === none.message_id);
    expect(withdrawn.selected_options).toEqual([]);
  });

  test('answers to an invitation arrive as published', async () => {
    const { message_id: eventId } = await send('send/event', {
      name: 'Team sync',
      start_time: 1777334400,
      end_time: 1777338000,
      call: 'video',
    });
    const invitation = await shown(eventId);
    expect(invitation.join_link).toMatch(/^https:\/\/call\.whatsapp\.com\/video\/[A-Za-z0-9]{22}$/);
    const answer = await act('rsvps', { event_id: eventId, response: 'going' });
    const event = await bridges('event_response', (b) => b.message_id === answer.message_id);
    expect(event).toEqual({
      event: 'event_response',
      contact_id: `${ALICE}@s.whatsapp.net`,
      phone: ALICE,
      chat_id: `${ALICE}@s.whatsapp.net`,
      event_id: eventId,
      message_id: answer.message_id,
      name: 'Alice',
      from_me: false,
      timestamp: answer.timestamp,
      response: 'going',
      extra_guest_count: 0,
    });
    const other = await act('rsvps', { event_id: eventId, response: 'maybe', extra_guest_count: 2 });
    const inLines = await lines('event.response', (d) => d.message_id === other.message_id);
    expect(inLines.data).toMatchObject({ event_id: eventId, response: 'maybe', extra_guest_count: 2 });
  });

  test('a voter whose number WhatsApp hides is named by the LID, never by a number made of it', async () => {
    const { lid } = await rig.api.expect<{ lid: string }>(201, 'POST', '/api/sandbox/v1/phones', {
      phone: HIDDEN,
      name: 'Hidden',
      lid_only: true,
    });
    const poll = await rig.api.expect<Sent>(201, 'POST', `/api/sandbox/v1/phones/${HIDDEN}/messages`, {
      to: OWNER,
      type: 'poll',
      question: 'Who am I?',
      options: ['Yes', 'No'],
    });
    expect(await bridges('message', (b) => b.message_id === poll.message_id)).toMatchObject({
      contact_id: lid,
      phone: '',
    });
    const vote = await rig.api.expect<Sent>(201, 'POST', `/api/sandbox/v1/phones/${HIDDEN}/votes`, {
      to: OWNER,
      poll_id: poll.message_id,
      options: ['Yes'],
    });
    expect(await bridges('poll_vote', (b) => b.message_id === vote.message_id)).toMatchObject({
      contact_id: lid,
      chat_id: lid,
      phone: '',
      selected_options: ['Yes'],
    });
    const reaction = await rig.api.call('POST', `${PROXY}/send/reaction`, {
      chat: lid,
      message_id: poll.message_id,
      emoji: '👍',
    });
    expect(reaction.status).toBe(200);
  });

  test('a vote on the poll of a phone is read too', async () => {
    const poll = await act('messages', { type: 'poll', question: 'Mine?', options: ['Yes', 'No'] });
    await bridges('message', (b) => b.message_id === poll.message_id);
    const vote = await act('votes', { poll_id: poll.message_id, options: ['No'] });
    const event = await bridges('poll_vote', (b) => b.message_id === vote.message_id);
    expect(event.selected_options).toEqual(['No']);
  });

  test('in a group: reactions, votes and changes name their authors', async () => {
    const group = await rig.api.expect<{ jid: string }>(201, 'POST', '/api/sandbox/v1/groups', {
      subject: 'Team',
      owner: OWNER,
      participants: [ALICE, BOB],
    });
    const chat = group.jid;
    const say = (phone: string, body: Record<string, unknown>) =>
      rig.api.expect<Sent>(201, 'POST', `/api/sandbox/v1/phones/${phone}/messages`, { to: chat, ...body });
    const hers = await say(ALICE, { type: 'text', body: 'Hi all' });
    expect(await bridges('message', (b) => b.message_id === hers.message_id)).toMatchObject({
      is_group: true,
      chat_id: chat,
      phone: ALICE,
    });
    await send('send/reaction', { chat, message_id: hers.message_id, emoji: '👍' });
    const seenByBob = async () =>
      ((await rig.sandbox.inbox(BOB)) as Shown[]).find((item) => item.message_id === hers.message_id);
    await until('Bob sees the reaction', async () => JSON.stringify((await seenByBob())?.reactions).includes('👍'));
    const poll = await send('send/poll', { chat, question: 'Lunch?', options: ['Yes', 'No'], max_answers: 1 });
    await shown(poll.message_id);
    const vote = await rig.api.expect<Sent>(201, 'POST', `/api/sandbox/v1/phones/${ALICE}/votes`, {
      to: chat,
      poll_id: poll.message_id,
      options: ['Yes'],
    });
    expect(await bridges('poll_vote', (b) => b.message_id === vote.message_id)).toMatchObject({
      chat_id: chat,
      contact_id: `${ALICE}@s.whatsapp.net`,
      phone: ALICE,
      selected_options: ['Yes'],
    });
    const own = await send('send/text', { chat, body: 'typo' });
    await shown(own.message_id);
    await rig.api.expect(200, 'PATCH', `${PROXY}/messages/${own.message_id}/edit`, { chat, body: 'fixed' });
    await shown(own.message_id, (item) => item.body === 'fixed');
    await rig.api.expect(200, 'DELETE', `${PROXY}/messages/${hers.message_id}?chat=${chat}`);
    const wire = await rig.api.expect<{ direction: string; tag: string; attrs: Record<string, string> }[]>(
      200,
      'GET',
      `/api/sandbox/v1/lines/${line.lineId}/wire`,
    );
    expect(wire.findLast(({ tag, direction }) => tag === 'message' && direction === 'in')?.attrs.edit).toBe('8');
    await bridges('message_revoked', (b) => b.message_id === hers.message_id && b.from_me === true);
  });

  test('a poll, its votes and its edits that waited together are all told, in order', async () => {
    await rig.stopGateway();
    const does = (what: string, body: Record<string, unknown>) =>
      rig.world<Sent>('POST', `/phones/${ALICE}/${what}`, { to: OWNER, ...body });
    const poll = await does('messages', { type: 'poll', question: 'While away?', options: ['Yes', 'No'] });
    const votes = [
      await does('votes', { poll_id: poll.message_id, options: ['Yes'] }),
      await does('votes', { poll_id: poll.message_id, options: ['No'] }),
    ];
    const text = await does('messages', { type: 'text', body: 'first' });
    await does('edits', { message_id: text.message_id, body: 'second' });
    const gone = await does('messages', { type: 'text', body: 'never mind' });
    await does('revokes', { message_id: gone.message_id });
    await rig.startGateway();
    await bridges('message_revoked', (b) => b.message_id === gone.message_id);
    expect(await bridges('message_edited', (b) => b.message_id === text.message_id)).toMatchObject({ body: 'second' });
    const told = rig.receiver.requests.map(bodyOf).filter(({ event }) => event === 'poll_vote');
    const chosen = votes.map(({ message_id: id }) => told.find((b) => b.message_id === id)?.selected_options);
    expect(chosen).toEqual([['Yes'], ['No']]);
    for (const id of [poll.message_id, text.message_id, gone.message_id]) {
      await bridges('message', (b) => b.message_id === id);
    }
    await rig.untilConnected('demo');
  });

  test('a change that a crash cut off is made, under the id that was promised', async () => {
    const { message_id: id } = await send('send/text', { body: 'before the crash' });
    await shown(id);
    await rig.sandbox.fault(line.lineId, { kind: 'lose_acks', count: 1 });
    const promised = await rig.api.call<Sent>('PATCH', `${PROXY}/messages/${id}/edit?wait=0`, {
      chat: ALICE,
      body: 'after the crash',
    });
    expect(promised.status).toBe(202);
    await shown(id, (item) => item.body === 'after the crash');
    rig.killWorker();
    await bridges('message_edited', (b) => b.message_id === id && b.body === 'after the crash');
    const wire = await rig.api.expect<{ direction: string; tag: string; attrs: Record<string, string> }[]>(
      200,
      'GET',
      `/api/sandbox/v1/lines/${line.lineId}/wire`,
    );
    const edits = wire.filter(
      ({ tag, direction, attrs }) => tag === 'message' && direction === 'in' && attrs.edit === '1',
    );
    expect(edits.at(-1)?.attrs.id).toBe(promised.body.message_id);
  });

  test('says what is wrong', async () => {
    const call = (method: string, path: string, body?: Record<string, unknown>) =>
      rig.api.call<{ error: string; details?: { path: string }[] }>(method, `${PROXY}/${path}`, body);
    const bad = async (path: string, body: Record<string, unknown>) => {
      const answer = await call('POST', path, { chat: ALICE, ...body });
      return [answer.status, answer.body.error, answer.body.details?.map((detail) => detail.path).join()];
    };
    expect(await bad('send/reaction', { message_id: '3EB0NOBODY', emoji: '👍' })).toEqual([
      404,
      'message_not_found',
      undefined,
    ]);
    expect(await bad('send/text', { body: 'x', quoted_message_id: '3EB0NOBODY' })).toEqual([
      404,
      'message_not_found',
      undefined,
    ]);
    const poll = { question: 'q', options: ['a', 'b'] };
    expect(await bad('send/poll', { ...poll, options: ['a'] })).toEqual([400, 'validation_error', 'options']);
    expect(await bad('send/poll', { ...poll, options: ['a', 'a'] })).toEqual([400, 'validation_error', 'options']);
    expect(await bad('send/poll', { ...poll, max_answers: 3 })).toEqual([400, 'validation_error', 'max_answers']);
    expect(await bad('send/location', { lat: 91, lng: 0 })).toEqual([400, 'validation_error', 'lat']);
    expect(await bad('send/event', { name: 'n', start_time: 1777334400000 })).toEqual([
      400,
      'validation_error',
      'start_time',
    ]);
    expect(await bad('send/event', { name: 'n', start_time: 20, end_time: 10 })).toEqual([
      400,
      'validation_error',
      'end_time',
    ]);
    expect(await bad('send/location', { chat: 'abc', lat: 1, lng: 0 })).toEqual([400, 'validation_error', 'chat']);
    expect(await bad('send/location', { chat: '15559999999', lat: 1, lng: 0 })).toEqual([
      422,
      'not_on_whatsapp',
      undefined,
    ]);
    const theirs = await heard('not yours to edit');
    const edit = await call('PATCH', `messages/${theirs}/edit`, { chat: ALICE, body: 'x' });
    expect([edit.status, edit.body.error]).toEqual([400, 'validation_error']);
    const revoke = await call('DELETE', `messages/${theirs}?chat=${ALICE}`);
    expect([revoke.status, revoke.body.error]).toEqual([400, 'validation_error']);
    await rig.sandbox.fault(line.lineId, { kind: 'reject_sends', code: 463, count: 1 });
    const refused = await call('POST', 'send/location', { chat: ALICE, lat: 1, lng: 1 });
    expect([refused.status, refused.body]).toMatchObject([
      502,
      { error: 'whatsapp_error', details: { whatsapp_code: 463 } },
    ]);
  });
});
