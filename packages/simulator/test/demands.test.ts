import { expect, test } from 'vitest';
import { SystemClock } from '../src/world/clock.ts';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, Fixture, pnJid, TENANT } from './fixture.ts';

const STATUS = 'status@broadcast';
const ack = (id: string, error?: string) => ({
  tag: 'ack',
  attrs: { class: 'status', id, to: STATUS, ...(error === undefined ? {} : { error }) },
});
const PING = () => ({
  tag: 'iq',
  attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'w:p' },
  content: [{ tag: 'ping', attrs: {} }],
});
const setUp = async (options: Parameters<typeof Fixture.open>[0] = {}) => {
  const net = await Fixture.open(options);
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  const call = controlOf(net);
  const post = async (body: string): Promise<string> =>
    (await call(`POST /phones/${BOB}/status`, { type: 'text', body, to: [ALICE] })).message_id;
  const seen = (tag: string, id: string) => line.stanzas.filter((node) => node.tag === tag && node.attrs.id === id);
  return { net, line, bob, call, post, seen };
};

test('a status that is not acknowledged as one ends the stream after 3 001 seconds, and comes again', async () => {
  const clock = new SystemClock();
  const { line, post, seen } = await setUp({ clock });
  const id = await post('at the sea');
  await line.until('the status', () => seen('status', id).length === 1);
  clock.advance(3_000_000);
  expect(line.isOpen).toBe(true);
  clock.advance(1_000);
  await line.until('the end', () => line.closes.length > 1);
  const [end] = line.stanzas.filter(({ tag }) => tag === 'stream:error').slice(-1);
  expect(end?.content).toMatchObject([{ tag: 'ack', attrs: { class: 'status', id } }]);
  line.connect();
  await line.until('the status again', () => seen('status', id).length === 2);
  await line.sock?.sendNode(ack(id));
  await line.close();
  line.connect();
  await line.until('the end of the offline phase', () => line.isDrained);
  expect(seen('status', id)).toHaveLength(2);
});

test('a copy of what was asked of a bot ends the stream, too, without the receipt that names the bot', async () => {
  const clock = new SystemClock();
  const { net, line } = await setUp({ clock });
  const bot = '867051314767696@bot';
  const alice = await net.phone(ALICE);
  const ask = async (body: string) => {
    const { messageId } = await alice.sendText(bot, body);
    await line.text(body);
    return messageId;
  };
  const receipt = (id: string) => ({ tag: 'receipt', attrs: { id, to: alice.lid, recipient: bot, type: 'sender' } });
  await line.sock?.sendNode(receipt(await ask('answered')));
  await line.sock?.query(PING());
  clock.advance(3_001_000);
  expect(line.isOpen).toBe(true);
  const id = await ask('answered wrongly');
  await line.sock?.query(PING());
  clock.advance(3_001_000);
  await line.until('the end', () => line.closes.length > 1);
  const [end] = line.stanzas.filter(({ tag }) => tag === 'stream:error').slice(-1);
  expect(end?.content).toMatchObject([{ tag: 'ack', attrs: { class: 'message', id } }]);
});

test('a refused status comes first at every login and all other mail is withheld, until it is acknowledged', async () => {
  const { line, bob, post, seen } = await setUp();
  const id = await post('cannot be read');
  await line.until('the status', () => seen('status', id).length === 1);
  await line.sock?.sendNode(ack(id, '500'));
  await line.close();
  await bob.sendText(pnJid(ALICE), 'behind it');
  line.connect();
  await line.until('the status again', () => seen('status', id).length === 2);
  await line.sock?.query(PING());
  expect(line.received).toEqual([]);
  await line.sock?.sendNode(ack(id));
  await line.text('behind it');
});

test('mail from the time offline comes as far as it was asked for', async () => {
  const { line, bob } = await setUp();
  await line.close();
  for (let i = 0; i < 250; i++) await bob.sendText(pnJid(ALICE), `waiting ${i}`);
  line.stanzas.length = 0;
  line.connect();
  const mail = () => line.stanzas.filter(({ tag, attrs }) => tag === 'message' && attrs.offline !== undefined).length;
  await line.until('one batch', () => mail() === 100);
  await line.sock?.query(PING());
  expect([mail(), line.isDrained]).toEqual([100, false]);
  await line.sock?.sendNode({ tag: 'ib', attrs: {}, content: [{ tag: 'offline_batch', attrs: { count: '200' } }] });
  await line.until('the end of the offline phase', () => line.isDrained);
  await line.text('waiting 249');
});

test('each demand can be switched off, and is on again after a reset', async () => {
  const { net, call, line, post } = await setUp();
  expect(await call('GET /demands')).toMatchObject({ status_stanzas: true, asked_batches: true });
  expect(await call('PATCH /demands', { status_stanzas: false })).toMatchObject({ status_stanzas: false });
  await post('as it was before');
  await line.text('as it was before');
  await net.world.reset(TENANT);
  expect(await call('GET /demands')).toMatchObject({ status_stanzas: true });
});
