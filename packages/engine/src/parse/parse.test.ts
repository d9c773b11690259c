import { describe, expect, it } from 'vitest';
import type { Self } from '../address.ts';
import type { Node } from '../node.ts';
import { packNode, unpackNode } from '../pack-node.ts';
import { addressPairs } from './address-pairs.ts';
import { parseChatState } from './chat-state.ts';
import { parseMessageStanza } from './message-stanza.ts';
import { completeParty, party } from './party.ts';
import { stanzaEvents } from './stanza-events.ts';

const self: Self = { pn: '15550001111@s.whatsapp.net', lid: '1001@lid', name: 'Me' };
const bob = { jid: '2002@lid', lid: '2002@lid', pn: '15550002222@s.whatsapp.net' };
const group = { jid: '120363000000000001@g.us' };

const node = (tag: string, attrs: Record<string, string>, ...content: Node[]): Node =>
  content.length === 0 ? { tag, attrs } : { tag, attrs, content };
const message = (attrs: Record<string, string>): Node => node('message', { id: 'M1', t: '1700000000', ...attrs });

describe('people', () => {
  it('never makes a number of the digits of a LID', () => {
    expect(party('2002:7@lid')).toEqual({ jid: '2002@lid', lid: '2002@lid' });
    expect(party('2002@lid', '15550002222:3@s.whatsapp.net')).toEqual(bob);
  });

  it('takes hosted devices for the people behind them', () => {
    expect(party('2002:99@hosted.lid', '15550002222:99@hosted')).toEqual(bob);
  });

  it('are completed by what is known, and left alone otherwise', async () => {
    const nobody = async () => undefined;
    expect(await completeParty({ jid: '2002@lid', lid: '2002@lid' }, async () => bob.pn, nobody)).toEqual(bob);
    expect(await completeParty({ jid: bob.pn, pn: bob.pn }, nobody, async () => bob.lid)).toEqual({
      ...bob,
      jid: bob.pn,
    });
    expect(await completeParty(group, nobody, nobody)).toEqual(group);
    expect(await completeParty({ jid: '2002@lid', lid: '2002@lid' }, nobody, nobody)).not.toHaveProperty('pn');
  });
});

describe('message envelopes', () => {
  it('name the other side of a chat', () => {
    const parsed = parseMessageStanza(message({ from: '2002:4@lid', sender_pn: bob.pn, notify: 'Bob' }), self);
    expect(parsed).toEqual({
      id: 'M1',
      chat: bob,
      sender: bob,
      fromMe: false,
      isGroup: false,
      pushName: 'Bob',
      timestamp: 1700000000,
    });
  });

  it('name the chat of what another own device sent', () => {
    const parsed = parseMessageStanza(
      message({ from: '1001@lid', recipient: '2002@lid', peer_recipient_pn: bob.pn }),
      self,
    );
    expect(parsed).toMatchObject({ fromMe: true, chat: bob, sender: { jid: '1001@lid', pn: self.pn } });
  });

  it('name sender and group', () => {
    const attrs = { from: group.jid, participant: '2002:1@lid', participant_pn: bob.pn };
    expect(parseMessageStanza(message(attrs), self)).toMatchObject({ chat: group, sender: bob, isGroup: true });
    expect(parseMessageStanza(message({ ...attrs, participant: '1001:3@lid' }), self)?.fromMe).toBe(true);
  });

  it('put a broadcast list into the chat with its owner, and status into its own', () => {
    const list = parseMessageStanza(
      message({ from: '170@broadcast', participant: bob.pn, participant_lid: bob.lid }),
      self,
    );
    expect(list?.chat).toEqual({ ...bob, jid: bob.pn });
    const status = parseMessageStanza(message({ from: 'status@broadcast', participant: bob.pn }), self);
    expect(status?.chat).toEqual({ jid: 'status@broadcast' });
  });

  it('are refused without id or sender, or when a stranger claims to write for us', () => {
    expect(parseMessageStanza(node('message', { from: bob.jid }), self)).toBeUndefined();
    expect(parseMessageStanza(message({}), self)).toBeUndefined();
    expect(parseMessageStanza(message({ from: group.jid }), self)).toBeUndefined();
    expect(parseMessageStanza(message({ from: bob.jid, recipient: '3003@lid' }), self)).toBeUndefined();
  });
});

describe('receipts', () => {
  const receipt = (attrs: Record<string, string>, ...content: Node[]) =>
    stanzaEvents(node('receipt', { id: 'A', t: '1700000001', ...attrs }, ...content), self);
  const list = (...ids: string[]) => node('list', {}, ...ids.map((id) => node('item', { id })));

  it('without type say delivered, for every message of the list', () => {
    expect(receipt({ from: '2002:3@lid', sender_pn: bob.pn }, list('B', 'C'))).toEqual([
      { type: 'receipt', ids: ['A', 'B', 'C'], chat: bob, by: bob, status: 'delivered', timestamp: 1700000001 },
    ]);
  });

  it.each([
    ['read', 'read'],
    ['played', 'played'],
    ['sender', 'sent'],
  ])('of type %s say %s', (type, status) => {
    expect(receipt({ from: bob.jid, type })).toMatchObject([{ status }]);
  });

  it.each(['inactive', 'retry', 'peer_msg', 'hist_sync', 'server-error'])('of type %s say nothing', (type) => {
    expect(receipt({ from: bob.jid, type })).toEqual([]);
  });

  it('of groups name who, one by one or together', () => {
    expect(receipt({ from: group.jid, participant: '2002@lid', type: 'read' })).toMatchObject([
      { chat: group, by: { lid: bob.lid }, status: 'read' },
    ]);
    const users = [node('user', { jid: '2002@lid', t: '1700000005' }), node('user', { jid: '3003@lid' })];
    const grouped = receipt({ from: group.jid, type: 'read' }, node('participants', { key: 'X' }, ...users));
    expect(grouped).toMatchObject([
      { ids: ['X'], by: { lid: bob.lid }, timestamp: 1700000005 },
      { ids: ['X'], by: { lid: '3003@lid' }, timestamp: 1700000001 },
    ]);
  });

  it('of own devices name the chat they are about', () => {
    expect(receipt({ from: '1001@lid', recipient: '2002@lid', type: 'sender' })).toMatchObject([
      { chat: { lid: bob.lid }, by: { lid: '1001@lid', pn: self.pn }, status: 'sent' },
    ]);
  });
});

