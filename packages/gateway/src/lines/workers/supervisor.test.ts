import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestSqlite, type TestStore } from '../../../test/store-harness.ts';
import { ManualClock, settle } from '../../../test/support/manual-clock.ts';
import { insertLine } from '../../../test/support/rows.ts';
import { until } from '../../../test/support/until.ts';
import type { LiveView } from '../../journal/live.ts';
import { silentLog } from '../../observe/logger.ts';
import type { WorkerEnd, WorkerProcess } from './fork-worker.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';
import type { SupervisorOptions } from './supervisor-options.ts';
import type { FromWorker, ToWorker } from './worker-protocol.ts';

/**
 * A worker process that does what a test says. By default it is ready at once, starts every line
 * and beats.
 */
class ScriptedWorker implements WorkerProcess {
  readonly pid = 1;
  readonly received: ToWorker[] = [];
  wasKilled = false;
  isAlive = true;
  isSilent = false;
  startsLines = true;
  stopsLines = true;
  #onMessage: (message: FromWorker) => void = () => {};
  #onExit: (end: WorkerEnd) => void = () => {};
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  send(message: ToWorker): void {
    if (!this.isAlive) return;
    this.received.push(message);
    if (message.type === 'setup' && !this.isSilent) queueMicrotask(() => this.say({ type: 'ready' }));
    if (message.type === 'setup') this.#beat(message.setup.heartbeatMs);
    if (message.type === 'start_line' && this.startsLines) {
      queueMicrotask(() => this.say({ type: 'line_started', lineId: message.spec.lineId }));
    }
    if (message.type === 'stop_line' && this.stopsLines)
      queueMicrotask(() => this.say({ type: 'line_stopped', lineId: message.lineId }));
    if (message.type === 'drain' && !this.isSilent) queueMicrotask(() => this.exit({ code: 0, signal: null }));
  }

  onMessage(listener: (message: FromWorker) => void): void {
    this.#onMessage = listener;
  }

  onExit(listener: (end: WorkerEnd) => void): void {
    this.#onExit = listener;
  }

  kill(): void {
    this.wasKilled = true;
    this.exit({ code: null, signal: 'SIGKILL' });
  }

  say(message: FromWorker): void {
    if (this.isAlive) this.#onMessage(message);
  }

  exit(end: WorkerEnd): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    queueMicrotask(() => this.#onExit(end));
  }

  runs() {
    return this.received.flatMap((message) => (message.type === 'run' ? [message] : []));
  }

  started(): string[] {
    return this.received.flatMap((message) => (message.type === 'start_line' ? [message.spec.lineId] : []));
  }

  #beat(everyMs: number): void {
    this.#clock.after(everyMs, () => {
      if (!this.isAlive) return;
      const stats = {
        worker: '',
        linesInWorker: 0,
        cpuSeconds: 0,
        heapUsedBytes: 1,
        heapTotalBytes: 1,
        rssBytes: 1,
        eventLoopLagMs: 0,
        gcCycles: 0,
        totalAllocatedBytes: null,
      };
      if (!this.isSilent) this.say({ type: 'heartbeat', stats });
      this.#beat(everyMs);
    });
  }
}

const HEARTBEAT_MS = 5_000;

