import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Agent, connectAgent, textOf } from './support/mcp-agent.ts';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

/*
 * What a send answers is what happened: lost lines, deleted lines, and each refusal of WhatsApp by
 * its own name.
 */

const OWNER = '15550001111';
const ALICE = '15550002222';
const BOB = '15550003333';
const LINES = '/api/bridge/v1';
const PROXY = '/api/instances/demo/proxy';
const SANDBOX = '/api/sandbox/v1';

let rig: Rig;
let agent: Agent;
let line: LinkedLine;

beforeAll(async () => {
  rig = await Rig.start();
  await rig.sandbox.phone(ALICE, 'Alice');
  await rig.sandbox.phone(BOB, 'Bob');
  agent = await connectAgent({ url: `${rig.base}/api/bridge/mcp`, key: rig.testKey });
}, 60_000);
afterAll(async () => {
  await agent?.close();
  await rig?.close();
});
afterEach(() => rig.api.call('DELETE', '/api/instances/demo'));

const link = async () => {
  line = await rig.linkLine('demo', OWNER);
  await rig.api.expect(200, 'PATCH', '/api/instances/demo', { webhook_events: ['message', 'message_status'] });
};
const send = (chat: string, body: string, wait = 20) =>
  rig.api.call('POST', `${PROXY}/send/text?wait=${wait}`, { chat, body });
const sendInLines = (to: string, message: string) =>
  rig.api.call('POST', `${LINES}/messages/send`, { line_id: line.lineId, to, message });
const statesOf = async (messageId: unknown) => {
  const path = `${LINES}/messages/${String(messageId)}?line_id=${line.lineId}`;
  const { timeline } = await rig.api.expect<{ timeline: { state: string }[] }>(200, 'GET', path);
  return timeline.map(({ state }) => state);
};
const untilThere = (body: string) =>
  until(`"${body}" arrives`, async () => (await rig.sandbox.inbox(ALICE)).find((item) => item.body === body));

test('a send that left before its line was lost answers 202 pending in both APIs and MCP, and is never called failed', async () => {
  await link();
  await rig.sandbox.fault(line.lineId, { kind: 'slow_acks', ms: 60_000, for_ms: 120_000 });
  const byBridges = send(ALICE, 'left by Bridges');
  await untilThere('left by Bridges');
  const byLines = sendInLines(`+${BOB}`, 'left by Lines');
  const byAgent = agent.call('bridge_send_message', { line_id: line.lineId, to: `+${OWNER}`, message: 'left by MCP' });
  await until('the other one is there', async () =>
    (await rig.sandbox.inbox(BOB)).some((item) => item.body === 'left by Lines'),
  );
  await until('the third one left', async () => {
    const wire = await rig.api.expect<{ direction: string; tag: string }[]>(
      200,
      'GET',
      `${SANDBOX}/lines/${line.lineId}/wire`,
    );
    return wire.filter(({ direction, tag }) => direction === 'in' && tag === 'message').length >= 3;
  });
  await rig.sandbox.fault(line.lineId, { kind: 'logged_out' });
  const [bridges, lines, told] = await Promise.all([byBridges, byLines, byAgent]);
  expect([bridges.status, bridges.body.status]).toEqual([202, 'pending']);
  expect([lines.status, lines.body.status]).toEqual([202, 'pending']);
  expect(told.structuredContent).toMatchObject({ status: 'pending' });
  expect(textOf(told)).toContain('may have arrived');
  for (const { body } of [bridges, lines]) {
    const states = await statesOf(body.message_id);
    expect(states).toContain('sent');
    expect(states).not.toContain('failed');
  }
  // What never left is refused as before.
  expect((await send(ALICE, 'too late')).status).toBe(409);
}, 60_000);

test('deleting a line answers every waiting caller at once', async () => {
  await link();
  await rig.sandbox.fault(line.lineId, { kind: 'slow_acks', ms: 60_000, for_ms: 120_000 });
  const startedAt = performance.now();
  const waiting = ['one', 'two', 'three'].map((body) => send(ALICE, `deleted ${body}`, 30));
  await untilThere('deleted one');
  const deleted = rig.api.expect(204, 'DELETE', '/api/instances/demo');
  const answers = await Promise.all(waiting);
  await deleted;
  expect(performance.now() - startedAt).toBeLessThan(15_000);
  const [first, ...others] = answers;
  expect([first?.status, first?.body.status]).toEqual([202, 'pending']);
  // Those behind it in the chat never left.
  for (const { status, body } of others) expect([status === 202 ? body.status : status]).not.toEqual([200]);
}, 60_000);

test('each refusal of WhatsApp has a code and a sentence of its own, in both APIs and MCP', async () => {
  await link();
  const group = async (subject: string) =>
    (
      await rig.api.expect<{ jid: string }>(201, 'POST', `${SANDBOX}/groups`, {
        subject,
        owner: ALICE,
        participants: [OWNER, BOB],
      })
    ).jid;
  const [left, announce] = [await group('left'), await group('announce')];
  await rig.api.expect(200, 'PATCH', `${SANDBOX}/groups/${announce}`, { announce: true });
  await rig.api.expect(200, 'POST', `${PROXY}/groups/${left}/leave`);
  const { jid: channel } = await rig.api.expect<{ jid: string }>(201, 'POST', `${SANDBOX}/channels`, {
    name: 'News',
    owner: ALICE,
  });
  const { jid: own } = await rig.api.expect<{ jid: string }>(201, 'POST', `${SANDBOX}/channels`, {
    name: 'Own',
    owner: OWNER,
  });
  const refusals: [to: string, status: number, code: string][] = [
    ['120363000000000001@g.us', 404, 'group_not_found'],
    [left, 403, 'not_in_group'],
    [announce, 403, 'group_admins_only'],
    [channel, 403, 'channel_admins_only'],
    ['120363000000000002@newsletter', 404, 'channel_not_found'],
    ['15559999999', 422, 'not_on_whatsapp'],
  ];
  const sentences = new Set<unknown>();
  for (const [to, status, code] of refusals) {
    const bridges = await send(to, 'refused');
    expect([to, bridges.status, bridges.body.error]).toEqual([to, status, code]);
    const lines = await sendInLines(to, 'refused');
    expect([to, lines.status, lines.body.error]).toEqual([to, status, code]);
    const refused = await agent.refused('bridge_send_message', { line_id: line.lineId, to, message: 'refused' });
    expect([to, refused.code]).toEqual([to, code]);
    sentences.add(lines.body.message);
  }
  expect(sentences.size).toBe(refusals.length);
  expect((await send(own, 'a post')).status).toBe(200);
  const poll = { chat: own, question: 'Which?', options: ['a', 'b'] };
  expect((await rig.api.call('POST', `${PROXY}/send/poll`, poll)).body.error).toBe('channel_text_only');
}, 60_000);
