import { afterEach, expect } from 'vitest';
import type { Phone } from '../src/phone/phone.ts';
import { createSimulator, type Simulator, type SimulatorOptions } from '../src/simulator.ts';
import { BaileysLine } from './baileys-line.ts';
import { pairLine } from './pair-line.ts';

export const TENANT = 'test';
export const ALICE = '15550001111';
export const BOB = '15550002222';
export const CAROL = '15550003333';

export const pnJid = (phone: string): string => `${phone}@s.whatsapp.net`;

/**
 * A network with whatever a test puts on it; everything is taken down after the test, and nothing
 * may have failed inside.
 */
export class Fixture {
  simulator!: Simulator;
  readonly lines: BaileysLine[] = [];

  static async open(options: SimulatorOptions = {}): Promise<Fixture> {
    const fixture = new Fixture();
    fixture.simulator = await createSimulator(options);
    opened.push(fixture);
    return fixture;
  }

  get world(): Simulator['world'] {
    return this.simulator.world;
  }

  /** Closes the simulator and starts it again over the same file. */
  async restart(options: SimulatorOptions): Promise<void> {
    await this.simulator.close();
    expect(this.simulator.world.problems).toEqual([]);
    this.simulator = await createSimulator(options);
  }

  async phone(
    digits: string,
    options: { isBusiness?: boolean; about?: string; isLidOnly?: boolean } = {},
  ): Promise<Phone> {
    const { isBusiness = false, isLidOnly = false, about } = options;
    return this.world.createPhone(TENANT, { phone: digits, name: `Phone ${digits}`, about, isBusiness, isLidOnly });
  }

  line(id: string, options: { markOnline?: boolean; isSyncing?: boolean } = {}): BaileysLine {
    const line = new BaileysLine(() => this.simulator, id, { tenant: TENANT, ...options });
    this.lines.push(line);
    return line;
  }

  /** A line that is linked to this phone, logged in and drained. */
  async linked(
    id: string,
    digits: string,
    options: { markOnline?: boolean; isSyncing?: boolean } = {},
  ): Promise<BaileysLine> {
    const line = this.line(id, options);
    await pairLine(this.simulator, line, digits, TENANT);
    return line;
  }

  fault(lineId: string, body: Record<string, unknown>): unknown {
    return this.world.addFault(TENANT, lineId, body);
  }

  async close(): Promise<void> {
    for (const line of this.lines) await line.close();
    await this.simulator.close();
    expect(this.simulator.world.problems).toEqual([]);
  }
}

const opened: Fixture[] = [];

afterEach(async () => {
  for (const fixture of opened.splice(0)) await fixture.close();
});

/** The texts a phone has received, in order. */
export function bodies(phone: Phone): string[] {
  const page = phone.inbox.page({ after: 0, chat: undefined, isWithOwnSends: false });
  return page.map(({ value }) => value.content.body ?? '');
}
