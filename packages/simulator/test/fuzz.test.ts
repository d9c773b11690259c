import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Node } from '@ponte/engine';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { until } from '../../engine/src/conformance/until.ts';
import { encodeStanza } from '../src/wire/codec.ts';
import { frame, WA_HEADER } from '../src/wire/frames.ts';
import { createRng, type Rng } from '../src/world/rng.ts';
import { ALICE, BOB, bodies, Fixture, pnJid } from './fixture.ts';
import { RawClient } from './raw-client.ts';
import { type RawLine, seedLine } from './raw-lines.ts';

const FRAMES = 10_000;
const BEFORE_LOGIN = 1_000;
const FUZZED = '15550009999';
const OTHER = '15550009998';
const TENANT = 'test';

const el = (tag: string, attrs: Record<string, string> = {}, content?: Node['content']): Node => ({
  tag,
  attrs,
  content,
});

const iq = (xmlns: string, type: string, ...content: Node[]): Node =>
  el('iq', { id: 'A1', to: '@s.whatsapp.net', type, xmlns }, content);

/** One of everything that a client says, so that mutations reach every handler. */
const CORPUS: Node[] = [
  iq(
    'usync',
    'get',
    el('usync', { sid: '1', mode: 'query', last: 'true', index: '0', context: 'message' }, [
      el('query', {}, [
        el('devices', { version: '2' }),
        el('lid'),
        el('contact'),
        el('status'),
        el('picture'),
        el('business'),
      ]),
      el('list', {}, [el('user', { jid: `${OTHER}@s.whatsapp.net` }, [el('contact', {}, `+${OTHER}`)])]),
    ]),
  ),
  iq('encrypt', 'get', el('key', {}, [el('user', { jid: `${OTHER}@s.whatsapp.net` })])),
  iq(
    'encrypt',
    'set',
    el('registration', {}, randomBytes(4)),
    el('type', {}, randomBytes(1)),
    el('identity', {}, randomBytes(32)),
  ),
  iq('encrypt', 'get', el('digest')),
  iq('privacy', 'set', el('privacy', {}, [el('category', { name: 'last', value: 'none' })])),
  iq(
    'privacy',
    'set',
    el('tokens', {}, [el('token', { jid: `${OTHER}@s.whatsapp.net`, t: '1', type: 'trusted_contact' })]),
  ),
  iq('blocklist', 'set', el('item', { action: 'block', jid: `${OTHER}@s.whatsapp.net` })),
  iq('w:profile:picture', 'set', el('picture', { type: 'image' }, randomBytes(40))),
  iq('w:profile:picture', 'get', el('picture', { type: 'image', query: 'url' })),
  iq('status', 'set', el('status', {}, 'about')),
  iq(
    'status',
    'set',
    el('privacy', {}, [el('list', { type: 'whitelist' }, [el('user', { jid: `${OTHER}@s.whatsapp.net` })])]),
  ),
  iq('w:mex', 'get', el('query', { query_id: '9152604461510864' }, '{"variables":{"input":{"text":"x"}}}')),
  iq('w:qr', 'set', el('qr', { type: 'contact', action: 'get' })),
  iq('w:biz', 'get', el('business_profile', { v: '244' }, [el('profile', { jid: `${OTHER}@s.whatsapp.net` })])),
  iq('w:m', 'set', el('media_conn')),
  iq(
    'w:g2',
    'set',
    el('create', { subject: 'Group', key: '1' }, [el('participant', { jid: `${OTHER}@s.whatsapp.net` })]),
  ),
  iq('w:g2', 'get', el('participating', {}, [el('participants'), el('description')])),
  iq(
    'w:sync:app:state',
    'set',
    el('sync', {}, [el('collection', { name: 'regular', version: '0', return_snapshot: 'true' })]),
  ),
  iq('md', 'set', el('link_code_companion_reg', { stage: 'companion_hello', jid: `${OTHER}@s.whatsapp.net` })),
  iq('passive', 'set', el('active')),
  el('message', { id: 'M1', to: `${OTHER}@s.whatsapp.net`, type: 'text', phash: '2:abcdef' }, [
    el('participants', {}, [
      el('to', { jid: `${OTHER}@s.whatsapp.net` }, [el('enc', { v: '2', type: 'pkmsg' }, randomBytes(80))]),
    ]),
    el('device-identity', {}, randomBytes(60)),
  ]),
  el('message', { id: 'M2', to: '120363000000000001@g.us', type: 'text' }, [
    el('enc', { v: '2', type: 'skmsg' }, randomBytes(80)),
  ]),
  el('receipt', { id: 'M1', to: `${OTHER}@s.whatsapp.net`, type: 'read' }, [
    el('list', {}, [el('item', { id: 'M3' })]),
  ]),
  el('receipt', { id: 'M1', to: `${OTHER}@s.whatsapp.net`, type: 'retry' }, [
    el('retry', { count: '1', id: 'M1', t: '1', v: '1' }),
    el('registration', {}, randomBytes(4)),
  ]),
  el('receipt', { id: 'M1', to: `${FUZZED}@s.whatsapp.net`, type: 'server-error' }, [
    el('rmr', { jid: `${OTHER}@s.whatsapp.net` }),
  ]),
  el('ack', { id: 'M1', class: 'message', to: `${OTHER}@s.whatsapp.net` }),
  el('call', { id: 'C1', to: `${OTHER}@s.whatsapp.net` }, [
    el('offer', { 'call-id': 'X', 'call-creator': `${FUZZED}@s.whatsapp.net` }),
  ]),
  el('presence', { type: 'subscribe', to: `${OTHER}@s.whatsapp.net` }, [el('tctoken', {}, randomBytes(8))]),
  el('presence', { type: 'available', name: 'Fuzz' }),
  el('chatstate', { to: `${OTHER}@s.whatsapp.net` }, [el('composing', { media: 'audio' })]),
  el('ib', {}, [el('offline_batch', { count: '100' })]),
  el('notification', { id: 'N1', to: `${FUZZED}:1@s.whatsapp.net`, type: 'mediaretry' }),
];

