import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { closeLines, EngineLine } from '../../engine/src/conformance/line.ts';
import { until } from '../../engine/src/conformance/until.ts';
import { simulatorNetwork, TENANT, type TestNetwork } from './simulator-network.ts';

/** A week of a busy line is `WEEK_AWAY_MESSAGES=5000`, which takes some minutes. */
const MESSAGES = Number(process.env.WEEK_AWAY_MESSAGES ?? 700);
/** A batch, and what was asked for into silence. */
const ON_THE_WAY_MAX = 450;

let network: TestNetwork;
beforeAll(async () => {
  network = await simulatorNetwork();
});
afterEach(closeLines);
afterAll(() => network.close());

it('a line that was away for a week catches up, in order, and never has much of it in hand', async () => {
  const phone = await network.phone('15550300001');
  const bob = await network.phone('15550300002');
  let sealed = 0;
  let pushed = 0;
  let most = 0;
  const line = await EngineLine.open(network, 'week-away', undefined, ({ isSealed }) => {
    if (isSealed) sealed += 1;
    most = Math.max(most, pushed - sealed);
    return 'done';
  });
  await line.pair(phone);
  await line.login();
  await line.engine.close();
  for (let index = 0; index < MESSAGES; index++) await bob.sendText(phone.pn, `mail ${index}`);
  const { world } = network.simulator;
  const connected = world.connected.bind(world);
  world.connected = (tenant, session) => {
    const push = session.push.bind(session);
    session.push = (node) => {
      if (node.tag === 'message') pushed += 1;
      push(node);
    };
    connected(tenant, session);
  };
  sealed = 0;
  const startedAt = performance.now();
  await line.login();
  await until('a batch to be asked for', () => pushed > 0);
  for (let before = -1; sealed < MESSAGES && sealed !== before; ) {
    before = sealed;
    await until('more mail', () => sealed >= Math.min(MESSAGES, before + 20));
  }
  // The first login told its own, of nothing; and what is sealed is not stored yet.
  await line.text(`mail ${MESSAGES - 1}`);
  await line.event('offline.completed', ({ count }) => count >= MESSAGES);
  const told = (await line.messages()).map(({ content }) => content.body);
  expect(told).toEqual(Array.from({ length: MESSAGES }, (_, index) => `mail ${index}`));
  expect(most).toBeLessThan(ON_THE_WAY_MAX);
  expect(world.network(TENANT).tenant.queue.counts('15550300001', 1).message ?? 0).toBeLessThan(ON_THE_WAY_MAX);
  if (process.env.WEEK_AWAY_MESSAGES) {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    process.stdout.write(`${MESSAGES} messages in ${seconds} s, at most ${most} in hand\n`);
  }
}, 900_000);
