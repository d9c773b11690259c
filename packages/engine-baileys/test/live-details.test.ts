import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { closeLines, EngineLine } from '../../engine/src/conformance/line.ts';
import { until } from '../../engine/src/conformance/until.ts';
import { simulatorNetwork, TENANT, type TestNetwork } from './simulator-network.ts';

/* Smaller things that WhatsApp wants as WhatsApp Web does them (docs/live.md). */

/** One-time keys of an upload, ids of a receipt: as WhatsApp Web has it. */
const KEYS = 812;
const IDS_MAX = 256;

let network: TestNetwork;
beforeAll(async () => {
  network = await simulatorNetwork();
});
afterEach(closeLines);
afterAll(() => network.close());

const low = (left: number, id: string) => ({
  tag: 'notification',
  attrs: { id, from: '@s.whatsapp.net', type: 'encrypt', t: '1780000000' },
  content: [{ tag: 'count', attrs: { value: String(left) } }],
});

it('uploads as many keys as WhatsApp Web at every warning, however many are left', async () => {
  const phone = await network.phone('15550310001');
  const line = await EngineLine.paired(network, 'low-keys', phone);
  const { preKeys } = network.simulator.world.network(TENANT).tenant;
  // Keys have numbers in their order; the server keeps the newest two thousand.
  const keys = () => preKeys.ids(phone.phone, 1).at(-1);
  // The phone wrote before there were any keys: WhatsApp warned already.
  await until('the uploads of the login', () => keys() === 2 * KEYS);
  // A warning during an upload is met by it: its answer is awaited each time.
  await line.roundTrip();
  for (const [index, left] of [300, 9].entries()) {
    const id = `LOW${index}`;
    network.push(line.id, low(left, id));
    await until(`the answer to ${left} left`, () => keys() === KEYS * (index + 3));
    await until('the acknowledgement', () => line.sent('ack', { id, class: 'notification' }).length === 1);
    await line.roundTrip();
  }
});

it('names at most 256 messages in a read receipt', async () => {
  const phone = await network.phone('15550310002');
  const bob = await network.phone('15550310003');
  const line = await EngineLine.paired(network, 'long-receipt', phone);
  await bob.sendText(phone.pn, 'read me');
  const { chat } = await line.text('read me');
  const ids = Array.from({ length: 2 * IDS_MAX + 10 }, (_, index) => `READ${index}`);
  await line.engine.markRead(chat.jid, ids, undefined, false);
  const receipts = () =>
    network.simulator.world
      .wire(TENANT, line.id, 0)
      .filter(({ tag, attrs }) => tag === 'receipt' && attrs.type === 'read');
  await until('the receipts', () => receipts().length === 3);
  expect(receipts().map(({ attrs, note }) => [attrs.id, note])).toEqual([
    ['READ0', undefined],
    [`READ${IDS_MAX}`, undefined],
    [`READ${2 * IDS_MAX}`, undefined],
  ]);
});
