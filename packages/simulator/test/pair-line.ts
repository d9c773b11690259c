import { expect, vi } from 'vitest';
import type { Simulator } from '../src/simulator.ts';
import type { BaileysLine } from './baileys-line.ts';

/**
 * Scans the QR that a line shows with a phone of the world (made if it is new) and waits until the
 * line is logged in and drained, and has what its phone gives every new companion: the keys of app
 * state and the first part of history.
 */
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
  await line.until('the keys of app state', () => line.auth.creds.myAppStateKeyId);
  await settled(simulator, device, tenant);
  return device;
}

export async function scan(simulator: Simulator, phone: string, qr: string, tenant = 'test'): Promise<string> {
  const scanner = await simulator.world.phone(tenant, phone);
  if (!scanner) throw new Error(`no phone ${phone}`);
  const { deviceJid } = await simulator.world.pair(tenant, phone, scanner.linkDevice(qr));
  return deviceJid;
}

/** Resolves when a device has acknowledged everything that it was sent. */
async function settled(simulator: Simulator, device: string, tenant: string): Promise<void> {
  const { accounts, queue } = simulator.world.network(tenant).tenant;
  const address = accounts.resolve(device);
  if (!address) throw new Error(`${device} is not linked`);
  await vi.waitFor(() => expect(queue.counts(address.account.pn, address.device).message ?? 0).toBe(0), 5000);
}
