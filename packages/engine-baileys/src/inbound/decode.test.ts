import { type EngineEvent, type InboxEntry, type MessageContent, type Node, packNode } from '@ponte/engine';
import { MemoryStore } from '@ponte/engine/conformance';
import { describe, expect, it } from 'vitest';
import { proto } from '../baileys.ts';
import { KeyVault } from '../store/key-vault.ts';
import { LidMap } from '../store/lid-map.ts';
import { decodeEntry } from './decode.ts';

const self = { pn: '15550001111@s.whatsapp.net', lid: '1001@lid', name: 'Me' };
const fromBob = { id: 'M1', from: '2002:3@lid', sender_pn: '15550002222@s.whatsapp.net', t: '1700000000' };
const bob = { jid: '2002@lid', lid: '2002@lid', pn: '15550002222@s.whatsapp.net' };
const unknownKinds: string[] = [];
const lookup = { proto: async () => undefined };

function sealed(message: proto.IMessage | Uint8Array, attrs: Record<string, string> = fromBob): InboxEntry {
  const bytes = message instanceof Uint8Array ? message : proto.Message.encode(message).finish();
  const stanza = packNode({ tag: 'message', attrs });
  return { kind: 'sealed', hash: 'h', stanza, encIndex: 0, plaintext: Buffer.concat([bytes, Buffer.alloc(4, 4)]) };
}

const decode = (
  entry: InboxEntry,
  lids = new LidMap(new KeyVault(new MemoryStore().attach())),
): Promise<EngineEvent[]> => decodeEntry(entry, { self, lids, lookup, onUnknown: (kind) => unknownKinds.push(kind) });

async function contentOf(message: proto.IMessage): Promise<MessageContent> {
  const [event] = await decode(sealed(message));
  if (event?.type !== 'message') throw new Error(`no message but ${event?.type}`);
  return event.message.content;
}

const image: proto.Message.IImageMessage = {
  mimetype: 'image/jpeg',
  caption: 'look',
  fileLength: 1234,
  fileSha256: Buffer.of(1, 2),
  width: 4,
  height: 3,
};

