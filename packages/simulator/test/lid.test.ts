import { decryptEventResponse, decryptPollVote, type WAMessage } from 'baileys';
import { describe, expect, it, vi } from 'vitest';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, CAROL, Fixture, pnJid } from './fixture.ts';

async function lineAnd(options: { isLidOnly?: boolean } = {}) {
  const net = await Fixture.open();
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB, options);
  const say = (body: string) => call(`POST /phones/${BOB}/messages`, { to: ALICE, type: 'text', body });
  const shows = (phone: string, id: string | null | undefined, wanted: object) =>
    vi.waitFor(async () => {
      const items: { message_id: string }[] = await call(`GET /phones/${phone}/inbox?sent=true`);
      expect(items.find(({ message_id }) => message_id === id)).toMatchObject(wanted);
    });
  return { net, call, line, bob, say, shows };
}

describe('a phone whose number was never disclosed', () => {
  it('writes and is written to by LID, and no stanza names its number', async () => {
    const { net, call, line, bob, say, shows } = await lineAnd({ isLidOnly: true });
    await say('who am I?');
    const received = await line.text('who am I?');
    expect(received.key).toMatchObject({ remoteJid: bob.lid, remoteJidAlt: undefined });
    const id = await line.sendText(bob.lid, 'I cannot know');
    expect((await line.ack(id)).error).toBeUndefined();
    await shows(BOB, id, { body: 'I cannot know', from: pnJid(ALICE) });
    await net.phone(CAROL);
    const { jid } = await call('POST /groups', { subject: 'Secret', owner: CAROL, participants: [ALICE, BOB] });
    await call(`POST /phones/${BOB}/messages`, { to: jid, type: 'text', body: 'in a group' });
    expect((await line.text('in a group')).key).toMatchObject({ participant: bob.lid, participantAlt: undefined });
    const members = (await line.sock?.groupMetadata(jid))?.participants ?? [];
    expect(members.find((member) => member.id === bob.lid)).toMatchObject({ phoneNumber: undefined });
    await net.linked('line_b', BOB);
    await line.until('the news of the linked device', () =>
      line.stanzas.find(
        ({ tag, attrs }) => tag === 'notification' && attrs.type === 'devices' && attrs.from === bob.lid,
      ),
    );
    const everything = JSON.stringify(line.stanzas.map(({ attrs, content }) => [attrs, content]));
    expect(everything.includes(`${BOB}@`) || everything.includes(`${BOB}:`)).toBe(false);
  });
});

describe('a contact that moves from number to LID', () => {
  it('stays one chat with one session, for the line and for its phone', async () => {
    const { call, line, bob, say, shows } = await lineAnd();
    await call(`PUT /phones/${BOB}/settings`, { addressing: 'pn' });
    await say('by number');
    const before = await line.text('by number');
    expect(before.key).toMatchObject({ remoteJid: pnJid(BOB), remoteJidAlt: bob.lid });
    const first = await line.sendText(pnJid(BOB), 'answer by number');
    await shows(BOB, first, { from: pnJid(ALICE), chat: pnJid(ALICE) });
    await call(`POST /phones/${BOB}/lid-migration`);
    await say('by LID');
    const after = await line.text('by LID');
    expect(after.key).toMatchObject({ remoteJid: bob.lid, remoteJidAlt: pnJid(BOB) });
    const second = await line.sendText(bob.lid, 'answer by LID');
    await shows(BOB, second, { from: pnJid(ALICE), copies: 1 });
    await shows(ALICE, second, { chat: pnJid(BOB), from_me: true });
    expect((await call(`GET /phones/${BOB}/chats`)).map(({ chat }: { chat: string }) => chat)).toEqual([pnJid(ALICE)]);
  });

  it('is told to the lines of a phone that migrates its chats: numbers and their LIDs', async () => {
    const { net, call, line, bob } = await lineAnd();
    const carol = await net.phone(CAROL);
    await call(`POST /phones/${ALICE}/messages`, { to: CAROL, type: 'text', body: 'hello' });
    const lids = () => line.sock?.signalRepository.lidMapping;
    const migrated = await call(`POST /phones/${ALICE}/lid-migration`);
    expect(migrated).toMatchObject({ companions: 1, mappings: 2 });
    await line.until('the mapping', () =>
      line.peer.find((m) => m.message?.protocolMessage?.lidMigrationMappingSyncMessage),
    );
    expect(await lids()?.getPNForLID(carol.lid)).toMatch(CAROL);
    expect(bob.lid).not.toBe(carol.lid);
  });

  it('and a group that is renamed from numbers to LIDs loses no message', async () => {
    const { net, call, line, bob } = await lineAnd();
    await net.phone(CAROL);
    const { jid } = await call('POST /groups', {
      subject: 'Old',
      owner: BOB,
      participants: [ALICE, CAROL],
      addressing_mode: 'pn',
    });
    const speak = (body: string) => call(`POST /phones/${BOB}/messages`, { to: jid, type: 'text', body });
    await speak('by number');
    expect((await line.text('by number')).key).toMatchObject({ participant: pnJid(BOB), participantAlt: bob.lid });
    await call(`PATCH /groups/${jid}`, { addressing_mode: 'lid' });
    await speak('by LID');
    expect((await line.text('by LID')).key).toMatchObject({ participant: bob.lid, participantAlt: pnJid(BOB) });
    const id = await line.sendText(jid, 'seen by all');
    await vi.waitFor(async () => {
      const items = await call(`GET /phones/${CAROL}/inbox`);
      expect(items).toContainEqual(
        expect.objectContaining({ message_id: id, body: 'seen by all', from: pnJid(ALICE) }),
      );
    });
  });
});

