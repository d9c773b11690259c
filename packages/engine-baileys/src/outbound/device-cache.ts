import { AsyncLocalStorage } from 'node:async_hooks';
import { BoundedCache } from '../bounded-cache.ts';

/** A device as Baileys keeps it. */
interface Device {
  user: string;
  device: number;
  server: string;
}

const MINUTE_MS = 60_000;
const answered = new AsyncLocalStorage<Set<string>>();

/**
 * Devices of a user as WhatsApp last told them. Some groups of 1 024 fit: a cache that is smaller
 * than one send asks for all members each time.
 *
 * In the chat with itself a line is sender and recipient, and Baileys asks for the devices of both:
 * each would be encrypted for twice, and for four times once the doubled list was cached.
 */
export class DeviceCache extends BoundedCache {
  constructor(now: () => number) {
    super(5_000, 5 * MINUTE_MS, now);
  }

  override get<T>(user: string): T | undefined {
    const told = answered.getStore();
    if (told?.has(user)) return [] as T;
    const devices = super.get<T>(user);
    if (devices !== undefined) told?.add(user);
    return devices;
  }

  override set<T>(user: string, devices: T): void {
    super.set(user, Array.isArray(devices) ? distinct(devices as Device[]) : devices);
  }
}

/** Whatever `send` asks the cache for, it is told of each user's devices once. */
export const tellingDevicesOnce = <T>(send: () => Promise<T>): Promise<T> => answered.run(new Set(), send);

const distinct = (devices: Device[]): Device[] => [
  ...new Map(devices.map((one) => [`${one.user}:${one.device}@${one.server}`, one])).values(),
];
