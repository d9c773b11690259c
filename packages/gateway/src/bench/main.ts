import { cpuMs, InstallationUnderTest, rssBytes } from './installation-under-test.ts';

/*
 * `npm run bench`: the whole product on this machine, through its front door. The gateway (main
 * process, one worker) and the simulated network run in processes of their own; SQLite in a
 * temporary folder; this process is caller and webhook receiver. Absolute figures are this
 * machine's; ratios travel better.
 */

const ALICE = '15550002222';
const OWNER = '15550001111';
const INBOUND = Number(process.env.BENCH_MESSAGES ?? 500);
const SENDS = Number(process.env.BENCH_MESSAGES ?? 500);
const LINES = Number(process.env.BENCH_LINES ?? 100);
const RECONNECTS = 200;
const STEADY_PER_SECOND = 50;
const STEADY_SECONDS = 15;
const IN_FLIGHT = 16;

const report: Record<string, unknown> = {};
const round = (value: number, digits = 1): number => Number(value.toFixed(digits));

function note(name: string, value: unknown): void {
  report[name] = value;
  process.stdout.write(`${name}: ${JSON.stringify(value)}\n`);
}

function percentiles(values: number[]): { p50: number; p99: number; max: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number) => round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0);
  return { p50: at(0.5), p99: at(0.99), max: round(sorted.at(-1) ?? 0) };
}

async function inParallel(count: number, width: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      next += 1;
      await work(next - 1);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}

/** Starts `work` at an even pace and resolves when all of it ended. */
async function atRate(perSecond: number, count: number, work: (index: number) => Promise<void>): Promise<void> {
  const started = performance.now();
  const running: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    const due = started + (index * 1_000) / perSecond;
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    running.push(work(index));
  }
  await Promise.all(running);
}

const say = (at: InstallationUnderTest, body: string) =>
  at.call<{ message_id: string }>('POST', `/api/sandbox/v1/phones/${ALICE}/messages`, {
    to: OWNER,
    type: 'text',
    body,
  });
const send = (at: InstallationUnderTest, body: string) =>
  at.call<{ message_id: string }>('POST', '/api/instances/busy/proxy/send/text', { chat: ALICE, body });

/** Resolves when the webhooks of `count` messages arrived. */
function deliveries(at: InstallationUnderTest, count: number): Promise<Map<string, number>> {
  const arrived = new Map<string, number>();
  return new Promise((resolve) => {
    at.onDelivery = (id, event, time) => {
      if (event !== 'message' || arrived.has(id)) return;
      arrived.set(id, time);
      if (arrived.size >= count) resolve(arrived);
    };
  });
}

interface Measured {
  perSecond: number;
  workerCpuMsEach: number;
  mainCpuMsEach: number;
}

async function measured(at: InstallationUnderTest, count: number, work: () => Promise<void>): Promise<Measured> {
  const [worker, main] = [at.worker, at.main];
  const before = [cpuMs(worker), cpuMs(main)] as const;
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1_000;
  return {
    perSecond: Math.round(count / seconds),
    workerCpuMsEach: round((cpuMs(worker) - before[0]) / count, 2),
    mainCpuMsEach: round((cpuMs(main) - before[1]) / count, 2),
  };
}

/**
 * Messages queue at WhatsApp while the line is away, so that the phone's own cost is not measured;
 * then the line comes back and takes them all.
 */
async function inboundBurst(at: InstallationUnderTest, lineId: string, count: number): Promise<Measured> {
  await at.call('POST', `/api/sandbox/v1/lines/${lineId}/faults`, { kind: 'refuse', for_ms: 600_000 });
  await at.call('POST', `/api/sandbox/v1/lines/${lineId}/faults`, { kind: 'cut' });
  await inParallel(count, IN_FLIGHT, async (index) => void (await say(at, `burst ${index}`)));
  const [worker, main] = [at.worker, at.main];
  const before = [cpuMs(worker), cpuMs(main)] as const;
  const all = deliveries(at, count);
  await at.call('DELETE', `/api/sandbox/v1/lines/${lineId}/faults`);
  // The line is waiting out its back-off: the clock starts with the first message that comes
  // through.
  const times = [...(await all).values()].sort((a, b) => a - b);
  const seconds = ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1_000;
  return {
    perSecond: Math.round((count - 1) / seconds),
    workerCpuMsEach: round((cpuMs(worker) - before[0]) / count, 2),
    mainCpuMsEach: round((cpuMs(main) - before[1]) / count, 2),
  };
}

