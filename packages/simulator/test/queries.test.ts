import { child, children, childrenOf, type Node as Stanza, text } from '@ponte/engine';
import { expect, test } from 'vitest';
import { until } from '../../engine/src/conformance/until.ts';
import type { BaileysLine } from './baileys-line.ts';
import { ALICE, BOB, Fixture, pnJid, TENANT } from './fixture.ts';

type Query = NonNullable<BaileysLine['sock']>['query'];

async function ask(line: BaileysLine, xmlns: string, type: 'get' | 'set', content: Stanza[]): Promise<Stanza> {
  const iq = { tag: 'iq', attrs: { to: '@s.whatsapp.net', xmlns, type }, content };
  const answer: unknown = await line.sock?.query(iq as Parameters<Query>[0]);
  return answer as Stanza;
}

const el = (tag: string, attrs: Record<string, string> = {}, content?: Stanza['content']): Stanza => ({
  tag,
  attrs,
  content,
});

function usync(protocols: string[], users: Stanza[]): Stanza[] {
  const attrs = { sid: '1', mode: 'query', last: 'true', index: '0', context: 'interactive' };
  return [
    el('usync', attrs, [
      el(
        'query',
        {},
        protocols.map((tag) => el(tag)),
      ),
      el('list', {}, users),
    ]),
  ];
}

const usersOf = (answer: Stanza): Stanza[] => childrenOf(child(child(answer, 'usync'), 'list'), 'user');

test('usync tells who is on this network, with LID, devices, about and business', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB, { isBusiness: true, about: 'At the shop' });
  await net.linked('line_b', BOB);
  const answer = await ask(
    line,
    'usync',
    'get',
    usync(
      ['contact', 'lid', 'devices', 'status', 'business', 'disappearing_mode'],
      [el('user', {}, [el('contact', {}, `+${BOB}`)]), el('user', {}, [el('contact', {}, '+1 555 999 9999')])],
    ),
  );
  const [known, unknown] = usersOf(answer);
  expect(known?.attrs.jid).toBe(pnJid(BOB));
  expect(child(known, 'contact')?.attrs.type).toBe('in');
  expect(text(child(known, 'contact'))).toBe(`+${BOB}`);
  expect(child(known, 'lid')?.attrs.val).toBe(bob.lid);
  const devices = childrenOf(child(child(known, 'devices'), 'device-list'), 'device').map((device) => device.attrs);
  expect(devices).toEqual([{ id: '0' }, { id: '1', 'key-index': '1' }]);
  expect(text(child(known, 'status'))).toBe('At the shop');
  expect(child(child(known, 'business'), 'verified_name')).toBeDefined();
  expect(unknown?.attrs.jid).toBe(pnJid('15559999999'));
  expect(child(unknown, 'contact')?.attrs.type).toBe('out');
  expect(child(unknown, 'lid')).toBeUndefined();
});

test('a protocol of usync that is not there is an error of its own, not of the query', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const answer = await ask(
    line,
    'usync',
    'get',
    usync(['contact', 'bot'], [el('user', {}, [el('contact', {}, `+${ALICE}`)])]),
  );
  const result = child(child(answer, 'usync'), 'result');
  expect(child(child(result, 'bot'), 'error')?.attrs.code).toBe('501');
  expect(usersOf(answer)).toHaveLength(1);
});

test('keys are handed out by PN and by LID, each one-time key once, and a missing device says so', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  const keysOf = async (jid: string): Promise<Stanza | undefined> => {
    const answer = await ask(line, 'encrypt', 'get', [el('key', {}, [el('user', { jid })])]);
    return children(child(answer, 'list'))[0];
  };
  const byPn = await keysOf(pnJid(BOB));
  const byLid = await keysOf(bob.lid);
  expect([byPn?.attrs.jid, byLid?.attrs.jid]).toEqual([pnJid(BOB), bob.lid]);
  expect(child(byLid, 'identity')?.content).toEqual(child(byPn, 'identity')?.content);
  const ids = [byPn, byLid].map((user) => Buffer.from(idOf(child(user, 'key'))).toString('hex'));
  expect(new Set(ids).size).toBe(2);
  const own = await keysOf(line.auth.creds.me?.id ?? '');
  expect(child(own, 'device-identity')?.content).toBeInstanceOf(Uint8Array);
  const missing = await keysOf(`${BOB}:7@s.whatsapp.net`);
  expect(child(missing, 'error')?.attrs.code).toBe('404');
});

