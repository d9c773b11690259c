import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FleetTraffic } from './support/fleet-traffic.ts';
import { FrontFleet, type FrontNode } from './support/front-fleet.ts';
import { NATS_SERVER } from './support/nats-server.ts';
import { SEED, seeded } from './support/seeded.ts';
import { until } from './support/until.ts';

const LINES = 9;
const PER_SECOND = 5;
const TAKEOVER_MS = 25_000;
/** What a request may be answered while nodes come and go. */
const FINE = /^(?:20[02]|429|503 with Retry-After .*)/;

describe.runIf(process.env.TEST_DATABASE_URL && NATS_SERVER)('a fleet, through its front door', () => {
  let fleet: FrontFleet;
  let traffic: FleetTraffic;
  let nodes: FrontNode[];

  beforeAll(async () => {
    fleet = await FrontFleet.start();
    nodes = [await fleet.addNode(), await fleet.addNode(), await fleet.addNode()];
    await Promise.all(nodes.map((node) => node.untilReady()));
    traffic = new FleetTraffic(fleet, seeded(SEED));
    await traffic.prepare();
    for (let i = 0; i < LINES; i += 1) await fleet.addLine();
  }, 120_000);
  afterAll(() => fleet?.close(), 60_000);

  /** Traffic while something happens, and everything arrived in the end. */
  async function under(work: () => Promise<unknown>): Promise<void> {
    traffic.start(PER_SECOND);
    try {
      await work();
    } finally {
      await traffic.stop();
    }
    expect(await traffic.settled()).toEqual([]);
  }

  const holdsNothing = async (node: FrontNode) => ((await fleet.shares())[node.name] ?? 0) === 0;
  const allHeld = async () => ((await fleet.shares()).free ?? 0) === 0;

  test('three nodes share the lines, and any answers for any', { timeout: 150_000 }, async () => {
    await until(
      'each has its share',
      async () => {
        const shares = await fleet.shares();
        return nodes.every(({ name }) => shares[name] === LINES / 3);
      },
      90_000,
    );
    for (const node of nodes) {
      for (const { id } of fleet.lines) {
        await until('it is connected for all', async () => {
          const line = await node.api.expect<{ status: string }>(200, 'GET', `/api/bridge/v1/lines/${id}`);
          return line.status === 'connected';
        });
      }
    }
    await under(() => new Promise((resolve) => setTimeout(resolve, 2_000)));
  });

  test('one node is killed and another one stands still: the third has all lines; nothing is lost or doubled', {
    timeout: 180_000,
  }, async () => {
    const [dead, still] = nodes as [FrontNode, FrontNode];
    await under(async () => {
      const from = performance.now();
      still.signal('SIGSTOP');
      await dead.kill();
      const isOver = async () => (await holdsNothing(dead)) && (await holdsNothing(still)) && (await allHeld());
      await until('the third one has all', isOver, TAKEOVER_MS);
      console.info(`takeover: ${Math.round(performance.now() - from)} ms`);
      still.signal('SIGCONT');
      dead.start();
      await Promise.all([dead.untilReady(), still.untilReady()]);
    });
  });

  test('NATS is away and comes back with nothing: messages go on, and readyz says what is missing', {
    timeout: 120_000,
  }, async () => {
    const degraded = async (node: FrontNode) => {
      const { status, body } = await node.api.call<{ degraded?: string[] }>('GET', '/readyz');
      return [status, body.degraded?.join() ?? ''].join(' ');
    };
    await under(async () => {
      await fleet.nats.stop();
      for (const node of nodes) await until('it is said', async () => (await degraded(node)) === '200 bus');
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      fleet.nats.start();
      for (const node of nodes) await until('it is over', async () => (await degraded(node)) === '200 ');
    });
  });

  test('a rolling restart under traffic: every answer is one that a client expects', {
    timeout: 240_000,
  }, async () => {
    traffic.answers.clear();
    traffic.unanswered = 0;
    await under(async () => {
      for (const node of nodes) {
        expect(await node.stop(), `exit code of ${node.name}`).toBe(0);
        node.start();
        await node.untilReady();
      }
    });
    console.info(`answers: ${JSON.stringify([...traffic.answers])}, without one: ${traffic.unanswered}`);
    expect([...traffic.answers.keys()].filter((answer) => !FINE.test(answer))).toEqual([]);
    expect(traffic.unanswered).toBe(0);
  });
});
