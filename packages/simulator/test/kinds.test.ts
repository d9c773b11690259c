import { decryptEventResponse, decryptPollVote, type WAMessage } from 'baileys';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createControl } from '../src/control/control.ts';
import { createSimulator, type Simulator } from '../src/simulator.ts';
import { BaileysLine } from './baileys-line.ts';
import { pairLine } from './pair-line.ts';

const LINE = '15550001111';
const BOB = '15550002222';
const jid = (phone: string): string => `${phone}@s.whatsapp.net`;

interface Item {
  message_id: string;
  [field: string]: unknown;
}

describe('a phone and a line of stock Baileys', () => {
  let simulator: Simulator;
  let line: BaileysLine;

  beforeEach(async () => {
    simulator = await createSimulator();
    // Baileys rc14 does not open sealed edits.
    simulator.world.demands('test', { sealedEdits: false });
    line = new BaileysLine(() => simulator, 'line_a', { markOnline: true });
    await pairLine(simulator, line, LINE);
    await call('POST /phones', { phone: BOB, name: 'Bob' });
  });

  afterEach(async () => {
    await line.close();
    await simulator.close();
    expect(simulator.world.problems).toEqual([]);
  });

  async function call(request: string, body?: unknown) {
    const [method = '', target = ''] = request.split(' ');
    const url = new URL(target, 'http://sandbox');
    const query = Object.fromEntries(url.searchParams);
    const answer = await createControl(simulator.world).handle({
      tenant: 'test',
      method,
      path: url.pathname,
      query,
      body,
    });
    expect(answer.status, `${request}: ${JSON.stringify(answer.body)}`).toBeLessThan(300);
    return JSON.parse(JSON.stringify(answer.body ?? null));
  }

  const bob = (action: string, body: object) => call(`POST /phones/${BOB}/${action}`, { to: LINE, ...body });

  async function send(content: Parameters<NonNullable<typeof line.sock>['sendMessage']>[1]): Promise<WAMessage> {
    const sent = await line.sock?.sendMessage(jid(BOB), content);
    if (!sent?.key.id) throw new Error('nothing was sent');
    return sent;
  }

  /** What Bob shows of this message once it looks as wanted. */
  const shows = (id: string | null | undefined, wanted: object): Promise<Item> =>
    vi.waitFor(async () => {
      const items: Item[] = await call(`GET /phones/${BOB}/inbox?sent=true`);
      const item = items.find((entry) => entry.message_id === id);
      expect(item).toMatchObject(wanted);
      if (!item) throw new Error('not there yet');
      return item;
    });

  const received = (what: string, test: (message: NonNullable<WAMessage['message']>) => unknown): Promise<WAMessage> =>
    line.until(what, () => line.received.find((m) => m.message && test(m.message)));

  it('read pins, cards, polls and events of the line', async () => {
    const pin = await send({ location: { degreesLatitude: 19.43, degreesLongitude: -99.13, name: 'Zócalo' } });
    await shows(pin.key.id, { type: 'location', lat: 19.43, lng: -99.13, name: 'Zócalo' });
    const card = await send({ contacts: { displayName: 'Carol', contacts: [{ vcard: 'BEGIN:VCARD\nEND:VCARD' }] } });
    await shows(card.key.id, { type: 'contact', vcard: 'BEGIN:VCARD\nEND:VCARD' });
    const poll = await send({ poll: { name: 'Colour?', values: ['Red', 'Blue'], selectableCount: 1 } });
    await shows(poll.key.id, { type: 'poll', question: 'Colour?', options: ['Red', 'Blue'], max_answers: 1 });
    const event = await send({ event: { name: 'Sync', startDate: new Date(1_777_334_400_000) } });
    await shows(event.key.id, { type: 'event', name: 'Sync', start_time: 1_777_334_400 });
  });

  it('show the card of a link in a text of the line, and send one', async () => {
    const url = 'https://example.org/offer';
    const linkPreview = { 'canonical-url': url, 'matched-text': url, title: 'An offer', description: 'Half price' };
    const sent = await send({ text: `Look: ${url}`, linkPreview });
    const card = { url, title: 'An offer', description: 'Half price' };
    await shows(sent.key.id, { type: 'text', body: `Look: ${url}`, link_preview: card });
    await bob('messages', { type: 'text', body: `Yes: ${url}`, link_preview: card });
    const answer = await received('the card', (m) => m.extendedTextMessage?.text?.startsWith('Yes'));
    expect(answer.message?.extendedTextMessage).toMatchObject({
      text: `Yes: ${url}`,
      matchedText: url,
      title: 'An offer',
      description: 'Half price',
    });
  });

  it('see reactions, edits, quotes and deletions of the line', async () => {
    const { key, message } = await send({ text: 'helo' });
    await shows(key.id, { type: 'text', body: 'helo' });
    await send({ text: 'hello', edit: key });
    await shows(key.id, { body: 'hello', edited: true });
    const answer = await line.sock?.sendMessage(
      jid(BOB),
      { text: 'quoting' },
      { quoted: { key, message: message ?? {} } },
    );
    await shows(answer?.key.id, { body: 'quoting', quoted_message_id: key.id });
    await send({ delete: key });
    await shows(key.id, { revoked: true });

    const { message_id } = await bob('messages', { type: 'text', body: 'from Bob' });
    const fromBob = await line.text('from Bob');
    await send({ react: { text: '👍', key: fromBob.key } });
    await shows(message_id, { reactions: [{ from: jid(LINE), emoji: '👍' }] });
  });

  it('send the line reactions, edits, quotes and deletions it understands', async () => {
    const { key } = await send({ text: 'hello' });
    await shows(key.id, { body: 'hello' });
    await bob('reactions', { message_id: key.id, emoji: '🎉' });
    const reaction = await received('the reaction', (m) => m.reactionMessage);
    expect(reaction.message?.reactionMessage).toMatchObject({ text: '🎉', key: { id: key.id } });

    const { message_id } = await bob('messages', { type: 'text', body: 'helo', quoted_message_id: key.id });
    const quoting = await line.text('helo');
    expect(quoting.message?.extendedTextMessage?.contextInfo).toMatchObject({ stanzaId: key.id });
    await bob('edits', { message_id, body: 'hello' });
    await line.until('the edit', () =>
      line.updates.find(
        (u) => u.key.id === message_id && u.update.message?.editedMessage?.message?.conversation === 'hello',
      ),
    );
    await bob('revokes', { message_id });
    await line.until('the deletion', () =>
      line.updates.find((u) => u.key.id === message_id && u.update.message === null),
    );
  });

  it('send votes and answers that the line can open with the secret it put in', async () => {
    const own = line.auth.creds.me?.lid?.replace(/:\d+@/, '@') ?? '';
    const poll = await send({ poll: { name: 'Colour?', values: ['Red', 'Blue'], selectableCount: 1 } });
    await shows(poll.key.id, { type: 'poll' });
    await bob('votes', { poll_id: poll.key.id, options: ['Blue'] });
    const vote = await received('the vote', (m) => m.pollUpdateMessage);
    const bobsLid = (await call(`GET /phones/${BOB}`)).lid;
    const pairs = [
      { author: jid(LINE), answerer: jid(BOB) },
      { author: own, answerer: bobsLid },
    ];
    const selected = pairs.map(({ author: pollCreatorJid, answerer: voterJid }) => {
      const pollEncKey = poll.message?.messageContextInfo?.messageSecret ?? new Uint8Array();
      const scope = { pollCreatorJid, pollMsgId: poll.key.id ?? '', pollEncKey, voterJid };
      return orUndefined(
        () => decryptPollVote(vote.message?.pollUpdateMessage?.vote ?? {}, scope).selectedOptions?.length,
      );
    });
    expect(selected).toContain(1);
    await shows(poll.key.id, { votes: [{ from: jid(BOB), options: ['Blue'] }] });

    const event = await send({ event: { name: 'Sync', startDate: new Date(1_777_334_400_000) } });
    await shows(event.key.id, { type: 'event' });
    await bob('rsvps', { event_id: event.key.id, response: 'maybe', extra_guest_count: 1 });
    const answer = await received('the answer', (m) => m.encEventResponseMessage);
    const responses = pairs.map(({ author: eventCreatorJid, answerer: responderJid }) => {
      const eventEncKey = event.message?.messageContextInfo?.messageSecret ?? new Uint8Array();
      const scope = { eventCreatorJid, eventMsgId: event.key.id ?? '', eventEncKey, responderJid };
      return orUndefined(() => decryptEventResponse(answer.message?.encEventResponseMessage ?? {}, scope));
    });
    expect(responses).toContainEqual(expect.objectContaining({ response: 3, extraGuestCount: 1 }));
  });

  it('see each other type', async () => {
    await bob('messages', { type: 'text', body: 'hi' });
    await line.text('hi');
    // Baileys shows itself only when it has a name.
    if (line.auth.creds.me) line.auth.creds.me.name = 'Line';
    await line.sock?.sendPresenceUpdate('available');
    await vi.waitFor(async () => {
      expect(await call('GET /lines/line_a/wire')).toContainEqual(
        expect.objectContaining({ tag: 'presence', attrs: expect.objectContaining({ type: 'available' }) }),
      );
    });
    await bob('typing', { state: 'composing', mode: 'voice' });
    const seen = await line.until('the chat state', () => line.stanzas.find((node) => node.tag === 'chatstate'));
    expect(seen.attrs.from).toMatch(/@(lid|s\.whatsapp\.net)$/);
    await line.sock?.sendPresenceUpdate('composing', jid(BOB));
    await vi.waitFor(async () => {
      expect(await call(`GET /phones/${BOB}/chats`)).toMatchObject([{ typing: { state: 'composing', mode: 'text' } }]);
    });
  });
});

function orUndefined<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}
