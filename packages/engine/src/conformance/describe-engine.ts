import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { describeConnection } from './describe-connection.ts';
import { describeDurability } from './describe-durability.ts';
import { describeHostility } from './describe-hostility.ts';
import { describeInbound } from './describe-inbound.ts';
import { describeKills } from './describe-kills.ts';
import { describeLive } from './describe-live.ts';
import { describeSending } from './describe-sending.ts';
import { closeLines } from './line.ts';
import type { ConformanceNetwork } from './network.ts';
import type { Suite } from './suite.ts';

/**
 * What every engine must guarantee, checked against a simulated WhatsApp: nothing is acknowledged
 * before it is durable; a redelivery is one event; a death at any write loses nothing; a repeated
 * transmit is the same message; a failing store ends the connection unacknowledged; a server or
 * pairing that cannot prove itself is refused.
 */
export function describeEngine(name: string, makeNetwork: () => Promise<ConformanceNetwork>): void {
  describe(`engine ${name}`, () => {
    let network: ConformanceNetwork | undefined;
    let numbers = 15_550_100_000;
    let lines = 0;
    const suite: Suite = {
      network: () => {
        if (!network) throw new Error('the network is not up');
        return network;
      },
      number: () => String(++numbers),
      lineId: () => `line-${++lines}`,
    };
    beforeAll(async () => {
      network = await makeNetwork();
    });
    afterEach(closeLines);
    afterAll(() => network?.close());
    describeConnection(suite);
    describeDurability(suite);
    describeInbound(suite);
    describeSending(suite);
    describeKills(suite);
    describeHostility(suite);
    describeLive(suite);
  });
}