describe.each([
  ['lid', 'lid'],
  ['lid', 'pn'],
  ['pn', 'lid'],
  ['pn', 'pn'],
] as const)('answers made with the author by %s and the answerer by %s', (author, answerer) => {
  it('can be opened by the line, and by a phone', async () => {
    const { call, line, bob, shows } = await lineAnd();
    const own = line.auth.creds.me?.lid?.replace(/:\d+@/, '@') ?? '';
    const names = {
      author: { lid: own, pn: pnJid(ALICE) }[author],
      answerer: { lid: bob.lid, pn: pnJid(BOB) }[answerer],
    };
    const mixed = { to: ALICE, author_addressing: author, answerer_addressing: answerer };
    const poll = await sent(line.sock?.sendMessage(bob.lid, { poll: { name: 'Who?', values: ['Me', 'You'] } }));
    await shows(BOB, poll.key.id, { type: 'poll' });
    await call(`POST /phones/${BOB}/votes`, { ...mixed, poll_id: poll.key.id, options: ['You'] });
    const vote = await line.until('the vote', () => line.received.find((m) => m.message?.pollUpdateMessage));
    const opened = decryptPollVote(vote.message?.pollUpdateMessage?.vote ?? {}, {
      pollCreatorJid: names.author,
      pollMsgId: poll.key.id ?? '',
      pollEncKey: poll.message?.messageContextInfo?.messageSecret ?? new Uint8Array(),
      voterJid: names.answerer,
    });
    expect(opened.selectedOptions).toHaveLength(1);
    await shows(ALICE, poll.key.id, { votes: [{ from: pnJid(BOB), options: ['You'] }] });
    const event = await sent(
      line.sock?.sendMessage(bob.lid, { event: { name: 'Sync', startDate: new Date(1_777_334_400_000) } }),
    );
    await shows(BOB, event.key.id, { type: 'event' });
    await call(`POST /phones/${BOB}/rsvps`, { ...mixed, event_id: event.key.id, response: 'going' });
    const answer = await line.until('the answer', () => line.received.find((m) => m.message?.encEventResponseMessage));
    const response = decryptEventResponse(answer.message?.encEventResponseMessage ?? {}, {
      eventCreatorJid: names.author,
      eventMsgId: event.key.id ?? '',
      eventEncKey: event.message?.messageContextInfo?.messageSecret ?? new Uint8Array(),
      responderJid: names.answerer,
    });
    expect(response).toMatchObject({ response: 1 });
  });
});

async function sent(message: Promise<WAMessage | undefined> | undefined): Promise<WAMessage> {
  const made = await message;
  if (!made) throw new Error('nothing was sent');
  return made;
}
