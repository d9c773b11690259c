import { createCipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { MessageLookup, MessageStanza, Party } from '@ponte/engine';
import { expect, test } from 'vitest';
import { proto } from '../baileys.ts';
import { readAnswer } from './answers.ts';

const SECRET = randomBytes(32);
const POLL = 'ACPOLL0001';
const INVITATION = 'ACEVENT0001';
const author: Party = { jid: '900@lid', lid: '900@lid', pn: '15550001111@s.whatsapp.net' };
const voter: Party = { jid: '901@lid', lid: '901@lid', pn: '15550002222@s.whatsapp.net' };
const envelope: MessageStanza = {
  id: 'ACVOTE0001',
  chat: voter,
  sender: voter,
  fromMe: false,
  isGroup: false,
  pushName: 'Alice',
  timestamp: 1_777_330_500,
};

const stored: Record<string, proto.IMessage> = {
  [POLL]: {
    pollCreationMessageV3: {
      name: 'Favorite color?',
      options: ['Red', 'Green', 'Blue'].map((optionName) => ({ optionName })),
      selectableOptionsCount: 1,
    },
    messageContextInfo: { messageSecret: SECRET },
  },
  [INVITATION]: { eventMessage: { name: 'Team sync' }, messageContextInfo: { messageSecret: SECRET } },
};
const lookup: MessageLookup = {
  async proto(id) {
    const message = stored[id];
    return message && { proto: proto.Message.encode(message).finish(), sender: author, fromMe: true };
  },
};

/**
 * Seals as WhatsApp's clients do (whatsmeow msgsecret.go), written independently of the code under
 * test.
 */
function seal(use: string, id: string, by: { author: string; answerer: string }, plain: Uint8Array, secret = SECRET) {
  const info = Buffer.from(`${id}${by.author}${by.answerer}${use}`);
  const key = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(32), info, 32));
  const encIv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, encIv).setAAD(Buffer.from(`${id}\0${by.answerer}`));
  return { encPayload: Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]), encIv };
}

const hash = (option: string) => createHash('sha256').update(option).digest();
const voteFor = (options: string[], by: { author: string; answerer: string }, secret = SECRET): proto.IMessage => ({
  pollUpdateMessage: {
    pollCreationMessageKey: { id: POLL },
    vote: seal(
      'Poll Vote',
      POLL,
      by,
      proto.Message.PollVoteMessage.encode({ selectedOptions: options.map(hash) }).finish(),
      secret,
    ),
  },
});
const answerWith = (response: number, extraGuestCount: number, by: { author: string; answerer: string }) => ({
  encEventResponseMessage: {
    eventCreationMessageKey: { id: INVITATION },
    ...seal(
      'Event Response',
      INVITATION,
      by,
      proto.Message.EventResponseMessage.encode({ response, extraGuestCount }).finish(),
    ),
  },
});

const forms = (person: Party) => [person.lid ?? '', person.pn ?? ''];
const pairs = forms(author).flatMap((by) => forms(voter).map((answerer) => ({ author: by, answerer })));

test.each(pairs)('a vote opens when it was sealed by $author and $answerer', async (by) => {
  expect(await readAnswer(voteFor(['Red'], by), envelope, lookup)).toEqual({
    type: 'poll.vote',
    id: 'ACVOTE0001',
    pollId: POLL,
    chat: voter,
    sender: voter,
    fromMe: false,
    pushName: 'Alice',
    timestamp: 1_777_330_500,
    options: ['Red'],
  });
});

test.each(pairs)('an answer to an invitation opens when it was sealed by $author and $answerer', async (by) => {
  expect(await readAnswer(answerWith(3, 2, by), envelope, lookup)).toMatchObject({
    type: 'event.response',
    eventId: INVITATION,
    response: 'maybe',
    extraGuestCount: 2,
  });
});

test('options come in the order of the poll, and a vote without any is a withdrawn one', async () => {
  const [by] = pairs;
  if (!by) throw new Error('there are pairs');
  expect(await readAnswer(voteFor(['Blue', 'Red'], by), envelope, lookup)).toMatchObject({ options: ['Red', 'Blue'] });
  expect(await readAnswer(voteFor([], by), envelope, lookup)).toMatchObject({ options: [] });
});

test('a vote that does not open is reported as such, with the reason', async () => {
  const stranger = { author: '777@lid', answerer: '901@lid' };
  expect(await readAnswer(voteFor(['Red'], stranger), envelope, lookup)).toMatchObject({
    type: 'message.undecryptable',
    id: 'ACVOTE0001',
    reason: expect.stringContaining('does not open'),
  });
});

test('a vote on a poll that is not stored is no event yet', async () => {
  const message = voteFor(['Red'], { author: '900@lid', answerer: '901@lid' });
  if (message.pollUpdateMessage) message.pollUpdateMessage.pollCreationMessageKey = { id: 'UNKNOWN' };
  await expect(readAnswer(message, envelope, lookup)).rejects.toMatchObject({ code: 'unknown_message' });
});
