import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../../engine/src/conformance/until.ts';
import { SystemClock } from '../src/world/clock.ts';
import type { BaileysLine } from './baileys-line.ts';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, bodies, Fixture, pnJid, TENANT } from './fixture.ts';

const PHONES = ['15550004001', '15550004002', '15550004003', '15550004004', '15550004005', '15550004006'];

async function manyLines(net: Fixture): Promise<BaileysLine[]> {
  const lines: BaileysLine[] = [];
  for (const [index, phone] of PHONES.entries()) lines.push(await net.linked(`line_${index}`, phone));
  return lines;
}

test('a storm cuts every line at the same instant; all come back and nothing is lost', async () => {
  const net = await Fixture.open();
  const call = controlOf(net);
  const lines = await manyLines(net);
  const { cut } = await call('POST /storm', {});
  expect(cut).toEqual(lines.map(({ id }) => id));
  for (const line of lines) await line.until('the cut', () => line.closes.at(-1) === 428);
  await net.phone(BOB);
  for (const phone of PHONES) {
    await call(`POST /phones/${BOB}/messages`, { to: phone, type: 'text', body: `for ${phone}` });
  }
  for (const line of lines) line.connect();
  for (const [index, line] of lines.entries()) await line.text(`for ${PHONES[index]}`);
});

test('a storm may take some lines only, and keep them out for a while', async () => {
  const net = await Fixture.open();
  const call = controlOf(net);
  const lines = await manyLines(net);
  const [first, second] = lines;
  expect(await call('POST /storm', { lines: ['line_0', 'nobody'], refuse_for_ms: 60_000 })).toEqual({
    cut: ['line_0'],
  });
  await first?.until('the cut', () => first.closes.length > 1);
  first?.connect();
  await first?.until('the refusal', () => first.closes.length > 2);
  expect(second?.isOpen).toBe(true);
  await call('DELETE /lines/line_0/faults');
  first?.connect();
  await first?.until('the login', () => first.isOpen);
});

test('a restart by the sandbox API: everybody is cut and kept out for a while, and finds everything again', async () => {
  const clock = new SystemClock();
  const net = await Fixture.open({ clock });
  const call = controlOf(net);
  const line = await net.linked('line_a', ALICE);
  const shy = net.line('line_b');
  shy.connect();
  const qr = await shy.until('a QR', () => shy.qr);
  await call(`POST /phones`, { phone: BOB, name: 'Bob' });
  await call(`PUT /phones/${BOB}/settings`, { online: false });
  const { jid } = await call('POST /groups', { subject: 'Team', owner: ALICE, participants: [BOB] });
  await line.sendText(jid, 'before').then((id) => line.ack(id));
  await call('POST /lines/line_a/faults', { kind: 'lose_acks', count: 5 });
  const wire = await call('GET /lines/line_a/wire');
  const old = net.world.network(TENANT);

  expect(await call('POST /restart', { down_for_ms: 60_000 })).toEqual({ connections_cut: 2 });
  for (const one of [line, shy]) await one.until('the cut', () => one.closes.at(-1) === 428);
  line.connect();
  await line.until('the refusal', () => line.closes.length > 2);
  expect(line.isOpen).toBe(false);
  clock.advance(60_000);
  line.connect();
  await line.until('the login', () => line.isOpen && line.isDrained);
  expect(net.world.network(TENANT)).not.toBe(old);
  expect(await call('GET /lines/line_a/faults')).toEqual([]);
  const after = await call(`GET /lines/line_a/wire?after=${wire.at(-1).seq}`);
  expect(after[0].seq).toBe(wire.at(-1).seq + 1);
  expect(await call.raw(`POST /phones/${ALICE}/scan`, { qr })).toMatchObject({ status: 409 });
  await line.ack(await line.sendText(jid, 'after'));
  await call(`PUT /phones/${BOB}/settings`, { online: true });
  const bob = await net.phone(BOB);
  await until('both texts', () => bodies(bob).length === 2);
  expect(bodies(bob)).toEqual(['before', 'after']);
  await net.close();
  clock.close();
});

test('a restart of the network while lines are connected and writing loses no message', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'simulator-storm-'));
  const options = { dataFile: join(folder, 'world.db') };
  const net = await Fixture.open(options);
  const a = await net.linked('line_a', ALICE);
  const b = await net.linked('line_b', BOB);
  const ids: string[] = [];
  for (let i = 0; i < 20; i++) ids.push(await a.sendText(pnJid(BOB), `text ${i}`));
  // Whatever the server has acknowledged it must still have; the rest the line would send again.
  await a.ack(ids[9] ?? '');
  await net.restart(options);
  for (const line of [a, b]) await line.until('the end', () => line.closes.at(-1) === 428);
  const acked = ids.filter((id) => a.stanzas.some((n) => n.tag === 'ack' && n.attrs.id === id));
  expect(acked.length).toBeGreaterThanOrEqual(10);
  for (const line of [a, b]) {
    line.connect();
    await line.until('the login', () => line.isOpen && line.isDrained);
  }
  const texts = (): unknown[] => b.received.map((message) => message.message?.conversation);
  await b.until('the mail', () => acked.every((id) => texts().includes(`text ${ids.indexOf(id)}`)));
  await a.sendText(pnJid(BOB), 'after the restart');
  await b.text('after the restart');
  const bob = await net.phone(BOB);
  await until('the text on the phone', () => bodies(bob).includes('after the restart'));
  await net.close();
  await rm(folder, { recursive: true, force: true });
});
