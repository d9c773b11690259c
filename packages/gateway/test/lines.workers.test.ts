import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../src/core/clock.ts';
import { forkWorkers } from '../src/lines/workers/fork-worker.ts';
import { createSupervisor, type Supervisor } from '../src/lines/workers/supervisor.ts';
import { silentLog } from '../src/observe/logger.ts';
import { openTestSqlite, type TestStore } from './store-harness.ts';
import { insertLine } from './support/rows.ts';
import { until } from './support/until.ts';

const WORKER = new URL('./support/fake-worker-main.ts', import.meta.url).pathname;
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('worker processes', () => {
  let test: TestStore;
  let supervisor: Supervisor;
  let seenPids: Set<number>;

  beforeEach(async () => {
    test = await openTestSqlite();
    seenPids = new Set();
    supervisor = createSupervisor({
      config: { workers: 2, isolation: 'shared', hangAfterMs: 1_500, setup: { ...setup(), databaseUrl: test.url } },
      store: test.store,
      spawnWorker: forkWorkers(WORKER),
      endpointFor: () => ({ wsUrl: 'ws://127.0.0.1:1', noiseRoot: new Uint8Array(32) }),
      clock: systemClock,
      log: silentLog,
      onNudge: () => {},
    });
  });
  afterEach(async () => {
    for (const pid of supervisor.pids()) seenPids.add(pid);
    await supervisor.close();
    expect([...seenPids].filter(isAlive), 'children left behind').toEqual([]);
    await test.close();
  });

  const setup = () => ({
    databaseUrl: '',
    lockFile: null,
    masterKey: new Uint8Array(32).fill(7),
    logLevel: 'silent' as const,
    heartbeatMs: 100,
    connectsPerSecond: 0,
    mailboxCapacity: 10,
    blobs: { kind: 'folder' as const, folder: '/nowhere', isShared: false },
  });
  async function connectedLine(mode: 'live' | 'test' = 'test'): Promise<string> {
    const { id } = await insertLine(test.store, mode);
    await supervisor.start(id);
    await supervisor.run(id, 'pairing.qr', { waitMs: 5_000 }, { timeoutMs: 5_000 }).catch(() => {});
    await until('connected', () => supervisor.live.latest(id)?.status === 'connected');
    for (const pid of supervisor.pids()) seenPids.add(pid);
    return id;
  }
  const ask = (id: string, phone: string) =>
    supervisor.run(id, 'numbers.check', { phones: [phone] }, { timeoutMs: 10_000 });

  it('host live and test lines apart', async () => {
    const lines = [await connectedLine('live'), await connectedLine('test'), await connectedLine('test')];
    expect(lines.map((id) => supervisor.view(id).worker)).toEqual(['live-1', 'test-1', 'test-2']);
    expect(supervisor.pids()).toHaveLength(3);
    const stats = await supervisor.run(lines[0] ?? '', 'stats', {}, { timeoutMs: 5_000 });
    expect(stats).toMatchObject({ worker: 'live-1', linesInWorker: 1 });
  });

  it.each(['exit', 'throw', 'reject'])(
    'that end by "%s" are replaced, and their lines connect again',
    async (misdeed) => {
      const id = await connectedLine();
      const [before] = supervisor.pids();
      // The answer may be on its way already when the process ends.
      await ask(id, misdeed).catch((error: unknown) => expect(error).toMatchObject({ code: 'line_failed' }));
      await until('connected again', () => supervisor.view(id).state === 'running' && supervisor.pids()[0] !== before);
      await until('it answers', async () => (await ask(id, '15550001111').catch(() => [])).length === 1);
      expect(supervisor.view(id)).toMatchObject({ health: 'degraded', failCount: 1 });
    },
  );

  it('that hang are killed and replaced', async () => {
    const id = await connectedLine();
    const [before] = supervisor.pids();
    await expect(ask(id, 'hang')).rejects.toMatchObject({ code: 'line_failed' });
    await until('replaced', () => supervisor.view(id).state === 'running' && supervisor.pids()[0] !== before);
    expect(isAlive(before ?? 0)).toBe(false);
  });

  it('end at once when the main process is gone', async () => {
    const child: ChildProcess = fork(WORKER, [], {
      serialization: 'advanced',
      execArgv: [],
      env: {},
    });
    child.send({ type: 'setup', setup: { ...setup(), databaseUrl: test.url, worker: 'orphan' } });
    await once(child, 'message');
    const gone = once(child, 'exit');
    child.disconnect();
    expect((await gone)[0]).toBe(1);
  });

  it('with the wrong master key host nothing, and are given up on visibly', async () => {
    await connectedLine();
    const other = createSupervisor({
      config: {
        workers: 1,
        isolation: 'shared',
        setup: { ...setup(), databaseUrl: test.url, masterKey: new Uint8Array(32).fill(8) },
      },
      store: test.store,
      spawnWorker: forkWorkers(WORKER),
      endpointFor: () => ({ wsUrl: 'ws://127.0.0.1:1', noiseRoot: new Uint8Array(32) }),
      clock: systemClock,
      log: silentLog,
      onNudge: () => {},
    });
    const { id } = await insertLine(test.store);
    const started = other.start(id).catch(() => {});
    await until('it failed', () => other.view(id).failCount > 0);
    expect(other.view(id).state).not.toBe('running');
    await other.close();
    await started;
  });
});
