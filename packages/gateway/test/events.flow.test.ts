import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listen } from '../src/cli/listen.ts';
import { Rig } from './support/rig.ts';
import { until } from './support/until.ts';

const OWNER = '15550001111';
const ALICE = '15550002222';
/** PostgreSQL is where order is hard; SQLite stands in for it. */
const database = process.env.TEST_DATABASE_URL ? 'postgres' : 'sqlite';

describe(`a live stream of a line on the simulated network, on ${database}`, () => {
  let rig: Rig;
  const stop = new AbortController();
  const printed: string[] = [];
  const said: string[] = [];
  let listening: Promise<void>;

  beforeAll(async () => {
    rig = await Rig.start({ database });
    await rig.sandbox.phone(ALICE, 'Alice');
    await rig.linkLine('streamed', OWNER);
    await rig.api.expect(200, 'POST', '/api/bridge/v1/webhooks', { url: `${rig.receiver.url}/lines`, events: ['*'] });
    const given = {
      url: rig.base,
      key: rig.testKey,
      mode: 'test',
      after: 'oldest',
      forward: `${rig.receiver.url}/listen`,
      json: true,
    };
    const out = { result: (text: string) => void printed.push(text), say: (text: string) => void said.push(text) };
    listening = listen(given, out, stop.signal);
  }, 60_000);
  afterAll(async () => {
    stop.abort();
    await listening;
    await rig?.close();
  });

  const at = (path: string, event: string) =>
    rig.receiver.requests.filter(
      (request) => request.path === path && (JSON.parse(request.body) as { event: string }).event === event,
    );
  const texts = (path: string) =>
    at(path, 'message.received').map((request) => (JSON.parse(request.body) as { data: { body: string } }).data.body);
  const says = async (from: number, count: number) => {
    for (let n = from; n < from + count; n += 1) {
      const body = { to: OWNER, type: 'text', body: `message ${n}` };
      await rig.world('POST', `/phones/${ALICE}/messages`, body);
    }
  };
  const expected = (count: number) => Array.from({ length: count }, (_, n) => `message ${n}`);

  test('ponte listen gets what the webhook gets, byte for byte', async () => {
    await says(0, 5);
    await until('both have them', () => texts('/listen').length >= 5 && texts('/lines').length >= 5);
    const bodies = (path: string) => at(path, 'message.received').map(({ body }) => body);
    expect(bodies('/listen')).toEqual(bodies('/lines'));
    expect(JSON.parse(printed[0] ?? '')).toMatchObject({ cursor: expect.any(String), forwarded: { status: 200 } });
    const [first] = at('/listen', 'message.received');
    expect(first?.headers).toMatchObject({
      'x-wazion-bridge-event': 'message.received',
      'webhook-id': expect.stringMatching(/^evt_/),
    });
  });

  test('it goes on after a kill -9 and after an orderly end, each event once and in order', async () => {
    await says(5, 3);
    await rig.killGateway();
    await says(8, 3);
    await rig.startGateway();
    await rig.untilConnected('streamed');
    await says(11, 2);
    await until('all have come', () => texts('/listen').length >= 13, 30_000);
    const from = performance.now();
    expect(await rig.stopGateway()).toBe(0);
    expect(performance.now() - from).toBeLessThan(10_000);
    await rig.startGateway();
    await rig.untilConnected('streamed');
    await says(13, 1);
    await until('the last one has come', () => texts('/listen').length >= 14, 30_000);
    expect(texts('/listen')).toEqual(expected(14));
    const ids = printed.map((text) => (JSON.parse(text) as { event: { id: string } }).event.id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(said.join('\n')).toContain('trying again');
  }, 90_000);
});
