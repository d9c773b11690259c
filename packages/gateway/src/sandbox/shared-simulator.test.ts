import { createSimulator, type Simulator } from '@ponte/simulator';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { until } from '../../test/support/until.ts';
import { systemClock } from '../core/clock.ts';
import { silentLog } from '../observe/logger.ts';
import { connectSharedSimulator } from './shared-simulator.ts';

const token = 'a-token-of-24-characters';
let simulator: Simulator;
beforeEach(async () => {
  simulator = await createSimulator({ controlToken: token });
});
afterEach(() => simulator.close());

test('a network that runs elsewhere says whom lines must trust and where its files are', async () => {
  const url = `http://127.0.0.1:${simulator.port}`;
  const shared = await connectSharedSimulator({ url, token, clock: systemClock, log: silentLog });
  expect(shared.isUp).toBe(true);
  expect(shared.address()).toEqual({
    baseUrl: url,
    noiseRoot: Buffer.from(simulator.noiseRootPublicKey),
    mediaCa: simulator.mediaCaPem,
    mediaAddress: `127.0.0.1:${simulator.mediaPort}`,
    controlToken: token,
  });
  shared.close();
});

test('another token is refused with a sentence', async () => {
  const options = { url: `http://127.0.0.1:${simulator.port}`, clock: systemClock, log: silentLog };
  await expect(connectSharedSimulator({ ...options, token: 'wrong' })).rejects.toThrow('SANDBOX_TOKEN');
});

test('one that was started again has other keys: they are known soon', async () => {
  const clock = new ManualClock();
  const { port } = simulator;
  const shared = await connectSharedSimulator({ url: `http://127.0.0.1:${port}`, token, clock, log: silentLog });
  await simulator.close();
  simulator = await createSimulator({ controlToken: token, port });
  const theirs = Buffer.from(simulator.noiseRootPublicKey);
  await until('asked again', async () => {
    await clock.advance(20_000);
    return theirs.equals(Buffer.from(shared.address()?.noiseRoot ?? []));
  });
  shared.close();
});