test('a device whose one-time keys run low is asked for more, and uploads them', async () => {
  const net = await Fixture.open();
  const a = await net.linked('line_a', ALICE);
  const b = await net.linked('line_b', BOB);
  const { preKeys } = net.world.network(TENANT).tenant;
  while (preKeys.count(BOB, 1) > 5) preKeys.take(BOB, 1);
  await ask(a, 'encrypt', 'get', [el('key', {}, [el('user', { jid: b.auth.creds.me?.id ?? '' })])]);
  const asked = await b.until('the notification', () =>
    b.stanzas.find((n) => n.tag === 'notification' && n.attrs.type === 'encrypt'),
  );
  expect(asked.attrs.from).toBe('@s.whatsapp.net');
  await until('the upload', () => preKeys.count(BOB, 1) >= 9);
});

test('settings are kept: privacy, blocking', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  await line.sock?.updateReadReceiptsPrivacy('none');
  expect((await line.sock?.fetchPrivacySettings(true))?.readreceipts).toBe('none');
  await ask(line, 'blocklist', 'set', [el('item', { action: 'block', jid: bob.lid })]);
  expect(await line.sock?.fetchBlocklist()).toEqual([bob.lid]);
  await bob.sendText(pnJid(ALICE), 'not wanted');
  expect(net.world.network(TENANT).tenant.queue.counts(ALICE, 1)).toEqual({});
  await ask(line, 'blocklist', 'set', [el('item', { action: 'unblock', jid: bob.lid })]);
  await bob.sendText(pnJid(ALICE), 'wanted');
  await line.text('wanted');
  expect(line.received.map((m) => m.message?.conversation)).toEqual(['wanted']);
});

test('presence and typing reach only a line that shows itself as available', async () => {
  const net = await Fixture.open();
  const a = await net.linked('line_a', ALICE, { markOnline: true });
  const b = await net.linked('line_b', BOB, { markOnline: false });
  for (const line of [a, b])
    line.auth.creds.me = { ...line.auth.creds.me, id: line.auth.creds.me?.id ?? '', name: 'Line' };
  await a.sock?.sendPresenceUpdate('available');
  await a.sock?.presenceSubscribe(pnJid(BOB));
  await a.until('a first presence', () => a.stanzas.find((n) => n.tag === 'presence'));
  await b.sock?.sendPresenceUpdate('composing', pnJid(ALICE));
  const typing = await a.until('typing', () => a.stanzas.find((n) => n.tag === 'chatstate'));
  expect(typing.attrs.from).toBe(pnJid(BOB));
  await a.sock?.sendPresenceUpdate('recording', pnJid(BOB));
  await a.ack(await a.sendText(pnJid(BOB), 'after typing'));
  await b.text('after typing');
  expect(b.stanzas.some((n) => n.tag === 'chatstate')).toBe(false);
});

test('a full mailbox refuses the next message instead of losing one', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  await net.phone(BOB);
  await net.world.updateSettings(TENANT, BOB, { online: false });
  const { tenant } = net.world.network(TENANT);
  tenant.db.transaction(() => {
    for (let i = 0; i < 20_000; i++) tenant.queue.add(BOB, 0, 'message', ALICE, el('message', { id: `X${i}` }));
  })();
  const id = await line.sendText(pnJid(BOB), 'one too many');
  expect((await line.ack(id)).error).toBe('503');
  expect(tenant.queue.counts(BOB, 0)).toEqual({ message: 20_000 });
});

function idOf(key: Stanza | undefined): Uint8Array {
  const content = child(key, 'id')?.content;
  return content instanceof Uint8Array ? content : new Uint8Array();
}