describe('content', () => {
  it.each<[string, proto.IMessage, Partial<MessageContent>]>([
    ['plain text', { conversation: 'hi' }, { kind: 'text', body: 'hi' }],
    ['text with context', { extendedTextMessage: { text: 'hi' } }, { kind: 'text', body: 'hi' }],
    [
      'image',
      { imageMessage: image },
      {
        kind: 'image',
        body: 'look',
        media: { mimeType: 'image/jpeg', sizeBytes: 1234, sha256: 'AQI=', width: 4, height: 3 },
      },
    ],
    [
      'video',
      { videoMessage: { mimetype: 'video/mp4', seconds: 7 } },
      { kind: 'video', body: '', media: { mimeType: 'video/mp4', durationSeconds: 7 } },
    ],
    ['audio', { audioMessage: { mimetype: 'audio/mp4', seconds: 3 } }, { kind: 'audio' }],
    ['voice', { audioMessage: { mimetype: 'audio/ogg', ptt: true } }, { kind: 'voice' }],
    [
      'document',
      { documentMessage: { mimetype: 'application/pdf', fileName: 'a.pdf' } },
      { kind: 'document', media: { mimeType: 'application/pdf', fileName: 'a.pdf' } },
    ],
    ['sticker', { stickerMessage: { mimetype: 'image/webp' } }, { kind: 'sticker' }],
    [
      'location',
      { locationMessage: { degreesLatitude: 1.5, degreesLongitude: -2, name: 'Here' } },
      { kind: 'location', location: { latitude: 1.5, longitude: -2, name: 'Here' } },
    ],
    [
      'contact',
      { contactMessage: { displayName: 'Bob', vcard: 'BEGIN:VCARD' } },
      { kind: 'contact', contacts: [{ name: 'Bob', vcard: 'BEGIN:VCARD' }] },
    ],
    [
      'contacts',
      { contactsArrayMessage: { contacts: [{ displayName: 'A' }, { displayName: 'B' }] } },
      { kind: 'contact', body: 'A, B' },
    ],
    [
      'poll',
      {
        pollCreationMessageV3: {
          name: 'Q',
          options: [{ optionName: 'x' }, { optionName: 'y' }],
          selectableOptionsCount: 1,
        },
      },
      { kind: 'poll', body: 'Q', poll: { options: ['x', 'y'], maxAnswers: 1 } },
    ],
    [
      'event',
      { eventMessage: { name: 'Party', startTime: 1700000100 } },
      { kind: 'event', body: 'Party', event: { startAt: 1700000100 } },
    ],
    [
      'live location',
      { liveLocationMessage: { degreesLatitude: 1.5, degreesLongitude: -2, caption: 'on my way' } },
      { kind: 'location', body: 'on my way', location: { latitude: 1.5, longitude: -2, isLive: true } },
    ],
    [
      'text with the card of a link',
      { extendedTextMessage: { text: 'see https://a.example', matchedText: 'https://a.example', title: 'A' } },
      { kind: 'text', linkPreview: { url: 'https://a.example', title: 'A' } },
    ],
    [
      'moving sticker',
      { stickerMessage: { isAnimated: true } },
      { kind: 'sticker', media: { isAnimated: true } as never },
    ],
    ['video note', { ptvMessage: { seconds: 2 } }, { kind: 'video', media: { isNote: true } as never }],
    [
      'event with its place',
      {
        eventMessage: {
          name: 'Party',
          startTime: 1700000100,
          location: { name: 'Office', address: 'Main St 1', degreesLatitude: 1, degreesLongitude: 2 },
          joinLink: 'https://call.whatsapp.com/video/x',
        },
      },
      {
        event: {
          startAt: 1700000100,
          location: 'Office',
          place: { address: 'Main St 1', latitude: 1, longitude: 2 },
          joinLink: 'https://call.whatsapp.com/video/x',
        },
      },
    ],
    ['something new', { productMessage: {} }, { kind: 'unknown', body: '' }],
  ])('of kind %s', async (_kind, message, content) => {
    expect(await contentOf(message)).toMatchObject(content);
  });

  it('is found in every wrapper', async () => {
    const inner = { message: { conversation: 'inside' } };
    for (const wrapped of [
      { ephemeralMessage: inner },
      { viewOnceMessageV2: inner },
      { documentWithCaptionMessage: inner },
    ]) {
      expect(await contentOf(wrapped)).toMatchObject({ kind: 'text', body: 'inside' });
    }
    const [once] = await decode(
      sealed({ ephemeralMessage: { message: { viewOnceMessageV2: { message: { imageMessage: image } } } } }),
    );
    expect(once).toMatchObject({ message: { viewOnce: true, content: { kind: 'image' } } });
  });

  it('comes with quote, mentions and forwarding', async () => {
    const contextInfo = { stanzaId: 'Q1', mentionedJid: ['3003@lid', '2002@lid'], isForwarded: true, expiration: 60 };
    const lids = new LidMap(new KeyVault(new MemoryStore().attach()));
    await lids.learn([{ lid: bob.lid, pn: bob.pn }]);
    const events = await decode(sealed({ extendedTextMessage: { text: 'x', contextInfo } }), lids);
    // How long messages of the chat last is told before the message.
    expect(events[0]).toMatchObject({ type: 'chat.expiration', seconds: 60 });
    const event = events.find(({ type }) => type === 'message');
    const mentions = [{ jid: '3003@lid', lid: '3003@lid' }, bob];
    expect(event).toMatchObject({
      message: { quotedId: 'Q1', mentions, mentionsMe: false, forwarded: true, expiresInSeconds: 60 },
    });
  });

  it.each<[string, proto.IContextInfo, Record<string, unknown>]>([
    ['by its LID', { mentionedJid: ['1001@lid'] }, { mentionsMe: true, mentionsAll: false }],
    ['by its number', { mentionedJid: ['15550001111:4@s.whatsapp.net'] }, { mentionsMe: true, mentionsAll: false }],
    ['with everybody', { nonJidMentions: 1 }, { mentionsMe: true, mentionsAll: true }],
    ['not at all', { mentionedJid: ['2002@lid'] }, { mentionsMe: false, mentionsAll: false }],
  ])('says whether this account is named: %s', async (_how, contextInfo, wanted) => {
    const [event] = await decode(sealed({ extendedTextMessage: { text: 'x', contextInfo } }));
    expect(event).toMatchObject({ message: wanted });
  });

  it('of our other devices is told as the message itself, in the chat it went to', async () => {
    const copy = { deviceSentMessage: { destinationJid: '2002@lid', message: { conversation: 'from the phone' } } };
    const [event] = await decode(sealed(copy, { id: 'M2', from: '1001@lid', recipient: '2002@lid', t: '1' }));
    expect(event).toMatchObject({
      type: 'message',
      message: { fromMe: true, chat: { jid: '2002@lid' }, content: { body: 'from the phone' } },
    });
    if (event?.type === 'message')
      expect(proto.Message.decode(event.message.proto).conversation).toBe('from the phone');
  });
});

