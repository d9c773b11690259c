import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { BaileysLine } from './baileys-line.ts';
import { controlOf } from './control-call.ts';
import { ALICE, BOB, bodies, Fixture, pnJid, until } from './fixture.ts';

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
