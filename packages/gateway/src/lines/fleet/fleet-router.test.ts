import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { Bus } from '../../bus/bus.ts';
import { LocalBusHub } from '../../bus/local-bus.ts';
import { AppError } from '../../core/app-error.ts';
import { silentLog } from '../../observe/logger.ts';
import { FleetRouter } from './fleet-router.ts';

const VIEW = { state: 'running', health: 'healthy', startedAt: 1, failCount: 0, worker: 'test-1' } as const;

describe('the way to a line from any node', () => {
  let clock: ManualClock;
  let hub: LocalBusHub;
  /** By the database. */
  let owner: string | undefined;
  let asked: number;
  const nodes: { router: FleetRouter; bus: Bus; lines: Set<string>; done: string[] }[] = [];

  beforeEach(() => {
    clock = new ManualClock();
    hub = new LocalBusHub(clock);
    owner = undefined;
    asked = 0;
  });
  afterEach(async () => {
    for (const { router, bus } of nodes.splice(0)) {
      router.close();
      await bus.close();
    }
  });

  /** A node whose lines answer with the number's digits reversed, and refuse "bad". */
  function node(nodeId: string, answer?: () => Promise<unknown>) {
    const bus = hub.connect();
    const lines = new Set<string>();
    const done: string[] = [];
    const router = new FleetRouter({
      nodeId,
      bus,
      local: {
        isHere: (lineId) => lines.has(lineId),
        async run(lineId, name) {
          done.push(`${name} ${lineId}`);
          if (lineId === 'line_bad') throw new AppError('line_not_connected', { status: 'logged_out' });
          return (answer ? await answer() : { from: nodeId }) as never;
        },
        start: async (lineId) => void done.push(`start ${lineId}`),
        stop: async (lineId) => void done.push(`stop ${lineId}`),
        view: () => VIEW,
      },
      ownerOf: async () => {
        asked += 1;
        return owner;
      },
      made: async () => {},
      remoteView: () => undefined,
      isMoving: async () => false,
      clock,
      log: silentLog,
    });
    const made = { router, bus, lines, done };
    nodes.push(made);
    return made;
  }
  const check = ({ router }: { router: FleetRouter }, lineId = 'line_1', timeoutMs = 20_000) =>
    router.run(lineId, 'stats', {}, { timeoutMs });
  /** The end of a promise while time passes. */
  async function after<T>(ms: number, promise: Promise<T>): Promise<T> {
    promise.catch(() => {});
    await clock.advance(ms);
    return promise;
  }

  test('a line of its own is asked here, and nobody else is', async () => {
    const a = node('node_a');
    a.lines.add('line_1');
    expect(await check(a)).toEqual({ from: 'node_a' });
    expect(asked).toBe(0);
  });

  test('a line of another node is asked there, and its owner is looked up once', async () => {
    const [a, b] = [node('node_a'), node('node_b')];
    b.lines.add('line_1');
    owner = 'node_b';
    expect(await check(a)).toEqual({ from: 'node_b' });
    expect(await check(a)).toEqual({ from: 'node_b' });
    expect(asked).toBe(1);
    expect(b.done).toEqual(['stats line_1', 'stats line_1']);
  });

  test('what the line says no with comes back as it was', async () => {
    const [a, b] = [node('node_a'), node('node_b')];
    b.lines.add('line_bad');
    owner = 'node_b';
    await expect(check(a, 'line_bad')).rejects.toMatchObject({
      code: 'line_not_connected',
      details: { status: 'logged_out' },
    });
  });

  test('a line that moved is asked at its new place', async () => {
    const [a, b, c] = [node('node_a'), node('node_b'), node('node_c')];
    b.lines.add('line_1');
    owner = 'node_b';
    await check(a);
    b.lines.clear();
    c.lines.add('line_1');
    owner = 'node_c';
    expect(await after(1_000, check(a))).toEqual({ from: 'node_c' });
  });

  test('a dead owner costs no time-out: the next one is asked as soon as there is one', async () => {
    const [a, b] = [node('node_a'), node('node_b')];
    owner = 'node_dead';
    const answer = check(a);
    answer.catch(() => {});
    await clock.advance(5_000);
    owner = 'node_b';
    b.lines.add('line_1');
    expect(await after(500, answer)).toEqual({ from: 'node_b' });
  });

  test('a line that nobody takes in time has failed', async () => {
    const a = node('node_a');
    await expect(after(20_001, check(a))).rejects.toMatchObject({ code: 'line_failed' });
  });

  test('an owner that does not answer is not asked twice: it may have done it', async () => {
    const never = Promise.withResolvers<unknown>();
    const [a, b] = [node('node_a'), node('node_b', () => never.promise)];
    b.lines.add('line_1');
    owner = 'node_b';
    await expect(after(21_001, check(a))).rejects.toMatchObject({ code: 'whatsapp_timeout' });
    expect(b.done).toHaveLength(1);
    never.resolve(undefined);
  });

  test('without the bus the caller hears at once that it is to try again', async () => {
    const a = node('node_a');
    owner = 'node_b';
    await a.bus.close();
    await expect(check(a)).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('starts and stops are the owner’s; what nobody runs needs no stop', async () => {
    const [a, b] = [node('node_a'), node('node_b')];
    await a.router.stop('line_1');
    b.lines.add('line_1');
    owner = 'node_b';
    await a.router.stop('line_1');
    await a.router.start('line_1');
    expect(b.done).toEqual(['stop line_1', 'start line_1']);
    expect(a.done).toEqual([]);
  });

  test('of a line elsewhere its row is believed until its owner says something', () => {
    const a = node('node_a');
    expect(a.router.view('line_1')).toMatchObject({ state: 'running', worker: null });
    a.lines.add('line_1');
    expect(a.router.view('line_1')).toBe(VIEW);
  });
});