const pick = <T>(rng: Rng, from: readonly T[]): T => from[rng.int(from.length)] as T;

/** Flips, cuts, doubles and inserts bytes. */
function mutatedBytes(rng: Rng, bytes: Uint8Array): Uint8Array {
  let out = Buffer.from(bytes);
  for (let n = 1 + rng.int(4); n > 0; n--) {
    const at = rng.int(out.length + 1);
    const kind = rng.int(5);
    if (kind === 0 && at < out.length) out[at] = rng.int(256);
    else if (kind === 1) out = out.subarray(0, at);
    else if (kind === 2) out = Buffer.concat([out.subarray(0, at), rng.bytes(1 + rng.int(8)), out.subarray(at)]);
    else if (kind === 3) out = Buffer.concat([out, out.subarray(at)]);
    else out = Buffer.concat([out.subarray(0, at), out.subarray(Math.min(out.length, at + 1 + rng.int(4)))]);
  }
  return out;
}

const ODD_VALUES = [
  '',
  '0',
  '-1',
  '9'.repeat(30),
  'x@y',
  '@',
  ':1@lid',
  `${FUZZED}@s.whatsapp.net`,
  '120363@g.us',
  'status@broadcast',
  '\u0000',
  'constructor',
  '__proto__',
  'a'.repeat(5000),
];

/**
 * A stanza that can be read but says something odd: attributes and children go, come, change and
 * move.
 */
function mutatedNode(rng: Rng, node: Node): Node {
  const copy: Node = { tag: node.tag, attrs: { ...node.attrs }, content: node.content };
  if (Array.isArray(copy.content)) {
    copy.content = copy.content.map((child) => (rng.int(2) === 0 ? mutatedNode(rng, child) : child));
    if (rng.int(6) === 0) copy.content = copy.content.slice(1);
    if (rng.int(6) === 0) copy.content = [...copy.content, ...copy.content];
    if (rng.int(10) === 0) copy.content = [pick(rng, CORPUS)];
  } else if (rng.int(4) === 0) copy.content = rng.int(2) === 0 ? rng.bytes(rng.int(64)) : pick(rng, ODD_VALUES);
  for (const name of Object.keys(copy.attrs)) {
    const kind = rng.int(8);
    if (kind === 0) delete copy.attrs[name];
    else if (kind === 1) copy.attrs[name] = pick(rng, ODD_VALUES);
  }
  if (rng.int(20) === 0) copy.tag = pick(rng, CORPUS).tag;
  if (rng.int(20) === 0) copy.content = undefined;
  return copy;
}