async function inboundLive(at: InstallationUnderTest, count: number): Promise<Measured> {
  const all = deliveries(at, count);
  return measured(at, count, async () => {
    await inParallel(count, IN_FLIGHT, async (index) => void (await say(at, `live ${index}`)));
    await all;
  });
}

const outbound = (at: InstallationUnderTest, count: number) =>
  measured(at, count, () => inParallel(count, IN_FLIGHT, async (index) => void (await send(at, `out ${index}`))));

async function steady(at: InstallationUnderTest): Promise<void> {
  const count = STEADY_PER_SECOND * STEADY_SECONDS;
  const saidAt = new Map<string, number>();
  const all = deliveries(at, count);
  await atRate(STEADY_PER_SECOND, count, async (index) => {
    const started = performance.now();
    saidAt.set((await say(at, `steady ${index}`)).message_id, started);
  });
  const arrived = await all;
  // From the call that makes the phone write to the webhook on the wire: the phone's encryption and
  // one HTTP hop are in it.
  note(
    `inbound at ${STEADY_PER_SECOND}/s, ms from the phone's call to the webhook`,
    percentiles([...arrived].map(([id, time]) => time - (saidAt.get(id) ?? time))),
  );
  const took: number[] = [];
  await atRate(STEADY_PER_SECOND, count, async (index) => {
    const started = performance.now();
    await send(at, `steady ${index}`);
    took.push(performance.now() - started);
  });
  note(`sends at ${STEADY_PER_SECOND}/s, ms from the request to the answer after WhatsApp's ack`, percentiles(took));
}

async function untilConnected(at: InstallationUnderTest, count: number): Promise<number> {
  const started = performance.now();
  while ((await at.connectedLines()) < count) {
    if (performance.now() - started > 120_000)
      throw new Error(`only ${await at.connectedLines()} of ${count} lines are connected`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return round((performance.now() - started) / 1_000, 2);
}

async function cut(at: InstallationUnderTest, ids: string[]): Promise<void> {
  await Promise.all(ids.map((id) => at.call('POST', `/api/sandbox/v1/lines/${id}/faults`, { kind: 'cut' })));
}

async function main(): Promise<void> {
  const at = await InstallationUnderTest.start();
  try {
    await at.call('POST', '/api/sandbox/v1/phones', { phone: ALICE, name: 'Alice' });
    const busy = await at.link('busy', OWNER);
    // Sessions of both sides are made, code is warm.
    await inboundLive(at, 300);
    await outbound(at, 300);
    note('inbound after an absence (offline queue to webhook delivered)', await inboundBurst(at, busy, INBOUND));
    note('inbound live, one line (bounded by the virtual phone too)', await inboundLive(at, INBOUND));
    note('HTTP sends to server ack, 16 in flight', await outbound(at, SENDS));
    await steady(at);
    const withOne = { inbound: await inboundLive(at, 1_000), sends: await outbound(at, 1_000) };

    const oneLine = rssBytes(at.worker);
    const ids: string[] = [];
    for (let index = 0; index < LINES; index += 1) {
      ids.push(await at.link(`idle-${index}`, `1666000${String(index).padStart(4, '0')}`, false));
    }
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    note(`RSS of the worker, MB (1 line → ${LINES + 1} lines) and MB per idle line`, [
      round(oneLine / 1e6),
      round(rssBytes(at.worker) / 1e6),
      round((rssBytes(at.worker) - oneLine) / 1e6 / LINES, 2),
    ]);
    const withMany = { inbound: await inboundLive(at, 1_000), sends: await outbound(at, 1_000) };
    note('CPU per message, ms of the worker: alone', cpuOf(withOne));
    note(`CPU per message, ms of the worker: beside ${LINES} idle lines`, cpuOf(withMany));

    const cpuBefore = cpuMs(at.worker);
    await cut(at, ids);
    note(
      `seconds until ${LINES} cut lines are connected again (back-off and pacing included)`,
      await untilConnected(at, LINES + 1),
    );
    note('worker CPU ms per reconnect', round((cpuMs(at.worker) - cpuBefore) / LINES));
    for (let done = LINES; done < RECONNECTS; done += LINES) {
      await cut(at, ids);
      await untilConnected(at, LINES + 1);
    }
    const after = { inbound: await inboundLive(at, 1_000), sends: await outbound(at, 1_000) };
    note(`CPU per message, ms of the worker: after ${RECONNECTS} reconnects`, cpuOf(after));
  } finally {
    await at.close();
  }
}

const cpuOf = (run: { inbound: Measured; sends: Measured }) => ({
  inbound: run.inbound.workerCpuMsEach,
  send: run.sends.workerCpuMsEach,
});

await main();