describe('the supervisor', () => {
  let test: TestStore;
  let clock: ManualClock;
  let workers: ScriptedWorker[];
  let names: string[];
  let shape: (worker: ScriptedWorker) => void;
  let supervisor: Supervisor;
  let nudges: number;

  beforeEach(async () => {
    test = await openTestSqlite();
    clock = new ManualClock();
    workers = [];
    names = [];
    shape = () => {};
    nudges = 0;
  });
  afterEach(async () => {
    let isClosed = false;
    void supervisor?.close().then(() => (isClosed = true));
    // A silent worker takes its whole time to drain.
    while (!isClosed) await clock.advance(1_000);
    await test.close();
  });

  function create(options: { workers?: number; isolation?: 'shared' | 'dedicated' } & Partial<SupervisorOptions> = {}) {
    const { workers: count = 2, isolation = 'shared', ...rest } = options;
    supervisor = createSupervisor({
      config: {
        workers: count,
        isolation,
        setup: {
          databaseUrl: test.url,
          lockFile: null,
          masterKey: new Uint8Array(32),
          logLevel: 'silent',
          heartbeatMs: HEARTBEAT_MS,
          connectsPerSecond: 0,
          mailboxCapacity: 10,
          blobs: { kind: 'folder', folder: '/nowhere', isShared: false },
        },
      },
      store: test.store,
      spawnWorker: (name) => {
        const worker = new ScriptedWorker(clock);
        shape(worker);
        workers.push(worker);
        names.push(name);
        return worker;
      },
      endpointFor: (line) => ({ wsUrl: `ws://${line.mode}.invalid`, noiseRoot: new Uint8Array(32) }),
      clock,
      log: silentLog,
      onNudge: () => {
        nudges += 1;
      },
      ...rest,
    });
    return supervisor;
  }
  const newest = () => {
    const worker = workers.at(-1);
    if (!worker) throw new Error('no worker yet');
    return worker;
  };
  async function hosted(mode: 'live' | 'test' = 'test'): Promise<string> {
    const { id } = await insertLine(test.store, mode);
    await supervisor.start(id);
    return id;
  }
  const runOn = (id: string, timeoutMs = 10_000) =>
    supervisor.run(id, 'numbers.check', { phones: ['15550001111'] }, { timeoutMs });
  const sendOn = (id: string, timeoutMs = 60_000) => supervisor.run(id, 'send', { outboxId: 'out_1' }, { timeoutMs });

  it('never lets a live and a test line share a worker, and spreads lines evenly', async () => {
    create({ workers: 2 });
    for (let i = 0; i < 6; i++) await insertLine(test.store, i % 2 === 0 ? 'live' : 'test');
    await supervisor.start();
    await until('all started', () => workers.flatMap((worker) => worker.started()).length === 6);
    expect(names.sort()).toEqual(['live-1', 'live-2', 'test-1', 'test-2']);
    for (const worker of workers) {
      const specs = worker.received.flatMap((message) => (message.type === 'start_line' ? [message.spec] : []));
      expect(new Set(specs.map((spec) => spec.endpoint.wsUrl)).size).toBe(1);
      expect(specs.length).toBeGreaterThan(0);
      expect(specs.length).toBeLessThanOrEqual(2);
      const isTest = specs[0]?.endpoint.wsUrl.includes('test');
      for (const spec of specs) expect(spec.pacing === null).toBe(isTest);
    }
  });

  it('gives every line a process of its own when asked to, and ends it with the line', async () => {
    create({ isolation: 'dedicated' });
    const [a, b] = [await hosted(), await hosted()];
    expect(names).toEqual([`test-${a}`, `test-${b}`]);
    await supervisor.stop(a);
    expect(workers.map((worker) => worker.isAlive)).toEqual([false, true]);
    expect(supervisor.view(a)).toMatchObject({ state: 'stopped', worker: null });
  });

  it('tells what is: starting, running, stopped', async () => {
    create();
    const { id } = await insertLine(test.store);
    expect(supervisor.view(id).state).toBe('stopped');
    shape = (worker) => (worker.startsLines = false);
    const started = supervisor.start(id);
    await until('the worker hears of it', () => workers[0]?.started().length === 1);
    expect(supervisor.view(id)).toMatchObject({ state: 'starting', health: 'healthy' });
    newest().say({ type: 'line_started', lineId: id });
    await started;
    expect(supervisor.view(id)).toEqual({
      state: 'running',
      health: 'healthy',
      startedAt: clock.now(),
      failCount: 0,
      worker: 'test-1',
    });
    await supervisor.stop(id);
    expect(supervisor.view(id).state).toBe('stopped');
    await expect(runOn(id)).rejects.toMatchObject({ code: 'line_failed' });
  });

  describe('commands', () => {
    it('come back with their answers, errors as they were', async () => {
      create();
      const id = await hosted();
      const answers = [runOn(id), runOn(id)];
      const [first, second] = newest().runs();
      newest().say({ type: 'result', id: second?.id ?? 0, ok: true, value: ['second'] });
      newest().say({
        type: 'result',
        id: first?.id ?? 0,
        ok: false,
        code: 'line_not_connected',
        message: 'Not now.',
        details: { status: 'pairing' },
      });
      await expect(answers[0]).rejects.toMatchObject({
        code: 'line_not_connected',
        message: 'Not now.',
        details: { status: 'pairing' },
      });
      expect(await answers[1]).toEqual(['second']);
    });

    it('without an answer end with a time-out; a late answer harms nobody', async () => {
      create();
      const id = await hosted();
      const late = expect(runOn(id, 3_000)).rejects.toMatchObject({ code: 'whatsapp_timeout' });
      await clock.advance(3_000);
      await late;
      newest().say({ type: 'result', id: newest().runs()[0]?.id ?? 0, ok: true, value: [] });
    });

    it('wait for a line that starts, and fail when it does not come in time', async () => {
      create();
      shape = (worker) => (worker.startsLines = false);
      const { id } = await insertLine(test.store);
      const started = supervisor.start(id);
      await until('the worker hears of it', () => workers[0]?.started().length === 1);
      const tooLate = expect(runOn(id, 1_000)).rejects.toMatchObject({ code: 'line_failed' });
      const inTime = runOn(id, 20_000);
      await clock.advance(1_000);
      await tooLate;
      expect(newest().runs()).toEqual([]);
      newest().say({ type: 'line_started', lineId: id });
      await started;
      newest().say({ type: 'result', id: newest().runs()[0]?.id ?? 0, ok: true, value: ['here'] });
      expect(await inTime).toEqual(['here']);
    });

    it('end with a crash of the worker, except sends: those are asked for again', async () => {
      create();
      const id = await hosted();
      const lost = expect(runOn(id)).rejects.toMatchObject({ code: 'line_failed' });
      const send = sendOn(id);
      newest().exit({ code: 1, signal: null });
      await lost;
      expect(supervisor.view(id).state).toBe('starting');
      await clock.advance(1_000);
      await until('asked again', () => workers.length === 2 && newest().runs().length === 1);
      expect(newest().runs()[0]).toMatchObject({ name: 'send', input: { outboxId: 'out_1' } });
      newest().say({
        type: 'result',
        id: newest().runs()[0]?.id ?? 0,
        ok: true,
        value: { state: 'sent', timestamp: 1 },
      });
      expect(await send).toEqual({ state: 'sent', timestamp: 1 });
    });

    it('are refused beyond the bound, instead of piling up', async () => {
      create();
      const id = await hosted();
      const waiting = Array.from({ length: 10_000 }, () => runOn(id).catch(() => {}));
      await expect(runOn(id)).rejects.toMatchObject({ code: 'unavailable' });
      await clock.advance(10_000);
      await Promise.all(waiting);
      void runOn(id).catch(() => {});
      expect(newest().runs()).toHaveLength(10_001);
    });
  });

  describe('a worker that ends', () => {
    it('is replaced with growing waits, its lines start again, and the failures are shown for an hour', async () => {
      create();
      const id = await hosted();
      clock.randomValue = 0.999;
      const waits: number[] = [];
      for (let crash = 0; crash < 4; crash++) {
        newest().exit({ code: 1, signal: null });
        const before = workers.length;
        await settle();
        let waited = 0;
        while (workers.length === before) {
          await clock.advance(100);
          waited += 100;
        }
        waits.push(waited);
        await until('running', () => supervisor.view(id).state === 'running');
      }
      expect(waits).toEqual([1_000, 2_000, 4_000, 8_000]);
      expect(supervisor.view(id)).toMatchObject({ state: 'running', health: 'degraded', failCount: 4 });
      await clock.advance(60 * 60_000);
      expect(supervisor.view(id)).toMatchObject({ health: 'healthy', failCount: 0 });
    });

    it('again and again is given up visibly, tried again slowly, and comes back', async () => {
      create();
      const id = await hosted();
      shape = (worker) => {
        worker.isSilent = true;
        queueMicrotask(() => worker.exit({ code: 1, signal: null }));
      };
      newest().exit({ code: 1, signal: null });
      const waiting = expect(sendOn(id, 60 * 60_000)).rejects.toMatchObject({ code: 'line_failed' });
      await clock.advance(30 * 60_000);
      expect(supervisor.view(id)).toMatchObject({ state: 'failed', health: 'unhealthy' });
      await waiting;
      await expect(runOn(id)).rejects.toMatchObject({ code: 'line_failed' });
      const tried = workers.length;
      await clock.advance(20 * 60_000);
      expect(workers.length - tried).toBeGreaterThanOrEqual(3);
      expect(workers.length - tried).toBeLessThanOrEqual(5);
      shape = () => {};
      await clock.advance(6 * 60_000);
      await until('running', () => supervisor.view(id).state === 'running');
    });

    it('because it hangs is killed first', async () => {
      create();
      const id = await hosted();
      const hanging = newest();
      await clock.advance(10 * HEARTBEAT_MS);
      expect(hanging.wasKilled).toBe(false);
      hanging.isSilent = true;
      for (let i = 0; i < 3; i++) await clock.advance(HEARTBEAT_MS);
      expect(hanging.wasKilled).toBe(false);
      for (let i = 0; i < 3; i++) await clock.advance(HEARTBEAT_MS);
      expect(hanging.wasKilled).toBe(true);
      await clock.advance(1_000);
      await until('running', () => supervisor.view(id).state === 'running');
      expect(workers).toHaveLength(2);
    });

    it('is not suspected when this process itself was held up', async () => {
      create();
      await hosted();
      newest().isSilent = true;
      // One late look after a long stop: the worker's messages are still in the pipe.
      clock.skip(60_000);
      await clock.advance(HEARTBEAT_MS);
      expect(newest().wasKilled).toBe(false);
    });

    it('that never becomes ready is killed and replaced', async () => {
      create();
      shape = (worker) => (worker.isSilent = workers.length === 0);
      const { id } = await insertLine(test.store);
      const started = expect(supervisor.start(id)).rejects.toMatchObject({ code: 'line_failed' });
      await until('spawned', () => workers.length === 1);
      await clock.advance(60_000);
      await started;
      await clock.advance(1_000);
      expect(workers[0]?.wasKilled).toBe(true);
      await until('running', () => supervisor.view(id).state === 'running');
    });
  });

  it('shows a line that cannot start, goes on trying, and lets the others run', async () => {
    create({ workers: 1 });
    const good = await hosted();
    newest().startsLines = false;
    const { id: bad } = await insertLine(test.store);
    const started = expect(supervisor.start(bad)).rejects.toMatchObject({ code: 'line_failed' });
    await until('tried', () => newest().started().includes(bad));
    newest().say({ type: 'line_failed', lineId: bad, detail: 'credentials cannot be read', isGone: false });
    await started;
    expect(supervisor.view(bad)).toMatchObject({ state: 'failed', health: 'unhealthy', failCount: 1 });
    expect(supervisor.view(good)).toMatchObject({ state: 'running', health: 'healthy' });
    await clock.advance(10_000);
    expect(
      newest()
        .started()
        .filter((id) => id === bad).length,
    ).toBeGreaterThan(1);
    newest().say({ type: 'line_started', lineId: bad });
    expect(supervisor.view(bad).state).toBe('running');
  });

  it('waits for a place that is not there yet', async () => {
    let isThere = false;
    create({
      endpointFor: () => {
        if (!isThere) throw new Error('the simulator is not up');
        return { wsUrl: 'ws://x.invalid', noiseRoot: new Uint8Array(32) };
      },
    });
    const { id } = await insertLine(test.store);
    await expect(supervisor.start(id)).rejects.toMatchObject({ code: 'line_failed' });
    isThere = true;
    await clock.advance(10_000);
    await until('running', () => supervisor.view(id).state === 'running');
  });

  it('lets go of a line whose row is gone', async () => {
    create();
    const id = await hosted();
    newest().exit({ code: 1, signal: null });
    shape = (worker) => (worker.startsLines = false);
    await clock.advance(1_000);
    await until('tried', () => newest().started().includes(id));
    newest().say({ type: 'line_failed', lineId: id, detail: 'no such line', isGone: true });
    expect(supervisor.view(id).state).toBe('stopped');
    await expect(supervisor.start('line_unknown')).rejects.toMatchObject({ code: 'line_not_found' });
  });

  it('passes nudges and live views on', async () => {
    const seen: LiveView[] = [];
    create({ onLive: (view) => seen.push(view) });
    const id = await hosted();
    const plain = { until: null, whatsappCode: null };
    const view: LiveView = { lineId: id, status: 'pairing', reason: null, phone: null, name: null, qr: null, ...plain };
    newest().say({ type: 'nudge', deliveries: true });
    newest().say({ type: 'live', view });
    expect(nudges).toBe(1);
    expect(seen).toEqual([view]);
    expect(supervisor.live.latest(id)).toEqual(view);
  });

  it('says at once that the worker of a line is gone, and that it cannot be started', async () => {
    create();
    const id = await hosted();
    const plain = { until: null, whatsappCode: null };
    const view: LiveView = { lineId: id, status: 'connected', reason: null, phone: '1', name: 'A', qr: null, ...plain };
    newest().say({ type: 'live', view });
    const told: LiveView[] = [];
    supervisor.live.subscribe((one) => void told.push(one));
    shape = (worker) => {
      worker.startsLines = false;
    };
    newest().exit({ code: 1, signal: null });
    await until('told', () => told.length === 1);
    expect(told).toEqual([{ ...view, status: 'connecting', reason: 'worker_restarting' }]);
    await clock.advance(1_000);
    await until('asked to start', () => newest().started().length === 1);
    newest().say({ type: 'line_failed', lineId: id, detail: 'broken', isGone: false });
    expect(told.at(-1)).toMatchObject({ status: 'disconnected', reason: 'worker_failed', phone: '1', name: 'A' });
  });

  describe('of a fleet', () => {
    const lost: string[] = [];
    const gone: string[] = [];
    beforeEach(() => {
      lost.length = 0;
      gone.length = 0;
    });
    /** Lines of this node, under number 7. */
    async function owned(count: number): Promise<string[]> {
      const ownership = {
        validForMs: () => 8_000,
        lost: (lineId: string) => void lost.push(lineId),
        gone: (lineId: string) => void gone.push(lineId),
      };
      create({ workers: 1, ownership });
      const ids: string[] = [];
      for (let i = 0; i < count; i++) {
        const { id, accountId } = await insertLine(test.store, 'test');
        ids.push(id);
        supervisor.host({ id, accountId, mode: 'test' }, 7);
      }
      await until('all are hosted', () => ids.every((id) => supervisor.view(id).state === 'running'));
      return ids;
    }

    it('hosts what it is told to, under its number, and nothing else', async () => {
      const [id = ''] = await owned(1);
      const other = await insertLine(test.store, 'test');
      await supervisor.start();
      await expect(supervisor.start(other.id)).rejects.toMatchObject({ code: 'line_failed' });
      const specs = newest().received.flatMap((message) => (message.type === 'start_line' ? [message.spec] : []));
      expect(specs.map(({ lineId, epoch }) => [lineId, epoch])).toEqual([[id, 7]]);
      expect([supervisor.hosts(id), supervisor.hosts(other.id)]).toEqual([true, false]);
    });

    it('answers each heartbeat with how long the leases last, and hears of what is lost or gone', async () => {
      const [id = ''] = await owned(1);
      const stats = { worker: '', linesInWorker: 1, cpuSeconds: 0, heapUsedBytes: 1, heapTotalBytes: 1, rssBytes: 1 };
      const rest = { eventLoopLagMs: 0, gcCycles: 0, totalAllocatedBytes: null };
      newest().say({ type: 'heartbeat', stats: { ...stats, ...rest }, askedAtMs: 1_234 });
      expect(newest().received.at(-1)).toEqual({ type: 'lease', askedAtMs: 1_234, forMs: 8_000 });
      newest().say({ type: 'line_lost', lineId: id });
      newest().say({ type: 'line_failed', lineId: id, detail: 'no such line', isGone: true });
      expect([lost, gone]).toEqual([[id], [id]]);
    });

    it('a line that has ended is over for certain: a worker that keeps it is replaced, its other lines come back', async () => {
      const [a = '', b = ''] = await owned(2);
      await supervisor.end(a, false);
      expect(supervisor.hosts(a)).toBe(false);
      const before = newest();
      before.stopsLines = false;
      let isOver = false;
      const c = await insertLine(test.store, 'test');
      supervisor.host({ id: c.id, accountId: c.accountId, mode: 'test' }, 9);
      void supervisor.end(c.id, true).then(() => {
        isOver = true;
      });
      await clock.advance(1_999);
      expect([isOver, before.isAlive]).toEqual([false, true]);
      await clock.advance(1);
      await until('it is over', () => isOver);
      expect(before.wasKilled).toBe(true);
      await clock.advance(10);
      await until('the other one is back', () => newest() !== before && supervisor.view(b).state === 'running');
      expect(newest().started()).toEqual([b]);
      expect(supervisor.view(b).failCount).toBe(0);
    });

    it('ends every line at once with its process, which is no crash; nothing comes back by itself', async () => {
      const ids = await owned(3);
      const before = newest();
      await supervisor.endAll();
      expect(before.isAlive).toBe(false);
      await clock.advance(60_000);
      expect(newest().started()).toEqual([]);
      expect(ids.map((id) => supervisor.hosts(id))).toEqual([false, false, false]);
      expect(supervisor.workerCrashes()).toBe(0);
    });

    it('a worker that ends itself because the leases are over is no crash either', async () => {
      const [id = ''] = await owned(1);
      newest().exit({ code: 75, signal: null });
      await clock.advance(100);
      await until('it runs again', () => supervisor.view(id).state === 'running');
      expect(supervisor.view(id)).toMatchObject({ health: 'healthy', failCount: 0 });
    });
  });

  it('drains its workers when it closes, and kills those that do not end', async () => {
    create({ workers: 2 });
    await hosted('test');
    await hosted('live');
    const stubborn = workers[1];
    if (stubborn) stubborn.isSilent = true;
    const closed = supervisor.close(10_000);
    await clock.advance(9_999);
    expect(workers.map((worker) => worker.isAlive)).toEqual([false, true]);
    await clock.advance(1);
    await closed;
    expect(workers.map((worker) => worker.wasKilled)).toEqual([false, true]);
    expect(supervisor.pids()).toEqual([]);
    await clock.advance(60_000);
    expect(workers).toHaveLength(2);
  });
});
