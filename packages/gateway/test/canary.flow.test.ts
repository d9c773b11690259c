import { afterAll, beforeAll, expect, it } from 'vitest';
import { runProgram } from '../src/cli/program.ts';
import { type Canary, openCanary } from '../src/commands/lines/canary.ts';
import type { CanaryFigures } from '../src/core/canary.ts';
import type { LineRef } from '../src/journal/accept.ts';
import { silentLog } from '../src/observe/logger.ts';
import { createMetrics } from '../src/observe/metrics.ts';
import { readCanaryRecord } from '../src/store/access/canary-record.ts';
import { LineRig } from './support/line-rig.ts';
import { ManualClock } from './support/manual-clock.ts';
import { Rig } from './support/rig.ts';
import { until } from './support/until.ts';

const OWNER = '15550001111';
const HOUR_MS = 3_600_000;

let rig: LineRig;
let line: LineRef;
let clock: ManualClock;
let canary: Canary | undefined;

beforeAll(async () => {
  rig = await LineRig.start();
  await rig.phone(OWNER);
  line = await rig.newLine();
  await rig.pair(line, OWNER);
  clock = new ManualClock(Date.now());
}, 60_000);
afterAll(async () => {
  canary?.close();
  await rig?.close();
});

const open = () =>
  openCanary({
    ...{ store: rig.test.store, router: rig.supervisor, clock, log: silentLog },
    lineId: line.id,
  });
const figures = () => canary?.figures();
const record = () => readCanaryRecord(rig.test.store.db, line.id);
const heard = () => until('it heard itself', () => figures()?.lastSuccessAt === clock.now());
const notes = async () => (await rig.inbox(OWNER)).filter(({ body }) => body.startsWith('This line checks itself'));

it('is not there without CANARY_LINE', async () => {
  expect(
    await openCanary({ store: rig.test.store, router: rig.supervisor, clock, log: silentLog, lineId: undefined }),
  ).toBe(undefined);
});

it('writes to itself soon and then every hour, and knows that its phone has it', async () => {
  canary = await open();
  expect(figures()).toEqual({ lineId: line.id, lastSuccessAt: null, failures: 0 });
  await clock.advance(5 * 60_000);
  await heard();
  expect(await notes()).toHaveLength(1);
  await until('it is written down', async () => (await record()).lastSuccessAt === clock.now());
  await until('the next is due', () => clock.nextInMs === HOUR_MS);
  await clock.advance(HOUR_MS - 1);
  expect(await notes()).toHaveLength(1);
  await clock.advance(1);
  await heard();
  expect(await notes()).toHaveLength(2);
  expect(figures()?.failures).toBe(0);
}, 60_000);

it('says so when nobody received it within two minutes', async () => {
  const before = figures()?.lastSuccessAt;
  await until('the next is due', () => clock.nextInMs === HOUR_MS);
  await silencePhone(true);
  await clock.advance(HOUR_MS);
  await until('it left', async () => (await rig.journal(line, 'message.sent')).length === 3);
  await clock.advance(2 * 60_000 - 1);
  expect(figures()).toMatchObject({ lastSuccessAt: before, failures: 0 });
  await clock.advance(1);
  await until('it failed', () => figures()?.failures === 1);
  await until('it is written down', async () => (await record()).problem?.includes('no other device') === true);
  expect(figures()?.lastSuccessAt).toBe(before);
  await silencePhone(false);
}, 60_000);

it('writes nothing while the line is away, and remembers its last success over a restart', async () => {
  await until('the next is due', () => clock.nextInMs === HOUR_MS);
  await rig.test.store.db.updateTable('lines').set({ status: 'disconnected' }).where('id', '=', line.id).execute();
  await clock.advance(HOUR_MS);
  await until('it failed', () => figures()?.failures === 2);
  await until('it is written down', async () => (await record()).problem === 'the line is disconnected');
  expect(await rig.journal(line, 'message.sent')).toHaveLength(3);
  const { lastSuccessAt } = await record();
  canary?.close();
  expect(clock.pending).toBe(0);
  canary = await open();
  expect(figures()).toEqual({ lineId: line.id, lastSuccessAt, failures: 0 });
}, 60_000);

it('shows in the metrics, and without a canary in none', async () => {
  const metrics = createMetrics();
  const nothing = async () => ({ count: 0, oldestAgeSeconds: 0 });
  let shown: CanaryFigures | undefined;
  metrics.watch({
    ...{ lines: () => [], workers: () => [], workerCrashes: () => 0, sendsWaiting: nothing, inboxWaiting: nothing },
    databaseBytes: async () => ({ size: 0, wal: 0 }),
    clientVersion: () => ({
      version: [2, 3000, 1],
      source: 'built_in',
      fetchedAt: null,
      expiresAt: null,
      problem: null,
    }),
    canary: () => shown,
  });
  expect(await metrics.text()).not.toMatch(/^ponte_canary_/m);
  shown = { lineId: 'line_a', lastSuccessAt: 1_777_000_000_500, failures: 3 };
  const text = await metrics.text();
  expect(text).toContain('ponte_canary_last_success_timestamp_seconds{line="line_a"} 1777000000.5\n');
  expect(text).toContain('ponte_canary_failures_total{line="line_a"} 3\n');
  shown = { ...shown, lastSuccessAt: null };
  expect(await metrics.text()).not.toMatch(/^ponte_canary_last/m);
});

it('is watched by the whole product, and by the doctor', async () => {
  const product = await Rig.start();
  const before = { ...process.env };
  try {
    const { lineId } = await product.linkLine('canary', OWNER);
    await product.stopGateway();
    product.environment.CANARY_LINE = lineId;
    await product.startGateway();
    expect(await (await fetch(`${product.base}/metrics`)).text()).toContain(
      `ponte_canary_failures_total{line="${lineId}"} 0\n`,
    );
    Object.assign(process.env, product.environment);
    const printed: string[] = [];
    const out = { result: (text: string) => void printed.push(text), say: () => {} };
    await runProgram(['doctor'], { version: '1.2.3', consoleFolder: '.', start: async () => {} }, out);
    expect(printed.join('\n')).toMatch(new RegExp(`ok +canary line: ${lineId} never heard itself`));
  } finally {
    process.env = before;
    await product.close();
  }
}, 60_000);

const silencePhone = (isOff: boolean) => rig.world('PUT', `/phones/${OWNER}/settings`, { online: !isOff });
