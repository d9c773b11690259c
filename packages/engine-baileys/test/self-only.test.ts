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

  it('a message to the own number is encrypted once for each other device', async () => {
    const bob = await network.phone('15550003333');
    const line = await EngineLine.paired(network, 'notes', bob);
    for (const text of ['first', 'second', 'third']) {
      const id = `3EB0${Buffer.from(text.padEnd(9)).toString('hex').toUpperCase()}`;
      await line.engine.transmit(await line.engine.prepare({ kind: 'text', body: text }, bob.pn, id));
    }
    await until('all three on the phone', () => bob.seen().length === 3);
    await line.roundTrip();
    expect(bob.seen().map(({ body, copies }) => [body, copies])).toEqual([
      ['first', 1],
      ['second', 1],
      ['third', 1],
    ]);
    await line.close();
  });
});
