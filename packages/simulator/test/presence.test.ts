import { child, type Node as Stanza } from '@ponte/engine';
import { expect, test } from 'vitest';
import { until } from '../../engine/src/conformance/until.ts';
import { SystemClock } from '../src/world/clock.ts';
import { SUBSCRIPTION_MS } from '../src/world/presence.ts';
import { ask, stanza } from './ask.ts';
import type { BaileysLine } from './baileys-line.ts';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, bodies, Fixture, pnJid, TENANT } from './fixture.ts';

/** A line that shows itself as available: only then it is told of others. */
async function available(net: Fixture, id: string, phone: string): Promise<BaileysLine> {
  const line = await net.linked(id, phone, { markOnline: true });
  if (line.auth.creds.me) line.auth.creds.me.name = 'Line';
  await line.sock?.sendPresenceUpdate('available');
  await until('the presence', () =>
    net.world.wire(TENANT, id, 0).some(({ tag, attrs }) => tag === 'presence' && attrs.type === 'available'),
  );
  return line;
}

const presences = (line: BaileysLine): Record<string, string>[] =>
  line.stanzas.filter(({ tag }) => tag === 'presence').map(({ attrs }) => attrs);

const next = (line: BaileysLine, count: number): Promise<Record<string, string> | undefined> =>
  line.until(`presence ${count}`, () => presences(line)[count - 1]);

test('a subscription tells what the other side does, for a day and as long as the connection lasts', async () => {
  const clock = new SystemClock();
  const net = await Fixture.open({ clock });
  const call = controlOf(net);
  await net.phone(BOB);
  const line = await available(net, 'line_a', ALICE);
  await line.sock?.presenceSubscribe(pnJid(BOB));
  expect(await next(line, 1)).toMatchObject({ from: pnJid(BOB) });
  await call(`POST /phones/${BOB}/presence`, { state: 'unavailable' });
  const away = await next(line, 2);
  expect(away).toMatchObject({ type: 'unavailable', last: expect.stringMatching(/^\d+$/) });
  await call(`POST /phones/${BOB}/presence`, { state: 'available' });
  expect((await next(line, 3))?.type).toBeUndefined();
  clock.advance(SUBSCRIPTION_MS + 1);
  await call(`POST /phones/${BOB}/presence`, { state: 'unavailable' });
  await line.sock?.presenceSubscribe(pnJid(BOB));
  expect((await next(line, 4))?.type).toBe('unavailable');
  expect(presences(line)).toHaveLength(4);
  await net.close();
  clock.close();
});

test('who hides it tells no time, or nothing at all; a token opens what contacts may see', async () => {
  const net = await Fixture.open();
  const call = controlOf(net);
  await net.phone(BOB);
  const line = await available(net, 'line_a', ALICE);
  await call(`POST /phones/${BOB}/presence`, { state: 'unavailable' });
  await call(`PUT /phones/${BOB}/privacy`, { last_seen: 'contacts' });
  await line.sock?.presenceSubscribe(pnJid(BOB));
  expect(await next(line, 1)).toMatchObject({ type: 'unavailable', last: 'deny' });
  const bobs = await net.linked('line_b', BOB);
  const t = String(Math.floor(Date.now() / 1000));
  const token = stanza('token', { jid: pnJid(ALICE), t, type: 'trusted_contact' });
  await ask(bobs, 'privacy', 'set', [stanza('tokens', {}, [token])]);
  await line.until('the token', () => line.stanzas.find(({ attrs }) => attrs.type === 'privacy_token'));
  await until('the time', () => {
    void line.sock?.presenceSubscribe(pnJid(BOB));
    return presences(line).some(({ last }) => last !== undefined && last !== 'deny');
  });
  // Everything that was sent before an ack has arrived before it.
  await line.ack(await line.sendText(pnJid(BOB), 'one'));
  const before = presences(line).length;
  await call(`PUT /phones/${BOB}/privacy`, { last_seen: 'none', online: 'match_last_seen' });
  await line.sock?.presenceSubscribe(pnJid(BOB));
  await call(`POST /phones/${BOB}/presence`, { state: 'available' });
  await line.ack(await line.sendText(pnJid(BOB), 'two'));
  expect(presences(line)).toHaveLength(before);
});

test('a phone that comes back with other keys is announced to those who knew it, and messages go on', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  await bob.sendText(pnJid(ALICE), 'from the old phone');
  await line.text('from the old phone');
  await line.ack(await line.sendText(pnJid(BOB), 'to the old phone'));
  await until('the text', () => bodies(bob).includes('to the old phone'));
  await net.world.deletePhone(TENANT, BOB);
  const fresh = await net.phone(BOB);
  const told = await line.until('the identity', () =>
    (line.stanzas as Stanza[]).find((n) => n.attrs.type === 'encrypt' && child(n, 'identity')),
  );
  expect(told.attrs).toMatchObject({ from: pnJid(BOB), lid: fresh.lid });
  await fresh.sendText(pnJid(ALICE), 'from the new phone');
  await line.text('from the new phone');
  await line.sendText(pnJid(BOB), 'to the new phone');
  await until('the text', () => bodies(fresh).includes('to the new phone'));
});
