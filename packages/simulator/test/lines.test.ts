import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSimulator, type Simulator } from '../src/simulator.ts';
import { BaileysLine } from './baileys-line.ts';
import { pairLine } from './pair-line.ts';

const ALICE = '15550001111';
const BOB = '15550002222';
const pnJid = (phone: string): string => `${phone}@s.whatsapp.net`;

describe('a line of stock Baileys', () => {
  let simulator: Simulator;
  let lines: BaileysLine[];

  beforeEach(async () => {
    simulator = await createSimulator();
    lines = [];
  });

  afterEach(async () => {
    for (const line of lines) await line.close();
    await simulator.close();
    expect(simulator.world.problems).toEqual([]);
  });

  async function linked(id: string, phone: string, options: { markOnline?: boolean } = {}): Promise<BaileysLine> {
    const line = new BaileysLine(() => simulator, id, options);
    lines.push(line);
    await pairLine(simulator, line, phone);
    return line;
  }

  test('pairs by QR, is told to restart, logs in and knows its own LID', async () => {
    const line = await linked('line_a', ALICE);
    expect(line.closes).toEqual([515]);
    expect(line.auth.creds.me?.id).toBe(`${ALICE}:1@s.whatsapp.net`);
    expect(line.auth.creds.me?.lid).toMatch(/^\d+:1@lid$/);
    expect(simulator.world.lineDevice('test', 'line_a')).toEqual({
      phone: ALICE,
      deviceJid: `${ALICE}:1@s.whatsapp.net`,
    });
  });

  test('two lines write to each other, first by pkmsg, then by msg, and receipts come back', async () => {
    const a = await linked('line_a', ALICE);
    const b = await linked('line_b', BOB);
    const first = await a.sendText(pnJid(BOB), 'one');
    expect(Number((await a.ack(first)).t)).toBeGreaterThan(1_600_000_000);
    const got = await b.text('one');
    expect(got.key.remoteJidAlt ?? got.key.remoteJid).toBeDefined();
    await a.until('a delivery receipt', () => a.stanzas.some((n) => n.tag === 'receipt' && n.attrs.id === first));
    await b.sendText(pnJid(ALICE), 'two');
    await a.text('two');
    await a.sendText(pnJid(BOB), 'three');
    await b.text('three');
  });
});
