import { randomBytes } from 'node:crypto';
import { child, childrenOf, type Node } from '@ponte/engine';
import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../test/memory-store.ts';
import { TinyNetwork } from '../../test/tiny-network.ts';
import { concat, generateKeyPair, sign, verify } from '../signal/curve.ts';
import { hmacSha256 } from '../signal/kdf.ts';
import { AddressBook } from './address-book.ts';
import { applyChange, CHANGES } from './content/changes.ts';
import { Input } from './content/input.ts';
import { KINDS } from './content/kinds.ts';
import { newEntry } from './inbox.ts';
import type { Phone } from './phone.ts';
import { proto } from './wa-proto.ts';

const ALICE = '15550001111@s.whatsapp.net';
const BOB = '15550002222@s.whatsapp.net';

async function aliceAndBob(settings = {}) {
  const network = new TinyNetwork();
  const alice = network.phone('15550001111', 'Alice');
  const bob = network.phone('15550002222', 'Bob', settings);
  await alice.phone.start();
  await bob.phone.start();
  return { network, alice, bob };
}

const shown = (phone: Phone, isWithOwnSends = false) =>
  phone.inbox.page({ after: 0, chat: undefined, isWithOwnSends }).map(({ value }) => value);
const bodies = (phone: Phone) => shown(phone).map((entry) => entry.content.body ?? entry.content.type);
const encTypes = (network: TinyNetwork, to: string) =>
  network.delivered.filter((d) => d.to === to && d.node.tag === 'message').map((d) => child(d.node, 'enc')?.attrs.type);

function spoil(node: Node): Node {
  const content = childrenOf(node, 'enc').map((enc) => {
    const spoiled = Uint8Array.from(enc.content instanceof Uint8Array ? enc.content : []);
    spoiled[spoiled.length - 1] = (spoiled.at(-1) ?? 0) ^ 0xff;
    return { ...enc, content: spoiled };
  });
  return { ...node, content };
}

