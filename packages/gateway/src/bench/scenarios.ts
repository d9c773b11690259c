import { type Contestant, pairLine, untilConnected } from './contestant.ts';
import { atRate, inParallel, rounded, type Waits, waitsOf } from './figures.ts';
import type { Network } from './network.ts';
import { cpuByRole, cpuMs, type Memory, memoryOf, pause } from './processes.ts';

/** What one piece of work cost: milliseconds of CPU for each of `count`, by process. */
export interface Cost {
  perSecond: number;
  /** By role of the contestant's own processes. */
  cpuMsEach: Record<string, number>;
  networkCpuMsEach: number;
}

export const OWNER = '15550001111';
export const BUSY = 'busy';
const IN_FLIGHT = 16;
const CHATS = Array.from({ length: 20 }, (_, index) => `1555000${2_000 + index}`);

/** A contestant with the line that does the work, and the phones that it talks to. */
export interface Stage {
  network: Network;
  of: Contestant;
  /** The busy line's id on the network. */
  lineId: string;
}

/** Pairs the busy line; the people whom it talks to get their phones. */
export async function setStage(network: Network, of: Contestant): Promise<Stage> {
  for (const phone of CHATS) await network.control(of.world, 'POST', '/phones', { phone, name: `Person ${phone}` });
  return { network, of, lineId: await pairLine(network, of, BUSY, OWNER) };
}

const chat = (index: number): string => CHATS[index % CHATS.length] ?? '';

const write = ({ network, of }: Stage, index: number, body: string) =>
  network.control<{ message_id: string }>(of.world, 'POST', `/phones/${chat(index)}/messages`, {
    to: OWNER,
    type: 'text',
    body,
  });

/** Sessions of both sides are made, code is warm. */
export async function warmUp(stage: Stage, count: number): Promise<void> {
  await writeAndWait(stage, count);
  await inParallel(count, IN_FLIGHT, (index) => stage.of.send(BUSY, chat(index), `warm ${index}`));
}

/** People write, and everything arrives at the webhook. */
async function writeAndWait(stage: Stage, count: number): Promise<void> {
  const { arrivals } = stage.of;
  arrivals.forget();
  await inParallel(count, IN_FLIGHT, async (index) => void (await write(stage, index, `live ${index}`)));
  await arrivals.until(count);
}

async function costOf({ network, of }: Stage, count: number, work: () => Promise<number | undefined>): Promise<Cost> {
  const processes = await of.processes();
  const before = { ...cpuByRole(processes) };
  const networkBefore = cpuMs(network.pid);
  const started = performance.now();
  const seconds = (await work()) ?? (performance.now() - started) / 1_000;
  const after = cpuByRole(processes);
  const each = (role: string): number => rounded(((after[role] ?? 0) - (before[role] ?? 0)) / count, 2);
  return {
    perSecond: rounded(count / seconds),
    cpuMsEach: Object.fromEntries(Object.keys(after).map((role) => [role, each(role)])),
    networkCpuMsEach: rounded((cpuMs(network.pid) - networkBefore) / count, 2),
  };
}

/** Sends to 20 chats, 16 in flight, until each was answered. */
export const sends = (stage: Stage, count: number): Promise<Cost> =>
  costOf(stage, count, async () => {
    await inParallel(count, IN_FLIGHT, (index) => stage.of.send(BUSY, chat(index), `out ${index}`));
    return undefined;
  });

/** Sends to one chat, 16 in flight: their order is kept, so they go one after another. */
export const sendsToOne = (stage: Stage, count: number): Promise<Cost> =>
  costOf(stage, count, async () => {
    await inParallel(count, IN_FLIGHT, (index) => stage.of.send(BUSY, chat(0), `one ${index}`));
    return undefined;
  });

/**
 * Messages queue at WhatsApp while the line is away, so that the phones' own cost is not in it;
 * then the line comes back and takes them all. The clock runs from the first webhook to the last:
 * the line waits out its back-off before.
 */
export async function backlog(stage: Stage, count: number): Promise<Cost> {
  const { network, of, lineId } = stage;
  const faults = `/lines/${lineId}/faults`;
  await network.control(of.world, 'POST', faults, { kind: 'refuse', for_ms: 600_000 });
  await network.control(of.world, 'POST', faults, { kind: 'cut' });
  await inParallel(count, IN_FLIGHT, async (index) => void (await write(stage, index, `backlog ${index}`)));
  of.arrivals.forget();
  return costOf(stage, count, async () => {
    await network.control(of.world, 'DELETE', faults);
    await of.arrivals.until(count);
    const times = [...of.arrivals.at.values()].sort((a, b) => a - b);
    return (((times.at(-1) ?? 0) - (times[0] ?? 0)) * count) / (count - 1) / 1_000;
  });
}

/** From the call that makes the phone write to its webhook: the phone's own encryption is in it. */
export async function inboundWaits(stage: Stage, perSecond: number, seconds: number): Promise<Waits> {
  const count = perSecond * seconds;
  const { arrivals } = stage.of;
  const saidAt = new Map<string, number>();
  arrivals.forget();
  await atRate(perSecond, count, async (index) => {
    const started = performance.now();
    saidAt.set((await write(stage, index, `paced ${index}`)).message_id, started);
  });
  await arrivals.until(count);
  return waitsOf([...saidAt].map(([id, started]) => (arrivals.at.get(id) ?? Number.POSITIVE_INFINITY) - started));
}

/** From the request to its answer. */
export async function sendWaits({ of }: Stage, perSecond: number, seconds: number): Promise<Waits> {
  const took: number[] = [];
  await atRate(perSecond, perSecond * seconds, async (index) => {
    const started = performance.now();
    await of.send(BUSY, chat(index), `paced ${index}`);
    took.push(performance.now() - started);
  });
  return waitsOf(took);
}

/** Memory of all of its processes once it has had time to rest. */
export async function restingMemory({ of }: Stage, restMs = 5_000): Promise<Memory> {
  await pause(restMs);
  return memoryOf(await of.processes());
}

export async function addIdleLines({ network, of }: Stage, from: number, to: number): Promise<void> {
  for (let index = from; index < to; index += 1)
    await pairLine(network, of, `idle-${index}`, `1666${String(1_000_000 + index)}`);
}

export interface Returned {
  seconds: number;
  cpuMsEach: number;
  networkCpuMsEach: number;
}

/** Every line loses its connection at the same instant. */
export function cutAll(stage: Stage, lines: number): Promise<Returned> {
  return returned(stage, lines, async () => {
    await stage.network.control(stage.of.world, 'POST', '/storm', {});
  });
}

async function returned(stage: Stage, lines: number, cut: () => Promise<void>): Promise<Returned> {
  const { of } = stage;
  let seconds = 0;
  const { cpuMsEach, networkCpuMsEach } = await costOf(stage, lines, async () => {
    await cut();
    // A query made at once may still show the lines of before.
    await pause(200);
    seconds = 0.2 + (await untilConnected(of, lines));
    return seconds;
  });
  const own = Object.values(cpuMsEach).reduce((total, each) => total + each, 0);
  return { seconds: rounded(seconds, 2), cpuMsEach: rounded(own, 2), networkCpuMsEach };
}

/** Seconds from the end of the old processes until every line is connected again. */
export async function restartAll(stage: Stage, lines: number): Promise<number | undefined> {
  const { of } = stage;
  if (!of.restart) return undefined;
  const started = performance.now();
  await of.restart();
  await untilConnected(of, lines);
  return rounded((performance.now() - started) / 1_000, 2);
}
