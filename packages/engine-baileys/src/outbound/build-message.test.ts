import type { KnownMessage, MessageLookup, OutboundContent, Party } from '@ponte/engine';
import { expect, test } from 'vitest';
import { proto } from '../baileys.ts';
import { type BuildContext, buildMessage } from './build-message.ts';

const TO = '901@lid';
const alice: Party = { jid: TO, lid: TO, pn: '15550002222@s.whatsapp.net' };
const GROUP = '120363000000000000@g.us';

const known: Record<string, Omit<KnownMessage, 'proto'> & { message: proto.IMessage }> = {
  HERE: { message: { conversation: 'What time?' }, sender: alice, fromMe: false, chat: alice },
  THERE: { message: { conversation: 'Who brings cake?' }, sender: alice, fromMe: false, chat: { jid: GROUP } },
};
const lookup: MessageLookup = {
  async proto(id) {
    const found = known[id];
    return found && { ...found, proto: proto.Message.encode(found.message).finish() };
  },
};
const links: unknown[] = [];
const context: BuildContext = {
  lookup,
  recipient: alice,
  nowMs: 0,
  callLink: async (...asked) => {
    links.push(asked);
    return 'TOKEN';
  },
  upload: async () => {
    throw new Error('nothing here is a file');
  },
};
const build = async (content: OutboundContent) => {
  const { proto: bytes, attrs, meta } = await buildMessage(content, TO, context);
  return { message: proto.Message.toObject(proto.Message.decode(bytes), { longs: Number }), attrs, meta };
};

test('a quote carries what was said, by whom, and where when it was elsewhere', async () => {
  const here = await build({ kind: 'text', body: 'At five', context: { quotedId: 'HERE' } });
  expect(here.message.extendedTextMessage).toEqual({
    text: 'At five',
    contextInfo: { stanzaId: 'HERE', participant: TO, quotedMessage: { conversation: 'What time?' } },
  });
  const there = await build({ kind: 'text', body: 'Me', context: { quotedId: 'THERE' } });
  expect(there.message.extendedTextMessage?.contextInfo).toMatchObject({ remoteJid: GROUP });
  await expect(build({ kind: 'text', body: 'x', context: { quotedId: 'NOWHERE' } })).rejects.toMatchObject({
    code: 'unknown_message',
  });
});

test('every kind of message can quote and name people', async () => {
  const hung = { quotedId: 'HERE', mentions: ['15550002222@s.whatsapp.net'] };
  const contents: OutboundContent[] = [
    { kind: 'text', body: 'x', context: hung },
    { kind: 'location', latitude: 1, longitude: 2, context: hung },
    { kind: 'contact', contacts: [{ name: 'Bob', vcard: 'V' }], context: hung },
    {
      kind: 'contact',
      contacts: [
        { name: 'Bob', vcard: 'V' },
        { name: 'Eve', vcard: 'W' },
      ],
      context: hung,
    },
    { kind: 'poll', question: 'q', options: ['a', 'b'], maxAnswers: 2, context: hung },
    { kind: 'event', name: 'e', startAt: 5, context: hung },
  ];
  for (const content of contents) {
    const { message } = await build(content);
    const { messageContextInfo, ...parts } = message;
    expect(messageContextInfo?.messageSecret).toHaveLength(32);
    expect(JSON.stringify(parts)).toContain('"stanzaId":"HERE"');
    expect(JSON.stringify(parts)).toContain('"mentionedJid":["15550002222@s.whatsapp.net"]');
  }
});

test('a poll with one answer goes in the field WhatsApp has for it, and the stanza says that it is a poll', async () => {
  const single = await build({ kind: 'poll', question: 'q', options: ['a', 'b'], maxAnswers: 1 });
  expect(Object.keys(single.message)).toContain('pollCreationMessageV3');
  const any = await build({ kind: 'poll', question: 'q', options: ['a', 'b'], maxAnswers: 0 });
  expect(any.message.pollCreationMessage).toMatchObject({ selectableOptionsCount: 0 });
  expect([single.meta, any.meta]).toEqual([{ polltype: 'creation' }, { polltype: 'creation' }]);
});

test('an invitation to a call carries a link drawn at WhatsApp', async () => {
  const voice = await build({ kind: 'event', name: 'e', startAt: 5, call: 'voice' });
  expect(voice.message.eventMessage).toMatchObject({
    joinLink: 'https://call.whatsapp.com/voice/TOKEN',
    isScheduleCall: true,
    startTime: 5,
  });
  expect(links).toEqual([['audio', 5]]);
  const plain = await build({ kind: 'event', name: 'e', startAt: 5, endAt: 6, location: 'Office' });
  expect(plain.message.eventMessage).toMatchObject({ endTime: 6, location: { name: 'Office' }, isScheduleCall: false });
  expect(plain.message.eventMessage?.joinLink).toBeUndefined();
  expect(plain.meta).toEqual({ event_type: 'creation' });
});
