import type { FrontFleet, FrontNode } from './front-fleet.ts';
import { until } from './until.ts';

/** What can happen to a fleet. */
export const FAULTS = ['kill', 'stop', 'restart', 'cut database', 'cut bus', 'nats', 'database'] as const;
export type Fault = (typeof FAULTS)[number];

const HELD_WITHIN_MS = 60_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** How long things took, in milliseconds, by what they were. */
export class Times {
  readonly #all = new Map<string, number[]>();

  add(what: string, ms: number): void {
    this.#all.set(what, [...(this.#all.get(what) ?? []), Math.round(ms)]);
  }

  /** The longest of each, with how many there were. */
  get longest(): Record<string, { times: number; longestMs: number }> {
    const entries = [...this.#all].map(([what, all]) => [what, { times: all.length, longestMs: Math.max(...all) }]);
    return Object.fromEntries(entries) as Record<string, { times: number; longestMs: number }>;
  }
}

/**
 * Does one of them to a fleet, waits until it is over and all is well, and writes down how long.
 */
export async function inflict(
  fault: Fault,
  fleet: FrontFleet,
  { victim, lastsMs }: { victim: FrontNode; lastsMs: number },
  times: Times,
): Promise<void> {
  const others = () => heldWithout(fleet, victim);
  switch (fault) {
    case 'kill':
      await victim.kill();
      await timed(times, 'kill -9: its lines are held elsewhere', others);
      victim.start();
      break;
    case 'stop':
      victim.signal('SIGSTOP');
      await timed(times, 'SIGSTOP: its lines are held elsewhere', others);
      await pause(lastsMs / 2);
      victim.signal('SIGCONT');
      break;
    case 'restart':
      await timed(times, 'SIGTERM: until the process is over', async () => (await victim.stop()) === 0);
      await timed(times, 'SIGTERM: its lines are held elsewhere', others);
      victim.start();
      break;
    case 'cut database':
      victim.database.close();
      await timed(times, 'cut from the database: its lines are held elsewhere', others);
      victim.database.open();
      break;
    case 'cut bus':
      victim.bus.close();
      await pause(lastsMs);
      victim.bus.open();
      break;
    case 'nats':
      await fleet.nats.stop();
      await pause(lastsMs);
      fleet.nats.start();
      break;
    case 'database':
      for (const { database } of fleet.nodes) database.close();
      await pause(lastsMs);
      for (const { database } of fleet.nodes) database.open();
      await timed(times, 'database away: all lines are held again', () => allHeld(fleet));
      break;
  }
  await Promise.all(fleet.nodes.map((node) => node.untilReady()));
  await until('every line is held', () => allHeld(fleet), HELD_WITHIN_MS);
}

async function timed(times: Times, what: string, holds: () => Promise<boolean>): Promise<void> {
  const from = performance.now();
  await until(what, holds, HELD_WITHIN_MS);
  times.add(what, performance.now() - from);
}

const allHeld = async (fleet: FrontFleet): Promise<boolean> => ((await fleet.shares()).free ?? 0) === 0;

async function heldWithout(fleet: FrontFleet, { name }: FrontNode): Promise<boolean> {
  const shares = await fleet.shares();
  return (shares.free ?? 0) === 0 && (shares[name] ?? 0) === 0;
}
