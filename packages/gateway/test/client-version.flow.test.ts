import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LinkedLine, Rig } from './support/rig.ts';
import { until } from './support/until.ts';

const LINES = '/api/bridge/v1';
const VERSION = '/api/sandbox/v1/client-version';
const MANY = 50;

let rig: Rig;
const lines: LinkedLine[] = [];

beforeAll(async () => {
  rig = await Rig.start();
}, 60_000);
afterAll(() => rig?.close());

interface Shown {
  line_id: string;
  status: string;
  status_reason: string | null;
}
const shown = async () => (await rig.api.expect<{ lines: Shown[] }>(200, 'GET', `${LINES}/lines`)).lines;

test(`a version cut-off in the middle of ${MANY} connected lines: all come back by themselves`, async () => {
  for (let n = 0; n < MANY; n++) lines.push(await rig.linkLine(`line-${n}`, `1555200${String(n).padStart(4, '0')}`));
  expect((await shown()).every(({ status }) => status === 'connected')).toBe(true);
  const { current } = await rig.api.expect<{ current: number }>(200, 'GET', VERSION);
  const next = current + 72_000;
  await rig.api.expect(200, 'PATCH', VERSION, { current: next, min_login: next });
  const { cut } = await rig.api.expect<{ cut: string[] }>(200, 'POST', '/api/sandbox/v1/storm', {});
  expect(cut.length).toBe(MANY);
  await until(
    'every line is back',
    async () => (await shown()).every(({ status, status_reason: why }) => status === 'connected' && why === null),
    60_000,
  );
  const [first] = lines;
  const { message_id: id } = await rig.api.expect<{ message_id: string }>(200, 'POST', `${LINES}/messages/send`, {
    ...{ line_id: first?.lineId, to: lines[1]?.phone, message: 'after the cut-off' },
  });
  expect(id).toBeTruthy();
}, 180_000);

test('a cut-off that no version passes is said, and the line stays away until there is a newer version', async () => {
  const { current } = await rig.api.expect<{ current: number }>(200, 'GET', VERSION);
  await rig.api.expect(200, 'PATCH', VERSION, { min_login: current + 1 });
  const [line] = lines;
  await rig.sandbox.fault(line?.lineId ?? '', { kind: 'cut' });
  const one = () => rig.api.expect<Shown>(200, 'GET', `${LINES}/lines/${line?.lineId}`);
  await until('it is said', async () => (await one()).status_reason === 'client_outdated');
  await rig.api.expect(200, 'PATCH', VERSION, { min_login: 0 });
  expect((await one()).status).toBe('disconnected');
  await rig.stopGateway();
  await rig.startGateway();
  await rig.untilConnected(line?.ref ?? '');
}, 60_000);

test('a version on its way out cannot be linked first: the phone says no more than "Couldn’t link device"', async () => {
  const { current } = await rig.api.expect<{ current: number }>(200, 'GET', VERSION);
  await rig.api.expect(200, 'PATCH', VERSION, { min_pairing: current + 1 });
  await rig.sandbox.phone('15552019999', 'Late');
  await rig.api.expect(200, 'POST', '/api/instances', { customer_ref: 'late' });
  const scan = () =>
    rig.api.call<{ message: string }>('POST', '/api/sandbox/v1/phones/15552019999/scan', { customer_ref: 'late' });
  const refused = await scan();
  expect(refused.status).toBeGreaterThanOrEqual(400);
  expect(refused.body.message).toContain('Couldn’t link device'.replace('’', "'"));
  await rig.api.expect(200, 'PATCH', VERSION, { min_pairing: 0 });
  await until('linked', async () => (await scan()).status === 200);
}, 60_000);
