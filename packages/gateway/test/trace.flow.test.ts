import { randomBytes } from 'node:crypto';
import { createBaileysEngine } from '@ponte/engine-baileys';
import { createSimulator, type Simulator } from '@ponte/simulator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openKeyRing } from '../src/access/open-key-ring.ts';
import { runProgram } from '../src/cli/program.ts';
import { traceLine } from '../src/cli/trace.ts';
import type { TraceEntry } from '../src/core/line-commands.ts';
import type { LineRef } from '../src/journal/accept.ts';
import { createConnectGate } from '../src/lines/connection/connect-gate.ts';
import { LineActor } from '../src/lines/line.ts';
import { silentLog } from '../src/observe/logger.ts';
import { createEngineStore } from '../src/store/engine/engine-store.ts';
import { loadLine } from '../src/store/lines/line-row.ts';
import { openTestSqlite, type TestStore } from './store-harness.ts';
import { ManualClock } from './support/manual-clock.ts';
import { Rig } from './support/rig.ts';
import { insertLine, insertSend } from './support/rows.ts';
import { until } from './support/until.ts';

const OWNER = '15550001111';
const ALICE = '15550002222';
const MINUTE_MS = 60_000;
/** None of these may appear in a trace. */
const SECRETS = [OWNER, ALICE, 'Owner', 'Alice', 'Marzipan', 'Nougat', 'Praline'];

const secretsIn = (text: string): string[] =>
  SECRETS.filter((secret) => text.includes(secret) || text.includes(Buffer.from(secret).toString('hex')));

describe('a line that is traced, on a clock that the test moves', () => {
  let test: TestStore;
  let simulator: Simulator;
  let ref: LineRef;
  let clock: ManualClock;
  let line: LineActor;

  beforeAll(async () => {
    test = await openTestSqlite();
    simulator = await createSimulator();
    ref = await insertLine(test.store);
    clock = new ManualClock(Date.now());
    const row = await loadLine(test.store.db, ref.id);
    if (!row) throw new Error('no such line');
    const ring = await openKeyRing({ masterKey: randomBytes(32), store: test.store, clock });
    const box = await ring.box(ref.id);
    line = await LineActor.open({
      ...{ row, store: test.store, box, clock, log: silentLog, factory: createBaileysEngine() },
      engineStore: createEngineStore({ store: test.store, box, lineId: ref.id, clock }),
      endpoint: { wsUrl: simulator.wsUrl(ref.accountId, ref.id), noiseRoot: simulator.noiseRootPublicKey },
      gate: createConnectGate(0, clock),
      ...{ pacing: null, mailboxCapacity: 100, publish: () => {}, nudge: () => {} },
    });
    for (const [phone, name] of [
      [OWNER, 'Owner'],
      [ALICE, 'Alice'],
    ]) {
      await world('POST', '/phones', { phone, name });
    }
    const { data: qr } = await line.run('pairing.qr', { waitMs: 15_000 });
    await world('POST', `/phones/${OWNER}/scan`, { line_id: ref.id, qr });
    await until('connected', () => line.view.status === 'connected');
  }, 60_000);
  afterAll(async () => {
    let isStopped = false;
    void line?.stop(0).finally(() => (isStopped = true));
    while (line && !isStopped) await clock.advance(1_000);
    await simulator?.close();
    await test?.close();
  });

  const world = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const answer = await simulator.control.handle({ tenant: ref.accountId, method, path, query: {}, body });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const says = (body: string) => world('POST', `/phones/${ALICE}/messages`, { to: OWNER, type: 'text', body });
  const send = async (body: string): Promise<string> => {
    const to = `${ALICE}@s.whatsapp.net`;
    const { id, messageId } = await insertSend(test.store, ref, { to, body, acceptedAt: clock.now() });
    expect(await line.run('send', { outboxId: id })).toMatchObject({ state: 'sent' });
    return messageId;
  };
  const read = (after = 0) => line.run('trace', { do: 'read', after });
  const seen = async (what: string, fits: (one: TraceEntry) => boolean) =>
    until(what, async () => (await read()).entries.find(fits));

  it('shows nothing while it is off', async () => {
    expect(await read()).toEqual({ isOn: false, endsAt: null, entries: [], cursor: 0, lost: 0 });
  });

  it('shows the stanzas of messages in both directions, and nobody’s number, name or text', async () => {
    expect(await line.run('trace', { do: 'start', minutes: 60 })).toMatchObject({
      ...{ isOn: true, endsAt: clock.now() + 60 * MINUTE_MS, entries: [] },
    });
    const { message_id: inId } = (await says('Marzipan')) as { message_id: string };
    const outId = await send('Nougat');
    const came = await seen('the message in', ({ direction, stanza }) => direction === 'in' && stanza.includes(inId));
    expect(came.stanza).toMatch(/^<message .*type="text".*<enc .*type="(pkmsg|msg)".*>\[\d+ bytes\]<\/enc>/);
    expect(came.stanza).toMatch(/ from="(lid|pn)-\d+"/);
    const left = await seen(
      'the message out',
      ({ direction, stanza }) => direction === 'out' && stanza.includes(outId),
    );
    expect(left.stanza).toMatch(
      /^<message .*to="(lid|pn)-\d+".*<enc [^>]*type="(pkmsg|msg)"[^>]*>\[\d+ bytes\]<\/enc>/,
    );
    await seen(
      'its acknowledgement',
      ({ direction, stanza }) => direction === 'in' && /^<ack .*class="message"/.test(stanza),
    );
    await seen(
      'what Baileys answers by itself',
      ({ direction, stanza }) => direction === 'out' && stanza.includes(`"${inId}"`),
    );
    await world('POST', '/groups', { owner: ALICE, subject: 'Praline', participants: [OWNER] });
    await seen('the group', ({ stanza }) => / from="group-\d+"/.test(stanza) && stanza.startsWith('<notification'));
    const text = (await read()).entries.map(({ stanza }) => stanza).join('\n');
    expect(secretsIn(text)).toEqual([]);
    expect(text).not.toMatch(/@(lid|g\.us)|\d@/);
    const phones = (await world('GET', '/phones')) as { phones?: { lid: string }[] } | { lid: string }[];
    for (const { lid } of Array.isArray(phones) ? phones : (phones.phones ?? [])) {
      expect(text).not.toContain(lid.split('@')[0]);
    }
  });

  it('reads on from a cursor', async () => {
    const { cursor, entries } = await read();
    expect(entries.length).toBeGreaterThan(5);
    expect((await read(cursor)).entries).toEqual([]);
    expect((await read(cursor - 2)).entries.map(({ number }) => number)).toEqual([cursor - 1, cursor]);
  });

  it('is off again after its time, and forgets', async () => {
    await clock.advance(60 * MINUTE_MS - 1);
    expect((await read()).isOn).toBe(true);
    await clock.advance(1);
    const { isOn, cursor } = await read();
    expect(isOn).toBe(false);
    await send('Nougat once more');
    expect((await read(cursor)).entries).toEqual([]);
    expect((await read()).entries.length).toBeGreaterThan(0);
    await clock.advance(MINUTE_MS);
    expect((await read()).entries).toEqual([]);
  });

  it('keeps the newest when there are too many, and can be ended early', async () => {
    const { cursor: from } = await line.run('trace', { do: 'start', minutes: 240 });
    for (let n = 0; n < 520; n++) await line.run('numbers.check', { phones: [ALICE] });
    const first = await read(from);
    expect(first.lost).toBeGreaterThan(0);
    const kept = [...first.entries];
    for (let page = await read(first.cursor); page.entries.length > 0; page = await read(page.cursor)) {
      expect(page.lost).toBe(0);
      kept.push(...page.entries);
    }
    expect(kept.length).toBeLessThanOrEqual(1_000);
    expect(kept.map(({ number }) => number)).toEqual(kept.map((_, n) => from + first.lost + n + 1));
    expect(secretsIn(kept.map(({ stanza }) => stanza).join('\n'))).toEqual([]);
    const { isOn, cursor } = await line.run('trace', { do: 'stop' });
    expect(isOn).toBe(false);
    await line.run('numbers.check', { phones: [ALICE] });
    expect((await read(cursor)).entries).toEqual([]);
  }, 60_000);
});