describe('calls', () => {
  const call = (what: Node) =>
    stanzaEvents(node('call', { from: bob.jid, t: '1700000002', platform: 'android' }, what), self);

  it('ring with platform, caller and video', () => {
    const offer = node(
      'offer',
      { 'call-id': 'C1', 'call-creator': '2002:0@lid', caller_pn: bob.pn },
      node('video', {}),
    );
    expect(call(offer)).toEqual([
      { type: 'call.incoming', callId: 'C1', from: bob, platform: 'android', video: true, timestamp: 1700000002 },
    ]);
  });

  it.each([
    ['terminate', { reason: 'timeout' }, 'timeout'],
    ['terminate', { reason: 'busy' }, 'busy'],
    ['terminate', { reason: 'rejected_elsewhere' }, 'decline'],
    ['terminate', { reason: 'accepted_elsewhere' }, 'hangup'],
    ['terminate', {}, 'hangup'],
    ['reject', {}, 'decline'],
  ])('end by %s %o as %s', (tag, attrs, reason) => {
    expect(call(node(tag, { 'call-id': 'C1', 'call-creator': bob.jid, ...attrs }))).toMatchObject([
      { type: 'call.terminated', callId: 'C1', reason },
    ]);
  });

  it('say nothing by their technical parts', () => {
    expect(call(node('transport', { 'call-id': 'C1', 'call-creator': bob.jid }))).toEqual([]);
  });
});

describe('other stanzas', () => {
  it('announce offline mail wherever in the stanza they do', () => {
    const preview = { count: '9', message: '5', notification: '2', receipt: '1', appdata: '1' };
    const ib = node(
      'ib',
      {},
      node('edge_routing', {}),
      node('offline_preview', preview),
      node('offline', { count: '9' }),
    );
    expect(stanzaEvents(ib, self)).toEqual([
      { type: 'offline.preview', total: 9, messages: 5, notifications: 2, receipts: 1, appDataChanges: 1 },
      { type: 'offline.completed', count: 9 },
    ]);
  });

  it('tell of pictures set and removed', () => {
    const notification = (what: Node) =>
      node('notification', { type: 'picture', from: bob.jid, t: '1700000003' }, what);
    expect(stanzaEvents(notification(node('set', { jid: bob.jid, id: '77' })), self)).toMatchObject([
      { type: 'picture.updated', of: { lid: bob.lid }, removed: false, pictureId: '77', timestamp: 1700000003 },
    ]);
    expect(stanzaEvents(notification(node('delete', { jid: bob.jid })), self)).toMatchObject([{ removed: true }]);
    expect(stanzaEvents(notification(node('request', {})), self)).toEqual([]);
  });

  it('show who types or records', () => {
    const typing = (attrs: Record<string, string>, what: Node) => parseChatState(node('chatstate', attrs, what));
    expect(typing({ from: bob.jid, sender_pn: bob.pn }, node('composing', {}))).toEqual({
      type: 'typing',
      chat: bob,
      sender: bob,
      state: 'composing',
      mode: 'text',
    });
    const recording = node('composing', { media: 'audio' });
    expect(typing({ from: group.jid, participant: bob.jid }, recording)).toMatchObject({ chat: group, mode: 'voice' });
    expect(typing({ from: bob.jid }, node('paused', {}))).toMatchObject({ state: 'paused' });
    expect(typing({ from: bob.jid }, node('something', {}))).toBeUndefined();
  });

  it('disclose addresses of one person, of each child too', () => {
    const pair = { lid: bob.lid, pn: bob.pn };
    expect(addressPairs(node('receipt', { from: '2002:4@lid', sender_pn: bob.pn }))).toEqual([pair]);
    const offer = node('offer', { 'call-creator': '2002@lid', caller_pn: bob.pn });
    expect(addressPairs(node('call', { from: '2002@lid' }, offer))).toEqual([pair]);
    expect(addressPairs(node('receipt', { from: bob.pn, sender_pn: bob.pn, participant: 'x' }))).toEqual([]);
  });

  it('survive packing with text, bytes, children and nothing', () => {
    const whole = node('a', { b: 'c' }, { tag: 'text', attrs: {}, content: 'ü' }, node('empty', {}), {
      tag: 'bytes',
      attrs: {},
      content: Buffer.of(0, 255, 10),
    });
    expect(unpackNode(packNode(whole))).toEqual(whole);
    expect(() => unpackNode(Buffer.from('{}'))).toThrow('no packed stanza');
  });
});