describe('two phones', () => {
  it('write to each other by LID, and each shows what it decrypted under the phone number', async () => {
    const { network, alice, bob } = await aliceAndBob();
    const sent = await alice.phone.sendText(BOB, 'hello');
    await network.settle();
    await bob.phone.sendText(ALICE, 'hi');
    await alice.phone.sendText(BOB, 'how are you');
    await network.settle();

    expect(shown(bob.phone)[0]).toMatchObject({
      messageId: sent.messageId,
      chat: ALICE,
      from: ALICE,
      fromMe: false,
      content: { type: 'text', body: 'hello' },
      status: 'received',
      copies: 1,
    });
    expect(bodies(bob.phone)).toEqual(['hello', 'how are you']);
    expect(bodies(alice.phone)).toEqual(['hi']);
    expect(encTypes(network, BOB)).toEqual(['pkmsg', 'msg']);
    expect(encTypes(network, ALICE)).toEqual(['msg']);
    const message = network.delivered.find((d) => d.node.tag === 'message')?.node;
    expect(message?.attrs).toMatchObject({ from: '90015550001111@lid', sender_pn: ALICE });
  });

  it('show the status of own messages: sent, delivered, read, and never go back', async () => {
    const { network, alice, bob } = await aliceAndBob({ autoReceipts: 'none' });
    const { messageId } = await alice.phone.sendText(BOB, 'hello');
    await network.settle();
    const status = () => alice.phone.inbox.find(BOB, messageId)?.status;
    expect(status()).toBe('sent');
    bob.phone.sendReceipts(ALICE, [messageId], 'read');
    await network.settle();
    expect(status()).toBe('read');
    bob.phone.sendReceipts(ALICE, [messageId], 'delivered');
    await network.settle();
    expect(status()).toBe('read');
    expect(bob.phone.inbox.chats()).toMatchObject([{ chat: ALICE, unread: 0 }]);
    expect(() => bob.phone.sendReceipts(ALICE, ['3A00'], 'read')).toThrow('no message 3A00');
  });

  it('send receipts by themselves as their settings say', async () => {
    for (const [autoReceipts, expected] of [
      ['delivered', 'delivered'],
      ['read', 'read'],
      ['none', 'sent'],
    ] as const) {
      const { network, alice } = await aliceAndBob({ autoReceipts });
      const { messageId } = await alice.phone.sendText(BOB, 'hello');
      await network.settle();
      expect(alice.phone.inbox.find(BOB, messageId)?.status).toBe(expected);
    }
  });

  it('count a message that arrives twice and show it once, whether the ciphertext is the same or new', async () => {
    const { network, alice, bob } = await aliceAndBob();
    network.meddle = (_to, node) => (node.tag === 'message' ? [node, node] : [node]);
    const { messageId } = await alice.phone.sendText(BOB, 'hello');
    await network.settle();
    expect(shown(bob.phone)).toMatchObject([{ copies: 2 }]);
    network.meddle = (_to, node) => [node];
    const retry: Node = { tag: 'retry', attrs: { count: '1', id: messageId, t: '1', v: '1' } };
    await alice.phone.receive({
      tag: 'receipt',
      attrs: { id: messageId, from: '90015550002222@lid', type: 'retry' },
      content: [retry],
    });
    await network.settle();
    expect(shown(bob.phone)).toMatchObject([{ copies: 3, content: { body: 'hello' } }]);
  });

  it('list what they cannot decrypt, ask for it again and show it in the end', async () => {
    const { network, alice, bob } = await aliceAndBob();
    await alice.phone.sendText(BOB, 'first');
    await network.settle();
    let spoils = 2;
    const undecryptable: unknown[] = [];
    network.meddle = (_to, node) => {
      if (node.tag === 'receipt' && node.attrs.type === 'retry') undecryptable.push(bodies(bob.phone));
      return [node.tag === 'message' && spoils-- > 0 ? spoil(node) : node];
    };
    const { messageId } = await alice.phone.sendText(BOB, 'second');
    await network.settle();
    expect(undecryptable).toEqual([
      ['first', 'undecryptable'],
      ['first', 'undecryptable'],
    ]);
    expect(bodies(bob.phone)).toEqual(['first', 'second']);
    const retries = network.delivered.filter((d) => d.node.attrs.type === 'retry').map((d) => d.node);
    expect(retries.map((node) => child(node, 'retry')?.attrs.count)).toEqual(['1', '2']);
    expect(retries.map((node) => child(node, 'keys') !== undefined)).toEqual([false, true]);
    expect(alice.phone.inbox.find(BOB, messageId)?.status).toBe('delivered');
  });

  it('give up asking after five tries', async () => {
    const { network, alice, bob } = await aliceAndBob();
    network.meddle = (_to, node) => [node.tag === 'message' ? spoil(node) : node];
    await alice.phone.sendText(BOB, 'lost');
    await network.settle();
    expect(network.delivered.filter((d) => d.node.attrs.type === 'retry')).toHaveLength(5);
    expect(bodies(bob.phone)).toEqual(['undecryptable']);
  });

  it('find each other again after one of them has lost its sessions', async () => {
    const { network, alice, bob } = await aliceAndBob();
    await alice.phone.sendText(BOB, 'one');
    await network.settle();
    await bob.phone.sendText(ALICE, 'two');
    await network.settle();
    for (const { id } of bob.store.list('session')) bob.store.set('session', id, null);
    await alice.phone.sendText(BOB, 'three');
    await network.settle();
    await bob.phone.sendText(ALICE, 'four');
    await network.settle();
    expect(bodies(bob.phone)).toEqual(['one', 'three']);
    expect(bodies(alice.phone)).toEqual(['two', 'four']);
  });

  it('keep inbox, sessions and contacts over a restart', async () => {
    const { network, alice, bob } = await aliceAndBob();
    await alice.phone.sendText(BOB, 'before');
    await network.settle();
    const again = bob.restart();
    await again.start();
    await alice.phone.sendText(BOB, 'after');
    await network.settle();
    expect(bodies(again)).toEqual(['before', 'after']);
    await again.sendText(ALICE, 'answer');
    await network.settle();
    expect(bodies(alice.phone)).toEqual(['answer']);
    expect(encTypes(network, ALICE)).toEqual(['msg']);
  });

  it('say so when a number is not on WhatsApp, and keep the failed message', async () => {
    const { alice } = await aliceAndBob();
    await expect(alice.phone.sendText('15559999999@s.whatsapp.net', 'anyone?')).rejects.toThrow(
      'is not on this WhatsApp',
    );
    expect(shown(alice.phone, true)).toMatchObject([{ status: 'failed', content: { body: 'anyone?' } }]);
  });

  it('echo texts when told to, quoting them, and do not echo answers to their own', async () => {
    const { network, alice, bob } = await aliceAndBob({ replyEcho: true });
    alice.settings.replyEcho = true;
    const { messageId } = await alice.phone.sendText(BOB, 'ping');
    await network.settle();
    expect(shown(alice.phone)).toMatchObject([
      { from: BOB, content: { body: 'ping', fields: { quoted_message_id: messageId } } },
    ]);
    expect(shown(bob.phone)).toHaveLength(1);
  });
});

