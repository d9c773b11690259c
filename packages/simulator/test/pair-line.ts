import type { Simulator } from '../src/simulator.ts';
import type { BaileysLine } from './baileys-line.ts';

/** Scans the QR that a line shows with a phone of the world (made if it is new) and waits until the line is logged in and drained. */
export async function pairLine(
  simulator: Simulator,
  line: BaileysLine,
  phone: string,
  tenant = 'test',
): Promise<string> {
  await simulator.world.createPhone(tenant, {
    phone,
    name: `Phone ${phone}`,
    about: undefined,
    isBusiness: false,
    isLidOnly: false,
  });
  line.connect();
  const qr = await line.until('a QR code', () => line.qr);
  const device = await scan(simulator, phone, qr, tenant);
  await line.until('the login after pairing', () => line.isOpen && line.isDrained);
  return device;
}

export async function scan(simulator: Simulator, phone: string, qr: string, tenant = 'test'): Promise<string> {
  const scanner = await simulator.world.phone(tenant, phone);
  if (!scanner) throw new Error(`no phone ${phone}`);
  const { deviceJid } = await simulator.world.pair(tenant, phone, scanner.linkDevice(qr));
  return deviceJid;
}
