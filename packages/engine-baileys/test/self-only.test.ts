import { MemoryStore } from '@ponte/engine/conformance';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineLine } from '../../engine/src/conformance/line.ts';
import { until } from '../../engine/src/conformance/until.ts';
import { simulatorNetwork } from './simulator-network.ts';

const KEYS = 'app-state-sync-key';

describe('keys for the app state', () => {
  let network: Awaited<ReturnType<typeof simulatorNetwork>>;
  beforeAll(async () => {
    network = await simulatorNetwork();
  });
  afterAll(() => network.close());

  it('are taken from the own phone, never from a stranger (CVE-2026-48063)', async () => {
    const alice = await network.phone('15550001111');
    const mallory = await network.phone('15550006666');
    const line = await EngineLine.open(network, 'line', new MemoryStore());
    await line.pair(alice);
    await line.login();
    const own = await until('the key of the own phone', () => {
      const ids = [...(line.store.keys.get(KEYS)?.keys() ?? [])];
      return ids.length > 0 ? ids : undefined;
    });
    const forged = await mallory.sendForgedKeyShare(alice.pn);
    await until('the forgery to be acknowledged', () => line.answersTo(forged).length > 0);
    await mallory.sendText(alice.pn, 'did it work?');
    await line.text('did it work?');
    expect([...(line.store.keys.get(KEYS)?.keys() ?? [])]).toEqual(own);
    await line.close();
  });
});
