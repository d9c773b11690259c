import type { MessageLookup, Party } from '@ponte/engine';
import { expect, test } from 'vitest';
import { proto } from '../baileys.ts';
import { buildChange } from './build-change.ts';

const { Type } = proto.Message.ProtocolMessage;
const me: Party = { jid: '900@lid', lid: '900@lid' };
const alice: Party = { jid: '901@lid', lid: '901@lid' };
const CHAT = '901@lid';
const GROUP = '120363000000000000@g.us';
const NOW = 1_777_000_000_000;

const stored: Record<string, { message: proto.IMessage; sender: Party; fromMe: boolean }> = {
  OWN: { message: { extendedTextMessage: { text: 'wrong' } }, sender: me, fromMe: true },
  REPLY: {
    message: { extendedTextMessage: { text: 'wrong', contextInfo: { stanzaId: 'Q' } } },
    sender: me,
    fromMe: true,
  },
  PHOTO: { message: { imageMessage: { url: 'https://mmg', caption: 'wrong' } }, sender: me, fromMe: true },
  HERS: { message: { conversation: 'hi' }, sender: alice, fromMe: false },
};
const lookup: MessageLookup = {
  async proto(id) {
    const found = stored[id];
    return found && { proto: proto.Message.encode(found.message).finish(), sender: found.sender, fromMe: found.fromMe };
  },
};
const build = async (change: Parameters<typeof buildChange>[0], to = CHAT) => {
  const { proto: bytes, attrs } = await buildChange(change, to, { lookup, nowMs: NOW });
  return { message: proto.Message.toObject(proto.Message.decode(bytes), { longs: Number }), attrs };
};

test('a reaction names its message as the others know it', async () => {
  const hers = await build({ kind: 'reaction', targetId: 'HERS', emoji: '👍' });
  expect(hers.message.reactionMessage).toEqual({
    key: { remoteJid: CHAT, id: 'HERS', fromMe: false },
    text: '👍',
    senderTimestampMs: NOW,
  });
  const inGroup = await build({ kind: 'reaction', targetId: 'HERS', emoji: '' }, GROUP);
  expect(inGroup.message.reactionMessage).toMatchObject({
    key: { remoteJid: GROUP, id: 'HERS', fromMe: false, participant: '901@lid' },
    text: '',
  });
});

test.each([
  ['OWN', { conversation: 'right' }],
  ['REPLY', { extendedTextMessage: { text: 'right', contextInfo: { stanzaId: 'Q' } } }],
  ['PHOTO', { imageMessage: { url: 'https://mmg', caption: 'right' } }],
])('an edit of %s keeps everything but the words', async (targetId, expected) => {
  const { message, attrs } = await build({ kind: 'edit', targetId, body: 'right' });
  expect(attrs).toEqual({ edit: '1' });
  expect(message.editedMessage?.message?.protocolMessage).toMatchObject({
    key: { remoteJid: CHAT, id: targetId, fromMe: true },
    type: Type.MESSAGE_EDIT,
    editedMessage: expected,
    timestampMs: NOW,
  });
});

test('a revocation says whose message it is', async () => {
  const own = await build({ kind: 'revoke', targetId: 'OWN' });
  expect(own.attrs).toEqual({ edit: '7' });
  expect(own.message.protocolMessage).toEqual({
    key: { remoteJid: CHAT, id: 'OWN', fromMe: true },
    type: Type.REVOKE,
  });
  const hers = await build({ kind: 'revoke', targetId: 'UNSEEN', author: '901@lid' }, GROUP);
  expect(hers.attrs).toEqual({ edit: '8' });
  expect(hers.message.protocolMessage?.key).toEqual({
    remoteJid: GROUP,
    id: 'UNSEEN',
    fromMe: false,
    participant: '901@lid',
  });
});

test('nothing is built for a message that nobody knows', async () => {
  for (const change of [
    { kind: 'reaction', targetId: 'UNSEEN', emoji: '👍' },
    { kind: 'edit', targetId: 'UNSEEN', body: 'x' },
    { kind: 'revoke', targetId: 'UNSEEN' },
  ] as const) {
    await expect(build(change)).rejects.toMatchObject({ code: 'unknown_message' });
  }
});
