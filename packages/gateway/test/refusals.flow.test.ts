import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

/*
 * What WhatsApp refuses, loses and keeps silent about, as callers of both APIs hear of it;
 * http.refusals.test.ts has the whole table with a scripted worker.
 */

const ALICE = '15550002222';
const OWNER = '15550001111';
const NOBODY = '15559999999';
const PROXY = '/api/instances/demo/proxy';

let rig: Rig;
let line: LinkedLine;
beforeAll(async () => {
  rig = await Rig.start();
  await rig.sandbox.phone(ALICE, 'Alice');
  line = await rig.linkLine('demo', OWNER);
}, 60_000);
afterAll(() => rig?.close());

const text = (body: string, chat = ALICE, wait = 20) =>
  rig.api.call<Record<string, unknown>>('POST', `${PROXY}/send/text?wait=${wait}`, { chat, body });
const inLines = (message: string) =>
  rig.api.call<Record<string, unknown>>('POST', '/api/bridge/v1/messages/send', {
    line_id: line.lineId,
    to: `+${ALICE}`,
    message,
  });
/** Messages of the line that the network saw. */
const onTheWire = async () => {
  const wire = await rig.api.expect<{ direction: string; tag: string }[]>(
    200,
    'GET',
    `/api/sandbox/v1/lines/${line.lineId}/wire`,
  );
  return wire.filter(({ direction, tag }) => direction === 'in' && tag === 'message').length;
};
const copiesOf = async (body: string) => (await rig.sandbox.inbox(ALICE)).filter((item) => item.body === body);

test.each([
  [463, 'recipient_restricted'],
  [479, 'message_malformed'],
])('a refusal %i is told as what it is, and the message is not sent again', async (code, word) => {
  await text('before');
  const before = await onTheWire();
  await rig.sandbox.fault(line.lineId, { kind: 'reject_sends', code, count: 2 });
  const refused = await text(`refused ${code}`);
  expect([refused.status, refused.body.error, refused.body.details]).toEqual([
    502,
    'whatsapp_error',
    { whatsapp_code: code },
  ]);
  const again = await inLines(`refused ${code}`);
  expect([again.status, again.body.error, again.body.whatsapp_code]).toEqual([422, word, code]);
  // A new login is when whatever waits would leave.
  await rig.sandbox.fault(line.lineId, { kind: 'cut' });
  await until('the connection is lost', async () => {
    const { status } = await rig.api.expect(200, 'GET', `${PROXY}/status`);
    return status !== 'connected';
  });
  await rig.untilConnected('demo');
  expect((await text(`after ${code}`)).status).toBe(200);
  await until('the next message is there', async () => (await copiesOf(`after ${code}`)).length > 0);
  expect(await onTheWire()).toBe(before + 3);
  expect(await copiesOf(`refused ${code}`)).toEqual([]);
});

test('a number without WhatsApp is told apart from what WhatsApp refuses', async () => {
  const nobody = await text('x', NOBODY);
  expect([nobody.status, nobody.body.error]).toEqual([422, 'not_on_whatsapp']);
  const avatar = await rig.api.call('GET', `${PROXY}/contacts/${NOBODY}/avatar`);
  expect([avatar.status, avatar.body.error]).toEqual([422, 'not_on_whatsapp']);
});

test('a WhatsApp that falls silent: a send is queued and arrives once, a question ends with 504', async () => {
  await rig.sandbox.fault(line.lineId, { kind: 'black_hole', for_ms: 11_000 });
  const asked = rig.api.call('GET', `${PROXY}/contacts/${ALICE}/avatar`);
  const queued = await text('into the silence', ALICE, 1);
  expect([queued.status, queued.body.status]).toEqual([202, 'queued']);
  const answer = await asked;
  expect([answer.status, answer.body.error]).toEqual([504, 'whatsapp_timeout']);
  const [item, ...others] = await until(
    'the message arrives',
    async () => {
      const items = await copiesOf('into the silence');
      return items.length > 0 && items;
    },
    40_000,
  );
  expect([item?.message_id, others]).toEqual([queued.body.message_id, []]);
}, 70_000);