describe('what phones send besides text', () => {
  const kind = (type: string) => {
    const found = KINDS.find((candidate) => candidate.type === type);
    if (!found) throw new Error(`no kind ${type}`);
    return found;
  };
  const only = (phone: Phone) => shown(phone)[0];

  it('arrives with everything that was put in', async () => {
    const cases: [Record<string, unknown> & { type: string }, object][] = [
      [
        { type: 'location', lat: 19.43, lng: -99.13, name: 'Zócalo', address: 'Plaza' },
        { lat: 19.43, lng: -99.13, name: 'Zócalo' },
      ],
      [
        { type: 'contact', name: 'Carol', phone: '15550003333' },
        { name: 'Carol', vcard: expect.stringContaining('waid=15550003333') },
      ],
      [
        { type: 'poll', question: 'Colour?', options: ['Red', 'Blue'], max_answers: 1 },
        { options: ['Red', 'Blue'], max_answers: 1 },
      ],
      [
        { type: 'event', name: 'Sync', start_time: 1777334400, end_time: 1777338000, location: 'Office' },
        { name: 'Sync', start_time: 1777334400, end_time: 1777338000, location: 'Office' },
      ],
    ];
    for (const [body, fields] of cases) {
      const { network, alice, bob } = await aliceAndBob();
      await alice.phone.send(BOB, kind(body.type), new Input(body));
      await network.settle();
      expect(only(bob.phone)?.content).toMatchObject({ type: body.type, fields });
    }
  });

  it('refuses input that WhatsApp could not carry, by field', () => {
    const context = {
      random: () => new Uint8Array(32),
      nowMs: () => 0,
      contextInfo: undefined,
      upload: async () => ({ directPath: '', url: '' }),
      callLink: async () => '',
    };
    const cases: [string, object, string][] = [
      ['location', { lat: 91, lng: 0 }, 'lat: '],
      ['contact', { name: 'x', phone: 'y' }, 'phone: '],
      ['poll', { question: 'x', options: ['a'] }, 'options: '],
      ['poll', { question: 'x', options: ['a', 'a'] }, 'options: must be distinct'],
      ['poll', { question: 'x', options: ['a', 'b'], max_answers: 3 }, 'max_answers: '],
      ['event', { name: 'x', start_time: 5, end_time: 4 }, 'end_time: '],
      ['event', { name: 'x', start_time: 5, call: 'fax' }, 'call: '],
    ];
    for (const [type, body, message] of cases) {
      expect(() => kind(type).build(new Input(body), context)).toThrow(message);
    }
  });

  it('quotes and mentions', async () => {
    const { network, alice, bob } = await aliceAndBob();
    const { messageId } = await alice.phone.sendText(BOB, 'question');
    await network.settle();
    await bob.phone.sendText(ALICE, 'answer', { quotedMessageId: messageId, mentions: [ALICE], isForwarded: true });
    await network.settle();
    expect(only(alice.phone)?.content).toEqual({
      type: 'text',
      body: 'answer',
      fields: { quoted_message_id: messageId, mentions: ['90015550001111@lid'], forwarded: true },
    });
    await expect(bob.phone.sendText(ALICE, 'x', { quotedMessageId: '3A00' })).rejects.toThrow('no message 3A00');
  });

  it('reacts, replaces the reaction and takes it back', async () => {
    const { network, alice, bob } = await aliceAndBob();
    const { messageId } = await alice.phone.sendText(BOB, 'hello');
    await network.settle();
    for (const emoji of ['👍', '🎉', '']) {
      await bob.phone.change(ALICE, messageId, CHANGES.reaction, new Input({ emoji }));
      await network.settle();
      const expected = emoji === '' ? [] : [{ from: BOB, emoji }];
      expect(alice.phone.inbox.find(BOB, messageId)?.reactions).toEqual(expected);
      expect(only(bob.phone)?.reactions).toEqual(expected);
    }
    expect(shown(alice.phone)).toEqual([]);
  });

  it('edits and deletes own messages, and nobody can do that to the messages of others', async () => {
    const { network, alice, bob } = await aliceAndBob();
    const { messageId } = await alice.phone.sendText(BOB, 'helo');
    await network.settle();
    await alice.phone.change(BOB, messageId, CHANGES.edit, new Input({ body: 'hello' }));
    await network.settle();
    expect(only(bob.phone)).toMatchObject({ isEdited: true, content: { body: 'hello' } });
    expect(alice.phone.inbox.find(BOB, messageId)).toMatchObject({ isEdited: true, content: { body: 'hello' } });
    for (const change of [CHANGES.edit, CHANGES.revoke]) {
      await expect(bob.phone.change(ALICE, messageId, change, new Input({ body: 'x' }))).rejects.toThrow(
        'message_id: ',
      );
    }
    await alice.phone.change(BOB, messageId, CHANGES.revoke, new Input({}));
    await network.settle();
    expect(only(bob.phone)).toMatchObject({ isRevoked: true, content: { type: 'text' } });
    expect(only(bob.phone)?.content.body).toBeUndefined();
  });

  it('ignores an edit and a revocation of a message that somebody else wrote', () => {
    const bob = new TinyNetwork().phone('15550002222', 'Bob');
    const about = { messageId: '3A01', chat: ALICE, from: ALICE, fromMe: false, timestamp: 1 };
    const content = { type: 'text', body: 'mine' };
    const { inbox } = bob.phone;
    inbox.record({
      ...newEntry({ ...about, content, message: { conversation: 'mine' } }),
      isOwnSend: false,
      senderJid: ALICE,
      status: 'received',
    });
    const envelope = {
      messageId: '3A02',
      chat: ALICE,
      chatJid: ALICE,
      from: '15550009999@s.whatsapp.net',
      device: '15550009999@s.whatsapp.net',
      isFromMe: false,
      isPeer: false,
      timestamp: 2,
      pushName: undefined,
      edit: undefined,
    };
    const own = { jid: BOB, lid: '90015550002222@lid' };
    const book = new AddressBook(memoryStore());
    const key = { id: '3A01' };
    applyChange({ protocolMessage: { type: 14, key, editedMessage: { conversation: 'forged' } } }, envelope, {
      inbox,
      own,
      book,
    });
    applyChange({ protocolMessage: { type: 0, key } }, envelope, { inbox, own, book });
    expect(inbox.find(ALICE, '3A01')).toMatchObject({ content: { body: 'mine' }, isEdited: false, isRevoked: false });
  });

  it('votes, changes the vote and takes it back, readable on both phones only through the secret of the poll', async () => {
    const { network, alice, bob } = await aliceAndBob();
    const poll = { question: 'Colour?', options: ['Red', 'Green', 'Blue'], max_answers: 2 };
    const { messageId } = await alice.phone.send(BOB, kind('poll'), new Input(poll));
    await network.settle();
    const votes = () => [alice.phone.inbox.find(BOB, messageId)?.votes, only(bob.phone)?.votes];
    for (const options of [['Red', 'Blue'], ['Green'], []]) {
      await bob.phone.change(ALICE, messageId, CHANGES.vote, new Input({ options }));
      await network.settle();
      const expected = options.length === 0 ? [] : [{ from: BOB, options }];
      expect(votes()).toEqual([expected, expected]);
    }
    await alice.phone.change(BOB, messageId, CHANGES.vote, new Input({ options: ['Blue'] }));
    await network.settle();
    expect(votes()).toEqual([[{ from: ALICE, options: ['Blue'] }], [{ from: ALICE, options: ['Blue'] }]]);
    const tooMany = new Input({ options: ['Red', 'Green', 'Blue'] });
    await expect(bob.phone.change(ALICE, messageId, CHANGES.vote, tooMany)).rejects.toThrow('options: ');
    await expect(bob.phone.change(ALICE, messageId, CHANGES.vote, new Input({ options: ['Pink'] }))).rejects.toThrow(
      'Pink',
    );
  });

  it('answers an event', async () => {
    const { network, alice, bob } = await aliceAndBob();
    const event = { name: 'Sync', start_time: 1777334400 };
    const { messageId } = await alice.phone.send(BOB, kind('event'), new Input(event));
    await network.settle();
    for (const response of ['going', 'maybe'] as const) {
      await bob.phone.change(ALICE, messageId, CHANGES.rsvp, new Input({ response, extra_guest_count: 2 }));
      await network.settle();
      const expected = [{ from: BOB, response, extraGuestCount: 2 }];
      expect(alice.phone.inbox.find(BOB, messageId)?.answers).toEqual(expected);
    }
    const text = await alice.phone.sendText(BOB, 'no event');
    await expect(
      alice.phone.change(BOB, text.messageId, CHANGES.rsvp, new Input({ response: 'going' })),
    ).rejects.toThrow('event_id: ');
  });
});

