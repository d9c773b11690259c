import { afterAll, beforeAll, expect, test } from 'vitest';
import { openInstallation } from '../src/installation.ts';
import { noteRestriction } from '../src/store/lines/restrictions.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

const OWNER = '15550001111';
const ALICE = '15550002222';
const STRANGER = '15550003333';
const LINES = '/api/bridge/v1';
const HOUR_S = 3_600;

let rig: Rig;
let line: LinkedLine;

beforeAll(async () => {
  rig = await Rig.start();
  await rig.sandbox.phone(ALICE, 'Alice');
  await rig.sandbox.phone(STRANGER, 'Stranger');
  line = await rig.linkLine('demo', OWNER);
  await rig.sandbox.say(ALICE, OWNER, 'hello');
  await until('the chat', async () => {
    const { chats } = await rig.api.expect<{ chats: unknown[] }>(200, 'GET', `${LINES}/chats?line_id=${line.lineId}`);
    return chats.length === 1;
  });
}, 60_000);
afterAll(() => rig?.close());

/** As the journal notes it when WhatsApp tells (its own test is with the engine's events). */
async function restrict(isActive: boolean, until: number | null): Promise<void> {
  const at = await openInstallation(rig.environment);
  const since = Math.floor(Date.now() / 1_000);
  const told = { cause: 'reachout_timelock', isActive, until, detail: 'WEB_COMPANION_ONLY' } as const;
  try {
    await at.store.transaction(({ db }) => noteRestriction(db, line.lineId, told, since));
  } finally {
    await at.close();
  }
}
const send = (to: string, more = {}) =>
  rig.api.call<Record<string, string>>('POST', `${LINES}/messages/send`, {
    ...{ line_id: line.lineId, to, message: 'hi', ...more },
  });
const shown = () => rig.api.expect<Record<string, string | null>>(200, 'GET', `${LINES}/lines/${line.lineId}`);

test('a restricted account: said with its end, cold contacts are not tried, people who wrote are answered', async () => {
  // Accepted before the restriction is known, and due after it.
  const early = await send(STRANGER, { send_at: Math.ceil(Date.now() / 1_000) + 2, wait: 0 });
  expect(early.status).toBe(202);
  const end = Math.floor(Date.now() / 1_000) + 6 * HOUR_S;
  const endText = new Date(end * 1_000).toISOString();
  await restrict(true, end);
  expect(await shown()).toMatchObject({ status: 'connected', status_reason: 'restricted', status_until: endText });
  const bridge = await rig.api.expect(200, 'GET', '/api/instances/demo/proxy/status');
  expect(bridge).toMatchObject({ status: 'connected', status_reason: 'restricted', status_until: endText });

  const refused = await send(STRANGER);
  const why = { error: 'account_restricted', cause: 'reachout_timelock', status_until: endText };
  expect(refused).toMatchObject({ status: 422, body: why });
  expect(refused.body.message).toContain(endText);
  const byBridge = await rig.api.call('POST', '/api/instances/demo/proxy/send/text', { chat: STRANGER, body: 'hi' });
  expect(byBridge).toMatchObject({ status: 422, body: { error: 'account_restricted' } });

  expect((await send(ALICE)).status).toBe(200);

  const waits = await send(STRANGER, { if_restricted: 'wait' });
  expect(waits).toMatchObject({ status: 202, body: { status: 'queued' } });
  const message = (id: string | undefined) =>
    rig.api.expect<{ send_at: string; status: string; error: { code: string } | null }>(
      ...([200, 'GET', `${LINES}/messages/${id}?line_id=${line.lineId}`] as const),
    );
  const { items } = await rig.api.expect<{ items: { message_id: string; send_at: string }[] }>(
    ...([200, 'GET', `${LINES}/lines/${line.lineId}/queue`] as const),
  );
  const queued = items.find((item) => item.message_id === waits.body.message_id);
  expect(Date.parse(queued?.send_at ?? '')).toBeGreaterThanOrEqual(end * 1_000);

  const failed = await until('the early one ends', async () => {
    const report = await message(early.body.message_id);
    return report.status === 'failed' && report;
  });
  expect(failed.error?.code).toBe('account_restricted');
  expect((await rig.sandbox.inbox(STRANGER)).length).toBe(0);
}, 60_000);

test('without a told end nobody can wait for it; lifted, everything goes', async () => {
  await restrict(true, null);
  expect(await send(STRANGER, { if_restricted: 'wait' })).toMatchObject({ status: 422 });
  await restrict(false, null);
  expect(await shown()).toMatchObject({ status: 'connected', status_reason: null });
  expect((await send(STRANGER)).status).toBe(200);
}, 60_000);