/**
 * Frames from a client that is logged in, until the server has enough of it; then it comes again.
 */
async function fuzz(net: Fixture, plain: (rng: Rng) => Uint8Array, count: number, rng: Rng): Promise<number> {
  const { tenant } = net.world.network(TENANT);
  let cuts = 0;
  for (let sent = 0; sent < count; ) {
    // A mutation may have logged the line out or changed its keys.
    const line: RawLine = seedLine(tenant, 'line_f', FUZZED);
    const payload = { username: Number(line.pn), device: 1, passive: false };
    const client = await RawClient.connect(net.simulator.wsUrl(TENANT, 'line_f'), payload, line.noiseKey);
    client.ws.on('error', () => undefined);
    client.isForgetful = true;
    const closed = once(client.ws, 'close').then(() => {
      cuts += 1;
      return true;
    });
    while (sent < count && client.ws.readyState === WebSocket.OPEN) {
      for (let burst = 0; burst < 5 && sent < count; burst++, sent++) {
        // One in fifty is not even encrypted for this connection.
        if (rng.int(50) === 0) client.ws.send(frame(rng.bytes(17 + rng.int(200))));
        else client.sendPlain(plain(rng));
      }
      // An unknown query is always answered: until then everything before it was dealt with, or the
      // connection is gone.
      const id = `END${sent}`;
      const answered = new Promise<boolean>((resolve) => {
        client.onStanza = (node) => node.attrs.id === id && resolve(false);
      });
      client.send(el('iq', { id, to: '@s.whatsapp.net', type: 'get', xmlns: 'fuzz' }));
      if (await Promise.race([closed, answered])) break;
    }
    client.ws.terminate();
    await closed;
  }
  return cuts;
}

test(`${FRAMES} random and mutated frames end the connection they came on, and nothing else`, {
  timeout: 300_000,
}, async () => {
  const net = await Fixture.open();
  const witness = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  await net.phone(OTHER);
  const rng = createRng('fuzz');
  for (let i = 0; i < BEFORE_LOGIN; i++) {
    const ws = new WebSocket(net.simulator.wsUrl(TENANT, 'line_f'));
    ws.on('error', () => undefined);
    await once(ws, 'open');
    const closed = once(ws, 'close');
    const hello = frame(Buffer.from('123401'.padEnd(80, 'ab'), 'hex'));
    const start = rng.int(3) === 0 ? rng.bytes(1 + rng.int(100)) : mutatedBytes(rng, Buffer.concat([WA_HEADER, hello]));
    ws.send(start);
    // What is only the beginning of something could go on: those the server keeps until its sweep.
    ws.send(Buffer.from('f'.repeat(70_000)));
    await closed;
  }
  const half = (FRAMES - BEFORE_LOGIN) / 2;
  const byBytes = await fuzz(net, (r) => mutatedBytes(r, encodeStanza(pick(r, CORPUS))), half, rng);
  const byContent = await fuzz(net, (r) => encodeStanza(mutatedNode(r, pick(r, CORPUS))), half, rng);
  expect(byBytes).toBeGreaterThan(half / 25);
  // Whatever can be read is answered or dropped, never a reason to hang up.
  expect(byContent).toBeLessThan(half / 25);
  expect(net.world.problems.map(({ text, cause }) => `${text}: ${cause}`)).toEqual([]);
  expect(witness.isOpen).toBe(true);
  expect(witness.closes).toEqual([515]);
  await witness.sendText(pnJid(BOB), 'still here');
  await until('the text', () => bodies(bob).includes('still here'));
});
