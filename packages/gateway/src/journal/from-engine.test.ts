import type { EngineEvent, Party, ReceivedMessage } from '@ponte/engine';
import { describe, expect, it } from 'vitest';
import { canonicalJid, messageKey } from '../core/event-keys.ts';
import { fromEngine, mappingOf } from './from-engine.ts';

const LIVE = { source: '7', isLive: true };
const alice: Party = { jid: '15550001111@s.whatsapp.net', pn: '15550001111@s.whatsapp.net', lid: '9001@lid' };
const bob: Party = { jid: '15550002222@s.whatsapp.net', pn: '15550002222@s.whatsapp.net' };
const message = (over: Partial<ReceivedMessage> = {}): EngineEvent => ({
  type: 'message',
  message: {
    id: 'ABC',
    chat: alice,
    sender: alice,
    fromMe: false,
    isGroup: false,
    pushName: 'Alice',
    timestamp: 1_777_180_605,
    content: { kind: 'text', body: 'Hello!' },
    mentions: [],
    mentionsAll: false,
    mentionsMe: false,
    forwarded: false,
    viewOnce: false,
    proto: Uint8Array.of(1, 2),
    ...over,
  },
});

it('stores people under their LID when it is known', () => {
  expect(canonicalJid(alice)).toBe('9001@lid');
  expect(canonicalJid(bob)).toBe('15550002222@s.whatsapp.net');
  expect(canonicalJid({ jid: '120363000@g.us' })).toBe('120363000@g.us');
});

describe('a message', () => {
  it('keeps what both dialects need, and its bytes beside', () => {
    expect(
      fromEngine(message({ quotedId: 'Q', mentions: [bob], mentionsMe: true, expiresInSeconds: 60 }), LIVE),
    ).toEqual([
      {
        type: 'message.received',
        payload: {
          messageId: 'ABC',
          chat: alice,
          sender: alice,
          fromMe: false,
          isGroup: false,
          pushName: 'Alice',
          timestamp: 1_777_180_605,
          content: { kind: 'text', body: 'Hello!' },
          quotedId: 'Q',
          mentions: [bob],
          mentionsAll: false,
          mentionsMe: true,
          forwarded: false,
          viewOnce: false,
          expiresInSeconds: 60,
        },
        dedupeKey: 'message:9001@lid:ABC:9001@lid',
        chat: '9001@lid',
        proto: Uint8Array.of(1, 2),
      },
    ]);
  });

  it('has the same key however it came in, and another one for another sender, chat or id', () => {
    const keyOf = (over: Partial<ReceivedMessage>, source = '7') =>
      fromEngine(message(over), { source, isLive: false })[0]?.dedupeKey;
    expect(keyOf({}, '8')).toBe(keyOf({}));
    expect(keyOf({ chat: { ...alice, jid: '9001@lid' } })).toBe(keyOf({}));
    const others = [{ id: 'ABD' }, { sender: bob }, { chat: bob }].map((over) => keyOf(over));
    expect(new Set([...others, keyOf({})]).size).toBe(4);
  });

  it('has the key of the message we sent, should WhatsApp echo it', () => {
    const echo = fromEngine(message({ fromMe: true, chat: bob }), LIVE)[0];
    expect(echo?.dedupeKey).toBe(messageKey({ messageId: 'ABC', chat: bob, sender: alice }));
  });
});

it('makes one status of each message a receipt names', () => {
  const facts = fromEngine(
    { type: 'receipt', ids: ['A', 'B'], chat: alice, by: alice, status: 'read', timestamp: 5 },
    LIVE,
  );
  expect(facts).toEqual(
    ['A', 'B'].map((messageId) => ({
      type: 'message.status',
      payload: { messageId, chat: alice, status: 'read', timestamp: 5, error: null },
      by: alice,
      dedupeKey: `status:${messageId}:9001@lid:read`,
      chat: '9001@lid',
    })),
  );
});

it('keeps typing only while it is live', () => {
  const typing: EngineEvent = { type: 'typing', chat: alice, sender: alice, state: 'composing', mode: 'text' };
  expect(fromEngine(typing, LIVE)).toEqual([
    {
      type: 'typing',
      payload: { chat: alice, sender: alice, state: 'composing', mode: 'text' },
      dedupeKey: 'typing:7',
      chat: '9001@lid',
    },
  ]);
  expect(fromEngine(typing, { ...LIVE, isLive: false })).toEqual([]);
});

it('gives every other fact the key that names it', () => {
  const about = { chat: alice, sender: alice, fromMe: false, timestamp: 5 };
  const events: EngineEvent[] = [
    { type: 'message.edited', id: 'M', changeId: 'E1', pushName: '', body: 'x', ...about },
    { type: 'message.edited', id: 'M', changeId: 'E2', pushName: '', body: 'y', ...about },
    { type: 'message.revoked', id: 'M', pushName: '', byAdmin: false, ...about },
    { type: 'reaction', id: 'R', targetId: 'M', emoji: '👍', pushName: '', ...about },
    { type: 'poll.vote', id: 'V', pollId: 'P', pushName: '', options: ['a'], ...about },
    { type: 'event.response', id: 'A', eventId: 'I', pushName: '', response: 'going', extraGuestCount: 0, ...about },
    {
      type: 'message.undecryptable',
      ...{ id: 'M', chat: alice, sender: alice, fromMe: false, isGroup: false, pushName: 'Alice', timestamp: 5 },
      ...{ isAnswer: false, cause: 'decryption_failed', reason: 'no session' },
    },
    { type: 'call.incoming', callId: 'C', from: alice, platform: 'android', video: false, timestamp: 5 },
    { type: 'call.terminated', callId: 'C', from: alice, reason: 'hangup', timestamp: 6 },
    { type: 'offline.preview', total: 3, messages: 1, notifications: 1, receipts: 1, appDataChanges: 0 },
    { type: 'offline.completed', count: 3 },
    { type: 'picture.updated', of: alice, removed: false, pictureId: '12', timestamp: 5 },
  ];
  const facts = events.flatMap((event) => fromEngine(event, LIVE));
  expect(facts.map((fact) => fact.dedupeKey)).toEqual([
    'edited:9001@lid:M:E1',
    'edited:9001@lid:M:E2',
    'revoked:9001@lid:M',
    'reaction:9001@lid:R:9001@lid',
    'vote:9001@lid:V:9001@lid',
    'response:9001@lid:A:9001@lid',
    'undecryptable:9001@lid:M:9001@lid',
    'call.incoming:C',
    'call.terminated:C',
    'offline.preview:7',
    'offline.completed:7',
    'picture:9001@lid:12:5',
  ]);
  expect(facts[3]).toMatchObject({ type: 'message.reaction', payload: { messageId: 'R', targetId: 'M' } });
  expect(facts[11]).toMatchObject({ payload: { pictureId: '12' } });
});

it('takes an address mapping for the projections only', () => {
  const event: EngineEvent = { type: 'address.mapped', lid: '9001@lid', pn: '15550001111@s.whatsapp.net' };
  expect(fromEngine(event, LIVE)).toEqual([]);
  expect(mappingOf(event)).toEqual({ lid: '9001@lid', pn: '15550001111@s.whatsapp.net' });
});
