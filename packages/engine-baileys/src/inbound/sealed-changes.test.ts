import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { MessageLookup, MessageStanza, Party } from '@ponte/engine';
import { expect, test } from 'vitest';
import { proto } from '../baileys.ts';
import { isSealedChange, readSealedChange } from './sealed-changes.ts';

const SECRET = randomBytes(32);
const TARGET = 'ACTARGET01';
const alice: Party = { jid: '901@lid', lid: '901@lid', pn: '15550002222@s.whatsapp.net' };
const envelope: MessageStanza = {
  id: 'ACCHANGE01',
  chat: alice,
  sender: alice,
  fromMe: false,
  isGroup: false,
  pushName: 'Alice',
  timestamp: 1_777_330_500,
};
const self = { pn: '15550001111@s.whatsapp.net', lid: '900@lid', name: '' };
const lookup: MessageLookup = {
  async proto(id) {
    if (id !== TARGET) return undefined;
    const message = { conversation: 'first', messageContextInfo: { messageSecret: SECRET } };
    return { proto: proto.Message.encode(message).finish(), sender: alice, fromMe: false };
  },
};
const read = (message: proto.IMessage) => readSealedChange(message, envelope, { self, lookup });

/** Seals as WhatsApp's clients do (whatsmeow msgsecret.go), apart from the code under test. */
function seal(use: string, plain: Uint8Array, names: [string, string] = ['901@lid', '901@lid'], secret = SECRET) {
  const key = hkdfSync('sha256', secret, Buffer.alloc(32), Buffer.from(`${TARGET}${names.join('')}${use}`), 32);
  const encIv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key), encIv);
  const encPayload = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return { targetMessageKey: { id: TARGET }, encPayload, encIv };
}
const edit = (editedMessage: proto.IMessage) =>
  proto.Message.encode({
    protocolMessage: { key: { id: TARGET }, type: 14, editedMessage, timestampMs: 1_777_330_499_000 },
  }).finish();

const forms = [alice.lid ?? '', alice.pn ?? ''];
const pairs = forms.flatMap((author) => forms.map((editor): [string, string] => [author, editor]));

test.each(pairs)('an edit opens when it was sealed by %s and %s', async (...names) => {
  const sealed = seal('Message Edit', edit({ conversation: 'better' }), names);
  expect(await read({ secretEncryptedMessage: { ...sealed, secretEncType: 2 } })).toEqual({
    type: 'message.edited',
    id: TARGET,
    changeId: 'ACCHANGE01',
    chat: alice,
    sender: alice,
    fromMe: false,
    pushName: 'Alice',
    body: 'better',
    timestamp: 1_777_330_499,
  });
});

test('invitations and polls are edited the same way, each under a name of its own', async () => {
  const event = seal('Event Edit', edit({ eventMessage: { name: 'New date' } }));
  const poll = seal('Poll Edit', edit({ pollCreationMessage: { name: 'New question' } }));
  const types: [typeof event, number, string][] = [
    [event, 1, 'New date'],
    [poll, 4, 'New question'],
  ];
  for (const [sealed, secretEncType, body] of types) {
    expect(await read({ secretEncryptedMessage: { ...sealed, secretEncType } })).toMatchObject({ id: TARGET, body });
  }
});

test('a sealed reaction is a reaction, a sealed comment a message that answers', async () => {
  const reaction = seal('Enc Reaction', proto.Message.ReactionMessage.encode({ text: '👍' }).finish());
  expect(await read({ encReactionMessage: reaction })).toMatchObject({
    type: 'reaction',
    targetId: TARGET,
    emoji: '👍',
  });
  const said = { message: { conversation: 'well said' }, targetMessageKey: { id: TARGET } };
  for (const plain of [
    proto.Message.CommentMessage.encode(said).finish(),
    proto.Message.encode({ conversation: 'well said' }).finish(),
  ]) {
    expect(await read({ encCommentMessage: seal('Enc Comment', plain) })).toMatchObject({
      type: 'message',
      message: { id: 'ACCHANGE01', quotedId: TARGET, content: { kind: 'text', body: 'well said' } },
    });
  }
});

test('what does not open is told as such, what is about an unknown message waits for it', async () => {
  const foreign = seal('Message Edit', edit({ conversation: 'x' }), ['901@lid', '901@lid'], randomBytes(32));
  const message = { secretEncryptedMessage: { ...foreign, secretEncType: 2 } };
  expect(await read(message)).toMatchObject({ type: 'message.undecryptable', isAnswer: true });
  message.secretEncryptedMessage.targetMessageKey = { id: 'UNKNOWN' };
  await expect(read(message)).rejects.toMatchObject({ code: 'unknown_message' });
  for (const secretEncType of [0, 3, 5, 99]) {
    expect(isSealedChange({ secretEncryptedMessage: { ...foreign, secretEncType } })).toBe(false);
  }
});
