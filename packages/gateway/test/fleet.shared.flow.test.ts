import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createConsoleAccess } from '../src/access/console-access.ts';
import { systemClock } from '../src/core/clock.ts';
import { LEASE_TIMES } from '../src/lines/fleet/lease-protocol.ts';
import { putPlan } from '../src/store/access/plans.ts';
import { listNodes } from '../src/store/fleet/list-nodes.ts';
import { Api } from './support/api.ts';
import { SseReader } from './support/event-readers.ts';
import { FrontFleet, type FrontNode } from './support/front-fleet.ts';
import { NATS_SERVER } from './support/nats-server.ts';
import { until } from './support/until.ts';

const LINES_API = '/api/bridge/v1';
const ALICE = '16660000001';
const OWNER = { name: 'Olga', email: 'olga@example.com', password: 'correct horse battery' };
const DEFAULT_LIMITS = { RATE_LIMIT_PROVISION: '10', RATE_LIMIT_OTHER: '120' };

/** What was one process's own is one for all nodes. */
describe.runIf(process.env.TEST_DATABASE_URL && NATS_SERVER)('two nodes as one', () => {
  let fleet: FrontFleet;
  let a: FrontNode;
  let b: FrontNode;
  let lineId: string;

  beforeAll(async () => {
    fleet = await FrontFleet.start(DEFAULT_LIMITS);
    [a, b] = [await fleet.addNode(), await fleet.addNode()];
    await Promise.all([a.untilReady(), b.untilReady()]);
    await fleet.world('POST', '/phones', { phone: ALICE, name: 'Alice' });
    lineId = (await fleet.addLine()).id;
    await until('it is connected', async () => {
      const line = await b.api.call<{ status: string }>('GET', `${LINES_API}/lines/${lineId}`);
      return line.body.status === 'connected';
    });
  }, 90_000);
  afterAll(() => fleet?.close(), 60_000);

  /** A key of its own, with budgets of its own. */
  const newKey = (more: { needsApproval?: boolean } = {}) =>
    fleet.withInstallation(({ keys, defaultAccountId: accountId }) =>
      keys.create({ accountId, mode: 'test', name: 'a key', ...more }),
    );
  const both = (key: string): [Api, Api] => [new Api(a.base, key), new Api(b.base, key)];
  const send = (api: Api, message: string, headers: Record<string, string> = {}) =>
    api.call<{ message_id?: string; error?: { code: string } }>(
      'POST',
      `${LINES_API}/messages/send`,
      { line_id: lineId, to: `+${ALICE}`, message },
      headers,
    );

  test('a key that is revoked is refused by every node within a second, also without NATS', async () => {
    const { id, key } = await newKey();
    const [one, other] = both(key);
    for (const api of [one, other]) expect((await api.call('GET', `${LINES_API}/lines`)).status).toBe(200);
    b.bus.close();
    try {
      await fleet.withInstallation(({ keys }) => keys.revoke(id));
      const from = performance.now();
      for (const api of [one, other]) {
        await until('it is refused', async () => (await api.call('GET', `${LINES_API}/lines`)).status === 401, 1_000);
      }
      expect(performance.now() - from).toBeLessThan(1_000);
    } finally {
      b.bus.open();
    }
  });

  test('what happens on a line reaches a stream at every node', async () => {
    const headers = { authorization: `Bearer ${(await newKey()).key}` };
    const streams = await Promise.all([a, b].map((node) => SseReader.open(`${node.base}${LINES_API}/events`, headers)));
    const { message_id } = await fleet.world<{ message_id: string }>('POST', `/phones/${ALICE}/messages`, {
      ...{ to: fleet.lines[0]?.phone, type: 'text', body: 'for both' },
    });
    const hasIt = (reader: SseReader) => reader.events.some(({ data }) => data?.includes(message_id));
    await Promise.all(streams.map((stream) => stream.until(hasIt)));
    for (const stream of streams) stream.close();
  });

  test('a budget is one for both, to the last place', async () => {
    const apis = both((await newKey()).key);
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) => apis[i % 2]?.call('POST', `${LINES_API}/lines`, {})),
    );
    const statuses = answers.map((answer) => answer?.status).toSorted();
    expect(statuses).toEqual([...Array(10).fill(200), ...Array(20).fill(429)]);
  });

  test('a request that is repeated at the other node is the same request', async () => {
    const [one, other] = both((await newKey()).key);
    for (let i = 0; i < 5; i += 1) {
      const headers = { 'idempotency-key': `once-${i}` };
      const first = send(one, `once ${i}`, headers);
      const again = await send(other, `once ${i}`, headers);
      const ids = [(await first).body.message_id, again.body.message_id].filter((id) => id !== undefined);
      expect(new Set(ids).size).toBe(1);
      expect((await send(other, `once ${i}`, headers)).body.message_id).toBe(ids[0]);
    }
  });

  test('a plan is used up to the last message, and no further, whichever nodes are asked', async () => {
    const apis = both((await newKey()).key);
    const usage = () =>
      fleet.withInstallation(async ({ store }) => {
        const rows = await store.db.selectFrom('usage').select('used').where('metric', '=', 'sent_messages').execute();
        return rows.reduce((sum, { used }) => sum + Number(used), 0);
      });
    const before = await usage();
    const limits = { sent_messages: before + 4, webhook_events: null, lines: null };
    await fleet.withInstallation(({ store }) => putPlan(store.db, { name: 'unlimited', limits }, systemClock.now()));
    const answers = await Promise.all(Array.from({ length: 12 }, (_, i) => send(apis[i % 2] as Api, `plan ${i}`)));
    expect(answers.filter(({ status }) => status < 300)).toHaveLength(4);
    expect(await usage()).toBe(before + 4);
    const open = { sent_messages: null, webhook_events: null, lines: null };
    await fleet.withInstallation(({ store }) =>
      putPlan(store.db, { name: 'unlimited', limits: open }, systemClock.now()),
    );
  });

  test('a link that one node made opens at the other, and shows what the line offers', async () => {
    const [one] = both((await newKey()).key);
    const { line_id } = await one.expect<{ line_id: string }>(200, 'POST', `${LINES_API}/lines`, {});
    const { url } = await one.expect<{ url: string }>(200, 'POST', `${LINES_API}/lines/${line_id}/connect-link`);
    const path = new URL(url).pathname;
    const look = async (node: FrontNode, want: string) => {
      const answer = await fetch(`${node.base}${path}/state?want=${want}`, {
        headers: { 'x-connect-visitor': 'a-browser-of-its-own-1' },
      });
      return (await answer.json()) as { state: string; qr?: { data: string } | null };
    };
    for (const node of [a, b]) {
      await until('the code is there', async () => (await look(node, 'qr')).qr != null);
      expect((await look(node, 'none')).state).toBe('waiting');
    }
  });

  describe('people', () => {
    const page = async (node: FrontNode, method: string, path: string, body?: unknown, cookie?: string) => {
      const answer = await fetch(`${node.base}/api/console/v1${path}`, {
        method,
        headers: {
          'x-ponte-console': '1',
          'content-type': 'application/json',
          ...(cookie === undefined ? {} : { cookie }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return {
        status: answer.status,
        cookie: answer.headers.get('set-cookie')?.split(';')[0],
        body: await answer.text(),
      };
    };
    let cookie: string;

    test('who signs in at one node is signed in at the other', async () => {
      const token = await fleet.withInstallation(({ store, ring, defaultAccountId: accountId }) =>
        createConsoleAccess({ store, ring, clock: systemClock, accountId }).newSetUpToken(),
      );
      const signedIn = await page(a, 'POST', '/set-up', { token, ...OWNER });
      expect(signedIn.status).toBe(200);
      cookie = signedIn.cookie ?? '';
      expect((await page(b, 'GET', '/sessions', undefined, cookie)).status).toBe(200);
    });

    test('what a key asks at one node a person decides at the other, and the caller hears it', async () => {
      const [one] = both((await newKey({ needsApproval: true })).key);
      type Asked = { approval_id: string; status: string };
      const call = { name: 'bridge_send_message', arguments: { line_id: lineId, to: `+${ALICE}`, message: 'may I?' } };
      const answer = await one.call(
        'POST',
        '/api/bridge/mcp',
        { jsonrpc: '2.0', id: 1, method: 'tools/call', params: call },
        { accept: 'application/json, text/event-stream' },
      );
      const { result } = JSON.parse(/^data: (.*)$/m.exec(answer.raw)?.[1] ?? answer.raw) as {
        result: { structuredContent: Asked };
      };
      const asked = result.structuredContent;
      expect(asked.status).toBe('pending_approval');
      const waiting = one.call<Asked>('GET', `${LINES_API}/approvals/${asked.approval_id}?wait=20`);
      const decided = await page(b, 'POST', `/approvals/${asked.approval_id}/approve`, {}, cookie);
      expect(decided.status).toBe(200);
      expect((await waiting).body.status).toMatch(/sent|queued/);
    });

    test('guesses are counted together', async () => {
      const statuses: number[] = [];
      for (let i = 0; i < 8; i += 1) {
        const guess = { email: OWNER.email, password: `wrong guess ${i}` };
        statuses.push((await page(i % 2 ? a : b, 'POST', '/session', guess)).status);
      }
      expect(statuses.filter((status) => status === 429).length).toBe(3);
    });
  });

  test('a node with another master key does not start, and says why', async () => {
    const said = await fleet.refusal({ MASTER_KEY: 'b'.repeat(64) });
    expect(said).toMatch(/^ponte: the master key is not the one this database was encrypted with.*\n$/);
  });

  test('schedules are done by one node, and by the other one when that one ends', { timeout: 60_000 }, async () => {
    const holders = await fleet.dutyHolders();
    expect(holders).toHaveLength(1);
    const [pid] = holders;
    const holder = [a, b].find((node) => node.pid === pid) as FrontNode;
    await holder.kill();
    await until('the other one has them', async () => {
      const [now] = await fleet.dutyHolders();
      return now !== undefined && now !== pid;
    });
    const nodes = await listNodes(fleet.test.store.db, LEASE_TIMES.ttlMs);
    expect(nodes.map(({ name }) => name).toSorted()).toEqual(['n1', 'n2']);
  });
});