describe('changes of messages', () => {
  const { Type } = proto.Message.ProtocolMessage;

  it('are reactions, edits and revokes of the message they name', async () => {
    expect(await decode(sealed({ reactionMessage: { key: { id: 'T' }, text: '👍' } }))).toMatchObject([
      { type: 'reaction', id: 'M1', targetId: 'T', emoji: '👍', sender: bob },
    ]);
    const edit = {
      type: Type.MESSAGE_EDIT,
      key: { id: 'T' },
      editedMessage: { conversation: 'better' },
      timestampMs: 1700000009000,
    };
    expect(await decode(sealed({ editedMessage: { message: { protocolMessage: edit } } }))).toMatchObject([
      { type: 'message.edited', id: 'T', body: 'better', timestamp: 1700000009 },
    ]);
    expect(await decode(sealed({ protocolMessage: { type: Type.REVOKE, key: { id: 'T' } } }))).toMatchObject([
      { type: 'message.revoked', id: 'T', sender: bob },
    ]);
  });

  it('never come from what only own devices may say', async () => {
    const keys = [{ keyId: { keyId: Buffer.of(1) }, keyData: { keyData: Buffer.alloc(32) } }];
    const forged: proto.IMessage[] = [
      { protocolMessage: { type: Type.APP_STATE_SYNC_KEY_SHARE, appStateSyncKeyShare: { keys } } },
      { protocolMessage: { type: Type.HISTORY_SYNC_NOTIFICATION, historySyncNotification: { directPath: '/x' } } },
      { protocolMessage: { type: Type.PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE } },
    ];
    for (const message of forged) expect(await decode(sealed(message))).toEqual([]);
  });

  it('are not made of carriers of keys', async () => {
    expect(await decode(sealed({ senderKeyDistributionMessage: { groupId: 'g' } }))).toEqual([]);
    expect(await decode(sealed({}))).toEqual([]);
  });

  it('of kinds that nobody knows are kept as they came, and reported by name or number', async () => {
    unknownKinds.length = 0;
    const named: proto.IMessage = { secretEncryptedMessage: { secretEncType: 0, encPayload: Buffer.of(1) } };
    // Field 999, which no schema has: alone, and in a copy for the own devices.
    const newer = Buffer.of(0xba, 0x3e, 2, 0x08, 1);
    const copy = proto.Message.encode({ deviceSentMessage: { destinationJid: '2002@lid' } }).finish();
    const inCopy = Buffer.concat([
      copy.subarray(0, 2),
      Buffer.of((copy[2] ?? 0) + 7),
      copy.subarray(3),
      Buffer.of(0x12, newer.length),
      newer,
    ]);
    const fromOwnPhone = { id: 'M2', from: '1001@lid', recipient: '2002@lid', t: '1700000000' };
    for (const entry of [sealed(named), sealed(newer), sealed(inCopy, fromOwnPhone)]) {
      expect(await decode(entry)).toMatchObject([{ type: 'message', message: { content: { kind: 'unknown' } } }]);
    }
    expect(unknownKinds).toEqual(['secretEncryptedMessage', 'field 999', 'field 999']);
  });
});

describe('rows', () => {
  it('that were processed give nothing any more', async () => {
    expect(await decode({ ...sealed({ conversation: 'x' }), plaintext: Buffer.alloc(0) } as InboxEntry)).toEqual([]);
  });

  it('with malformed content say that it could not be read', async () => {
    expect(await decode(sealed(Buffer.of(0xff, 0xff, 0xff)))).toMatchObject([
      { type: 'message.undecryptable', id: 'M1', sender: bob },
    ]);
  });

  it('of failed decryption say why', async () => {
    const entry: InboxEntry = {
      kind: 'stanza',
      tag: 'message',
      failure: { cause: 'decryption_failed', detail: 'Bad MAC' },
      stanza: packNode({ tag: 'message', attrs: fromBob }),
    };
    expect(await decode(entry)).toMatchObject([{ type: 'message.undecryptable', reason: 'Bad MAC', chat: bob }]);
  });

  it('without encryption are read as they are', async () => {
    const plaintext: Node = {
      tag: 'plaintext',
      attrs: {},
      content: proto.Message.encode({ conversation: 'news' }).finish(),
    };
    const attrs = { id: 'N', from: '120363@newsletter', t: '1' };
    const entry: InboxEntry = {
      kind: 'stanza',
      tag: 'message',
      stanza: packNode({ tag: 'message', attrs, content: [plaintext] }),
    };
    expect(await decode(entry)).toMatchObject([
      { message: { chat: { jid: '120363@newsletter' }, content: { body: 'news' } } },
    ]);
  });

  it('are completed by addresses learned otherwise', async () => {
    const lids = new LidMap(new KeyVault(new MemoryStore().attach()));
    await lids.learn([{ lid: bob.lid, pn: bob.pn }]);
    const [event] = await decode(sealed({ conversation: 'x' }, { id: 'M', from: '2002@lid', t: '1' }), lids);
    expect(event).toMatchObject({ message: { sender: bob, chat: bob } });
  });
});
