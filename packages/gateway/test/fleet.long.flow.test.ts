import { describe, expect, test } from 'vitest';
import { FAULTS, inflict, Times } from './support/fleet-faults.ts';
import { FleetTraffic } from './support/fleet-traffic.ts';
import { FrontFleet, type FrontNode } from './support/front-fleet.ts';
import { seeded } from './support/seeded.ts';

/*
 * The long form of fleet.front.flow.test.ts: `npm run fleet -- --minutes 30 --lines 300 --seed 7`.
 */

const MINUTES = Number(process.env.FLEET_MINUTES ?? 0);
const LINES = Number(process.env.FLEET_LINES ?? 300);
const PER_SECOND = Number(process.env.FLEET_PER_SECOND ?? 50);
const SEED = Number(process.env.FLEET_SEED ?? 1);
const NODES = Number(process.env.FLEET_NODES ?? 3);
/** Between two faults everything is well for so long. */
const CALM_MS = 5_000;
const PAIRED_AT_ONCE = 4;

describe.runIf(MINUTES > 0)(`a fleet of ${NODES} nodes and ${LINES} lines for ${MINUTES} minutes`, () => {
  test(`whatever happens to it, nothing is lost or doubled (seed ${SEED})`, {
    timeout: (MINUTES + 30) * 60_000,
  }, async () => {
    // Of the faults alone: traffic draws when it comes to it.
    const random = seeded(SEED);
    const fleet = await FrontFleet.start({ CONNECTS_PER_SECOND: '50' });
    try {
      for (let i = 0; i < NODES; i += 1) await fleet.addNode();
      await Promise.all(fleet.nodes.map((node) => node.untilReady()));
      const traffic = new FleetTraffic(fleet, seeded(SEED + 1));
      await traffic.prepare();
      let begun = 0;
      const pairing = Array.from({ length: PAIRED_AT_ONCE }, async () => {
        while (begun < LINES) {
          begun += 1;
          await fleet.addLine();
        }
      });
      await Promise.all(pairing);
      const times = new Times();
      traffic.start(PER_SECOND);
      const over = performance.now() + MINUTES * 60_000;
      try {
        for (let round = 1; performance.now() < over; round += 1) {
          const fault = FAULTS[Math.floor(random() * FAULTS.length)] ?? 'kill';
          const victim = fleet.nodes[Math.floor(random() * NODES)] as FrontNode;
          console.info(`round ${round}: ${fault} (${victim.name})`);
          await inflict(fault, fleet, { victim, lastsMs: 15_000 + random() * 25_000 }, times);
          await new Promise((resolve) => setTimeout(resolve, CALM_MS));
        }
      } finally {
        await traffic.stop();
      }
      const wrong = await traffic.settled();
      const figures = {
        seed: SEED,
        sent: traffic.accepted.size,
        received: traffic.said.size,
        answers: Object.fromEntries(traffic.answers),
        unanswered: traffic.unanswered,
        ...times.longest,
      };
      console.info(JSON.stringify(figures, undefined, 2));
      expect(wrong).toEqual([]);
    } finally {
      await fleet.close();
    }
  });
});
