import { once } from 'node:events';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../../engine/src/conformance/until.ts';
import { frame, WA_HEADER } from '../src/wire/frames.ts';
import { ALICE, BOB, bodies, Fixture, pnJid, TENANT } from './fixture.ts';

const hostileStarts: [string, Uint8Array][] = [
  ['plain text', Buffer.from('hello?')],
  ['a frame of 16 MiB', Buffer.concat([WA_HEADER, Buffer.of(0xff, 0xff, 0xff)])],
  ['a handshake that is none', Buffer.concat([WA_HEADER, frame(Buffer.from('not a protobuf'))])],
  ['an ephemeral key of the wrong size', Buffer.concat([WA_HEADER, frame(Buffer.of(0x12, 3, 0x0a, 1, 9))])],
  [
    'a low-order ephemeral key',
    Buffer.concat([WA_HEADER, frame(Buffer.concat([Buffer.of(0x12, 34, 0x0a, 32), Buffer.alloc(32)]))]),
  ],
];

test.each(hostileStarts)('a connection that starts with %s is cut, and nobody else notices', async (_name, bytes) => {
  const net = await Fixture.open();
  const ws = new WebSocket(net.simulator.wsUrl(TENANT, 'line_x'));
  await once(ws, 'open');
  const closed = once(ws, 'close');
  ws.send(bytes);
  await closed;
  expect(net.world.wire(TENANT, 'line_x', 0).at(-1)?.tag).toBe('closed');
});

test('a line that sends garbage after its login loses its own connection only', async () => {
  const net = await Fixture.open();
  const a = await net.linked('line_a', ALICE);
  const b = await net.linked('line_b', BOB);
  await a.sock?.sendRawMessage(Buffer.from([0, 248, 200, 1, 2, 3]));
  await a.until('the cut', () => a.closes.at(-1) === 428);
  expect(net.world.wire(TENANT, 'line_a', 0).at(-1)?.note).toContain('CodecError');
  const alice = await net.phone(ALICE);
  await b.sendText(pnJid(ALICE), 'still here');
  await until('the text', () => bodies(alice).includes('still here'));
});

test('an upgrade at any other address is answered 404', async () => {
  const net = await Fixture.open();
  for (const path of ['/ws/chat', '/t/te st/ws/chat', '/t/test/ws/chat?line=a%00b']) {
    const ws = new WebSocket(`ws://127.0.0.1:${net.simulator.port}${path}`);
    const [error] = await once(ws, 'error');
    expect(String(error)).toContain('404');
  }
});

test('what nobody knows how to answer is answered 501 and marked in the log', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const query = line.sock?.query({
    tag: 'iq',
    attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'w:unheard' },
    content: [{ tag: 'of', attrs: {} }],
  });
  await expect(query).rejects.toMatchObject({ data: 501 });
  const logged = net.world.wire(TENANT, 'line_a', 0).find((entry) => entry.attrs.xmlns === 'w:unheard');
  expect(logged).toMatchObject({ direction: 'in', tag: 'iq', children: ['of'], note: 'unsupported' });
});

test('the log of a line holds what crossed its wire and nothing that was written', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  const id = await line.sendText(pnJid(BOB), 'a secret of the two');
  await line.ack(id);
  await until('the text', () => bodies(bob).includes('a secret of the two'));
  const log = net.world.wire(TENANT, 'line_a', 0);
  expect(log.find((entry) => entry.tag === 'message' && entry.attrs.id === id)).toMatchObject({ direction: 'in' });
  expect(JSON.stringify(log)).not.toContain('a secret of the two');
  const last = log.at(-1)?.seq ?? 0;
  expect(net.world.wire(TENANT, 'line_a', last)).toEqual([]);
});
