import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../engine/src/conformance/until.ts';
import type { BaileysLine } from './baileys-line.ts';
import { ALICE, BOB, bodies, Fixture, pnJid, TENANT } from './fixture.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'simulator-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const preview = (line: BaileysLine) => {
  const ib = line.stanzas.findLast((n) => n.tag === 'ib' && childOf(n)?.tag === 'offline_preview');
  return ib && childOf(ib)?.attrs;
};
const offlineCount = (line: BaileysLine) => {
  const ib = line.stanzas.findLast((n) => n.tag === 'ib' && childOf(n)?.tag === 'offline');
  return ib && childOf(ib)?.attrs.count;
};
const waiting = (net: Fixture, phone: string, device: number) =>
  net.world.network(TENANT).tenant.queue.counts(phone, device);

test('mail for a line that is away is announced, marked and delivered in order when it returns', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  await line.close();
  for (let i = 0; i < 3; i++) await bob.sendText(pnJid(ALICE), `waiting ${i}`);
  expect(waiting(net, ALICE, 1)).toMatchObject({ message: 3 });
  line.stanzas.length = 0;
  line.connect();
  await line.until('the end of the offline phase', () => line.isDrained);
  await line.text('waiting 2');
  expect(preview(line)).toMatchObject({ count: '3', message: '3', receipt: '0' });
  const mail = line.stanzas.filter((n) => n.tag === 'message');
  expect(mail.map((n) => n.attrs.offline)).toEqual(['0', '1', '2']);
  expect(offlineCount(line)).toBe('3');
  expect(line.received.map((m) => m.message?.conversation)).toEqual(['waiting 0', 'waiting 1', 'waiting 2']);
  await until('an empty mailbox', () => Object.keys(waiting(net, ALICE, 1)).length === 0);
});

test('where batches need not be asked for, more mail than one flows on as the line acknowledges it', async () => {
  const net = await Fixture.open();
  net.world.demands(TENANT, { askedBatches: false });
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  await line.close();
  for (let i = 0; i < 250; i++) await bob.sendText(pnJid(ALICE), `waiting ${i}`);
  line.connect();
  await line.until('the end of the offline phase', () => line.isDrained);
  await line.text('waiting 249');
  expect(preview(line)).toMatchObject({ message: '250' });
  expect(offlineCount(line)).toBe('250');
  expect(new Set(line.received.map((m) => m.key.id)).size).toBe(250);
  await until('an empty mailbox', () => Object.keys(waiting(net, ALICE, 1)).length === 0);
});

test('mail that a line did not acknowledge comes again at its next login', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  net.fault('line_a', { kind: 'black_hole', for_ms: 3_600_000 });
  await bob.sendText(pnJid(ALICE), 'into the void');
  net.fault('line_a', { kind: 'cut' });
  net.world.clearFaults(TENANT, 'line_a');
  await line.until('the broken connection', () => line.closes.at(-1) === 428);
  expect(waiting(net, ALICE, 1)).toMatchObject({ message: 1 });
  line.connect();
  await line.text('into the void');
  await until('an empty mailbox', () => Object.keys(waiting(net, ALICE, 1)).length === 0);
});

test('a phone that is switched off gets its mail when it is switched on', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  await net.world.updateSettings(TENANT, BOB, { online: false });
  const id = await line.sendText(pnJid(BOB), 'later');
  await line.ack(id);
  expect(bodies(bob)).toEqual([]);
  expect(line.updates.some((u) => (u.update.status ?? 0) >= 3)).toBe(false);
  await net.world.updateSettings(TENANT, BOB, { online: true });
  await until('the text', () => bodies(bob).includes('later'));
  await line.until('the receipt', () => line.updates.some((u) => u.key.id === id && (u.update.status ?? 0) >= 3));
});

test('a restarted network knows its lines, its keys and the mail that waits', async () => {
  const options = { dataFile: join(folder, 'world.db'), controlToken: 'token-of-the-test' };
  const net = await Fixture.open(options);
  const root = Buffer.from(net.simulator.noiseRootPublicKey).toString('hex');
  const line = await net.linked('line_a', ALICE);
  const bob = await net.phone(BOB);
  await bob.sendText(pnJid(ALICE), 'before');
  await line.text('before');
  await line.close();
  await bob.sendText(pnJid(ALICE), 'while away');
  await net.restart(options);
  expect(Buffer.from(net.simulator.noiseRootPublicKey).toString('hex')).toBe(root);
  expect(net.world.lineDevice(TENANT, 'line_a')?.phone).toBe(ALICE);
  line.connect();
  await line.text('while away');
  const id = await line.sendText(pnJid(BOB), 'after');
  expect((await line.ack(id)).error).toBeUndefined();
  const bobAgain = await net.world.phone(TENANT, BOB);
  await until('the text on the restarted phone', () => bobAgain && bodies(bobAgain).includes('after'));
});

test('mail that a phone had not taken when the network ended is brought to it when it is there again', async () => {
  const options = { dataFile: join(folder, 'world.db') };
  const net = await Fixture.open(options);
  const line = await net.linked('line_a', ALICE);
  await net.phone(BOB);
  await net.world.updateSettings(TENANT, BOB, { online: false });
  const id = await line.sendText(pnJid(BOB), 'just before the end');
  await line.ack(id);
  const { accounts } = net.world.network(TENANT).tenant;
  const bob = accounts.byPn(BOB);
  if (bob) accounts.save({ ...bob, settings: '{"online":true}' });
  await net.restart(options);
  await line.until('the end', () => line.closes.at(-1) === 428);
  line.connect();
  await line.until('the delivery', () =>
    line.stanzas.some(({ tag, attrs }) => tag === 'receipt' && attrs.id === id && attrs.type === undefined),
  );
});

test('a reset network is empty, and its lines are logged out', async () => {
  const net = await Fixture.open();
  const line = await net.linked('line_a', ALICE);
  await net.world.reset(TENANT);
  await line.until('the log-out', () => line.closes.at(-1) === 401);
  expect(net.world.phones(TENANT)).toEqual([]);
  line.connect();
  await line.until('the refused login', () => line.closes.length === 3);
  expect(line.closes.at(-1)).toBe(401);
});

function childOf(node: { content?: unknown }): { tag: string; attrs: Record<string, string> } | undefined {
  return Array.isArray(node.content) ? node.content[0] : undefined;
}