describe('linking a companion', () => {
  const random = (length: number) => Uint8Array.from(randomBytes(length));
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

  async function scanned(prefix = 'https://wa.me/settings/linked_devices#', suffix = ',1') {
    const { alice } = await aliceAndBob();
    const noise = generateKeyPair(random);
    const companion = generateKeyPair(random);
    const secret = random(32);
    const keys = [noise.publicKey, companion.publicKey, secret].map(base64).join(',');
    const offer = alice.phone.linkDevice(`${prefix}2@ref,${keys}${suffix}`);
    const hmac = proto.ADVSignedDeviceIdentityHMAC.decode(offer.deviceIdentityHmac);
    const signed = proto.ADVSignedDeviceIdentity.decode(hmac.details ?? new Uint8Array());
    const { details = null, accountSignatureKey = null, accountSignature = null } = signed;
    if (!details || !accountSignatureKey || !accountSignature) throw new Error('the offer is not complete');
    const answer = (signer = companion, about = details) =>
      proto.ADVSignedDeviceIdentity.encode({
        details: about,
        accountSignature,
        deviceSignature: sign(
          signer.privateKey,
          concat(Uint8Array.of(6, 1), about, companion.publicKey, accountSignatureKey),
          random,
        ),
      }).finish();
    return {
      phone: alice.phone,
      offer,
      noise,
      companion,
      secret,
      hmac,
      details,
      accountSignatureKey,
      accountSignature,
      answer,
    };
  }

  it('signs the companion and proves that it saw the QR code, in the new and the old form of the code', async () => {
    for (const form of [undefined, ['', '']] as const) {
      const { offer, noise, companion, secret, hmac, details, accountSignatureKey, accountSignature } = form
        ? await scanned(...form)
        : await scanned();
      expect(offer).toMatchObject({ ref: '2@ref', keyIndex: 1 });
      expect(offer.companionNoiseKey).toEqual(noise.publicKey);
      expect(offer.companionIdentityKey).toEqual(companion.publicKey);
      expect(Buffer.from(hmac.hmac ?? [])).toEqual(Buffer.from(hmacSha256(secret, hmac.details ?? new Uint8Array())));
      const signed = concat(Uint8Array.of(6, 0), details, companion.publicKey);
      expect(verify(accountSignatureKey, signed, accountSignature)).toBe(true);
      expect(proto.ADVDeviceIdentity.decode(details).keyIndex).toBe(1);
    }
  });

  it("takes the companion's answer once, and only with its own signature over what was offered", async () => {
    const { phone, companion, answer, details } = await scanned();
    expect(() => phone.confirmLink('2@ref', answer(generateKeyPair(random)))).toThrow('device signature');
    expect(() => phone.confirmLink('2@ref', answer(companion, concat(details, Uint8Array.of(8, 1))))).toThrow(
      'another device',
    );
    expect(() => phone.confirmLink('2@ref', Uint8Array.of(255, 255))).toThrow('no device identity');
    expect(() => phone.confirmLink('2@other', answer())).toThrow('no open link');
    const link = phone.confirmLink('2@ref', answer());
    expect(link).toMatchObject({ keyIndex: 1 });
    expect(proto.ADVSignedDeviceIdentity.decode(link.signedIdentity).deviceSignature).toHaveLength(64);
    expect(() => phone.confirmLink('2@ref', answer())).toThrow('no open link');
  });

  it('refuses texts that are no pairing code', async () => {
    const { alice } = await aliceAndBob();
    for (const qr of ['', 'hello', '2@ref,AAAA,AAAA,AAAA', 'https://wa.me/15550001111']) {
      expect(() => alice.phone.linkDevice(qr)).toThrow('qr: ');
    }
  });
});
