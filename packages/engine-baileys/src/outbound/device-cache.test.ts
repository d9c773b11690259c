import { expect, it } from 'vitest';
import { DeviceCache, tellingDevicesOnce } from './device-cache.ts';

it('tells a send of a user’s devices once, and another send that begins inside it anew', async () => {
  const cache = new DeviceCache(() => 0);
  const devices = [{ user: '15550001111', device: 0, server: 's.whatsapp.net' }];
  cache.set('15550001111', devices);
  await tellingDevicesOnce(async () => {
    expect(cache.get('15550001111')).toEqual(devices);
    expect(cache.get('15550001111')).toEqual([]);
    expect(await tellingDevicesOnce(async () => cache.get('15550001111'))).toEqual(devices);
  });
  expect(cache.get('15550001111')).toEqual(devices);
});