describe('ponte trace, beside a running server', () => {
  const before = { ...process.env };
  const printed: string[] = [];
  const out = { result: (text: string) => void printed.push(text), say: () => {} };
  let rig: Rig;
  let lineId: string;

  beforeAll(async () => {
    rig = await Rig.start();
    Object.assign(process.env, rig.environment);
    await rig.sandbox.phone(ALICE, 'Alice');
    ({ lineId } = await rig.linkLine('traced', OWNER));
  }, 60_000);
  afterAll(async () => {
    process.env = before;
    await rig?.close();
  });
  const send = () =>
    rig.api.expect(200, 'POST', '/api/bridge/v1/messages/send', {
      ...{ line_id: lineId, to: `+${ALICE}`, message: 'Marzipan' },
    });
  const trace = () =>
    rig.api.expect<{ tracing: boolean; ends_at: string | null }>(200, 'GET', `/api/bridge/v1/lines/${lineId}/trace`);

  it('prints stanzas until Ctrl-C, and is off afterwards', async () => {
    const ctrlC = new AbortController();
    const running = traceLine(lineId, { minutes: '5', json: true }, out, ctrlC.signal);
    await until('it is on', async () => (await trace()).tracing);
    await send();
    await until('it is printed', () => printed.some((one) => one.includes('<message')));
    ctrlC.abort();
    await running;
    expect((await trace()).tracing).toBe(false);
    const shown = printed.map((one) => JSON.parse(one) as { direction: string; stanza: string });
    expect(new Set(shown.map(({ direction }) => direction))).toEqual(new Set(['in', 'out']));
    expect(secretsIn(printed.join('\n'))).toEqual([]);
  }, 30_000);

  it('ends another one’s by --stop, and says what is wrong with --minutes', async () => {
    const ponte = (...argv: string[]) =>
      runProgram(argv, { version: '1.2.3', consoleFolder: '.', start: async () => {} }, out);
    await rig.api.expect(200, 'POST', `/api/bridge/v1/lines/${lineId}/trace`, { minutes: 240 });
    expect((await trace()).tracing).toBe(true);
    expect(await ponte('trace', lineId, '--stop')).toBe(0);
    expect((await trace()).tracing).toBe(false);
    expect(await ponte('trace', lineId, '--minutes', '241')).toBe(2);
    const { body, status } = await rig.api.call('POST', `/api/bridge/v1/lines/${lineId}/trace`, { minutes: 241 });
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('At most 240 minutes')]);
  }, 30_000);
});
