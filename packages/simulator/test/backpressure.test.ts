import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { until } from '../../engine/src/conformance/until.ts';
import { generateKeyPair } from '../src/signal/curve.ts';
import { ALICE, BOB, Fixture, pnJid, TENANT } from './fixture.ts';
import { RawClient } from './raw-client.ts';

const MESSAGE_BYTES = 100_000;
const MESSAGES = 60;

test('what a line does not read stays in its mailbox, not in memory, and comes when it reads again', async () => {
  const net = await Fixture.open();
  const { tenant } = net.world.network(TENANT);
  for (const phone of [ALICE, BOB]) await net.phone(phone);
  const reader = await rawLine(net, ALICE, 'line_slow');
  const writer = await rawLine(net, BOB, 'line_fast');
  reader.ws.pause();
  let acks = 0;
  writer.onStanza = (node) => {
    if (node.tag === 'ack' && node.attrs.error === undefined) acks += 1;
  };
  for (let i = 0; i < MESSAGES; i++) writer.send(message(`M${i}`));
  await until('every ack', () => acks === MESSAGES);
  expect(tenant.queue.counts(ALICE, 1)).toEqual({ message: MESSAGES });
  expect(net.world.session(TENANT, 'line_slow')?.isCongested).toBe(true);
  const sent = net.world.wire(TENANT, 'line_slow', 0).filter((entry) => entry.tag === 'message');
  expect(sent.length).toBeLessThan(MESSAGES);
  reader.ws.resume();
  const arrived = () => reader.received.filter((node) => node.tag === 'message').map((node) => node.attrs.id);
  await until('all messages', () => arrived().length === MESSAGES);
  expect(arrived()).toEqual(Array.from({ length: MESSAGES }, (_, i) => `M${i}`));
  for (const client of [reader, writer]) client.ws.terminate();
});

async function rawLine(net: Fixture, phone: string, line: string): Promise<RawClient> {
  const { accounts } = net.world.network(TENANT).tenant;
  const noiseKey = generateKeyPair((length) => randomBytes(length));
  accounts.saveDevice({
    pn: phone,
    id: 1,
    lineId: line,
    noiseKey: noiseKey.publicKey,
    identity: randomBytes(32),
    registrationId: 1,
    signedPreKey: { id: 1, key: randomBytes(32), signature: randomBytes(64) },
    keyIndex: 1,
    advIdentity: randomBytes(8),
    platform: 'raw',
    linkedAt: 1,
  });
  const payload = { username: Number(phone), device: 1, passive: false };
  const client = await RawClient.connect(net.simulator.wsUrl(TENANT, line), payload, noiseKey);
  await until('the end of the offline phase', () => client.received.some((node) => node.tag === 'ib'));
  return client;
}

function message(id: string) {
  const enc = { tag: 'enc', attrs: { v: '2', type: 'msg' }, content: randomBytes(MESSAGE_BYTES) };
  const to = { tag: 'to', attrs: { jid: `${ALICE}:1@s.whatsapp.net` }, content: [enc] };
  return {
    tag: 'message',
    attrs: { id, to: pnJid(ALICE), type: 'text' },
    content: [{ tag: 'participants', attrs: {}, content: [to] }],
  };
}
