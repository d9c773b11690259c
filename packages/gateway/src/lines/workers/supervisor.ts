import type { ClientVersion, EngineEndpoint } from '@ponte/engine';
import { AppError } from '../../core/app-error.ts';
import { type NetworkName, networkOf } from '../../core/client-version.ts';
import type { Clock } from '../../core/clock.ts';
import type { LineCommandName, LineCommands } from '../../core/line-commands.ts';
import type { LineReason } from '../../core/line-reasons.ts';
import type { Mode } from '../../core/lines.ts';
import { DEFAULT_PACING, type Pacing } from '../../core/pacing.ts';
import { backoffMs } from '../../core/retry.ts';
import { createLiveHub, type LiveHub, type LiveView } from '../../journal/live.ts';
import type { Log } from '../../observe/logger.ts';
import type { LineCount, WorkerFigures } from '../../observe/system-metrics.ts';
import type { MetricsSum } from '../../observe/worker-metrics.ts';
import type { Store } from '../../store/db/store.ts';
import { listRunnable, loadLine } from '../../store/lines/line-row.ts';
import { lineStatus } from '../connection/line-status.ts';
import { PendingCommands } from '../pending-commands.ts';
import type { SpawnWorker } from './fork-worker.ts';
import type { LineProcessView, LineRouter } from './router.ts';
import type { CommandOf, FromWorker, WorkerSetup } from './worker-protocol.ts';
import { HANG_AFTER_MS, WorkerSlot } from './worker-slot.ts';

export interface SupervisorConfig {
  /** Worker processes per mode at most (`shared`). */
  workers: number;
  /** `dedicated`: one process per line. */
  isolation: 'shared' | 'dedicated';
  /** Told to every worker; `heartbeatMs` is also the beat of the watch. */
  setup: Omit<WorkerSetup, 'worker'>;
  /** A worker without a heartbeat for this long is killed; default {@link HANG_AFTER_MS}. */
  hangAfterMs?: number;
  /** Of live lines; test lines are not paced. Default: the published pacing. */
  pacing?: Pacing | null;
}

/** Of a fleet: lines come and go with their leases (lines/fleet). */
export interface LineOwnership {
  /** For how long what runs here is this node's for certain. */
  validForMs(): number;
  /** A line's write was refused: another node owns it. */
  lost(lineId: string): void;
  /** A line's row does not exist any more. */
  gone(lineId: string): void;
}

/** A line as the endpoint is chosen for it. */
export interface HostedLine {
  id: string;
  accountId: string;
  mode: Mode;
}

export interface SupervisorOptions {
  config: SupervisorConfig;
  store: Store;
  spawnWorker: SpawnWorker;
  /**
   * Where the line connects. Asked at every start of the line; may reject while the place is not
   * there yet.
   */
  endpointFor(line: HostedLine): EngineEndpoint | Promise<EngineEndpoint>;
  clock: Clock;
  log: Log;
  /** New deliveries were committed by a worker. */
  onNudge(hasDeliveries: boolean): void;
  /** Adds up what the workers count. */
  metrics?: Pick<MetricsSum, 'update' | 'retire'>;
  onLive?(view: LiveView): void;
  /** Without it every line of the database is this gateway's. */
  ownership?: LineOwnership;
  /** WhatsApp (or a simulated network) said something of the version that lines announce. */
  onClient?(told: Extract<FromWorker, { type: 'client_refused' | 'client_expires' }>): void;
}

export interface Supervisor extends LineRouter {
  /**
   * Gives every line of the database a worker; resolves when all are assigned (not: connected).
   * In a fleet lines come one by one (`host`).
   */
  start(): Promise<void>;
  start(lineId: string): Promise<void>;
  /** Whether the line has a place here, whatever its state. */
  hosts(lineId: string): boolean;
  /** Of a fleet: hosts a line that is this node's under `epoch`. */
  host(line: HostedLine, epoch: number): void;
  /**
   * Of a fleet: ends a line here; `isAtOnce`: without the time for what is on the wire. When it
   * resolves nothing of it runs here, whatever that takes.
   */
  end(lineId: string, isAtOnce: boolean): Promise<void>;
  /** Of a fleet: ends every line at once; their processes are gone when it resolves. */
  endAll(): Promise<void>;
  /** Drains and ends every worker within `timeoutMs`; no child is left. */
  close(timeoutMs?: number): Promise<void>;
  hasLines(mode: Mode): boolean;
  /** Tells running lines the version to announce from their next connection on. */
  announce(network: NetworkName, version: ClientVersion): void;
  readonly live: LiveHub;
  /** Process ids of the workers that are up. */
  pids(): number[];
  /** The lines that have a worker, by mode, status and reason. */
  lineCounts(): LineCount[];
  /** What each worker said of itself last. */
  workerFigures(): WorkerFigures[];
  workerCrashes(): number;
}

/** A line and where it is hosted. */
interface Placement {
  readonly line: HostedLine;
  readonly slot: WorkerSlot;
  readonly epoch: number | undefined;
  state: 'starting' | 'running' | 'failed' | 'stopping';
  /** Starts that failed since the last one that did not. */
  failures: number;
  /** Why it failed, when the worker knew. */
  reason: LineReason | undefined;
  cancelRetry: (() => void) | undefined;
  /** Callers that wait for the next change of `state`. */
  waiters: (() => void)[];
}

const START_WITHIN_MS = 30_000;
const STOP_WITHIN_MS = 10_000;
const CLOSE_WITHIN_MS = 10_000;
const END_AT_ONCE_WITHIN_MS = 2_000;

export function createSupervisor(options: SupervisorOptions): Supervisor {
  return new LineSupervisor(options);
}

/**
 * Keeps every line in a worker: assigns lines to worker processes (live and test lines never share
 * one), replaces processes that end or hang, starts their lines again, and carries commands to
 * wherever a line lives.
 */
class LineSupervisor implements Supervisor {
  readonly live: LiveHub;
  readonly #options: SupervisorOptions;
  readonly #pending: PendingCommands;
  readonly #placements = new Map<string, Placement>();
  readonly #slots: WorkerSlot[] = [];
  #isClosing = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#pending = new PendingCommands(options.clock);
    this.live = createLiveHub((error) => options.log.error({ error }, 'a listener to live views failed'));
  }

  async start(lineId?: string): Promise<void> {
    if (lineId !== undefined) return this.#startOne(lineId);
    if (this.#options.ownership) return;
    const lines = await listRunnable(this.#options.store.db);
    for (const line of lines) if (!this.#placements.has(line.id)) this.#place(line);
    this.#options.log.info({ lines: lines.length, workers: this.#slots.length }, 'lines are assigned to workers');
  }

  async stop(lineId: string): Promise<void> {
    const placement = this.#placements.get(lineId);
    if (!placement) return;
    const { slot } = placement;
    this.#beginEnd(placement);
    if (slot.send({ type: 'stop_line', lineId })) {
      await this.#until(
        placement,
        () => this.#placements.get(lineId) !== placement || slot.state !== 'running',
        STOP_WITHIN_MS,
      );
    }
    this.#remove(placement);
    if (this.#options.config.isolation === 'dedicated') await this.#closeSlot(slot);
  }

  hosts(lineId: string): boolean {
    return this.#placements.has(lineId);
  }

  host(line: HostedLine, epoch: number): void {
    if (!this.#isClosing && !this.#placements.has(line.id)) this.#place(line, epoch);
  }

  async end(lineId: string, isAtOnce: boolean): Promise<void> {
    const placement = this.#placements.get(lineId);
    if (!placement) return;
    const { slot } = placement;
    this.#beginEnd(placement);
    if (slot.send({ type: 'stop_line', lineId, isAtOnce })) {
      const isOver = () => this.#placements.get(lineId) !== placement || slot.state !== 'running';
      const withinMs = isAtOnce ? END_AT_ONCE_WITHIN_MS : STOP_WITHIN_MS;
      await this.#until(placement, isOver, withinMs).catch(() => slot.restart(`does not let go of ${lineId}`));
    }
    this.#remove(placement);
    if (this.#options.config.isolation === 'dedicated') await this.#closeSlot(slot);
  }

  async endAll(): Promise<void> {
    for (const placement of [...this.#placements.values()]) {
      this.#beginEnd(placement);
      this.#remove(placement);
    }
    await Promise.all(this.#slots.map((slot) => slot.restart('the leases of this node are over')));
  }

  view(lineId: string): LineProcessView {
    const placement = this.#placements.get(lineId);
    if (!placement || placement.state === 'stopping') {
      return { state: 'stopped', health: 'unhealthy', startedAt: null, failCount: 0, worker: null };
    }
    const { slot } = placement;
    const isFailed = placement.state === 'failed' || slot.state === 'failed';
    const state = isFailed ? 'failed' : placement.state === 'running' ? 'running' : 'starting';
    const failCount = slot.failCount + placement.failures;
    const health = isFailed ? 'unhealthy' : failCount > 0 ? 'degraded' : 'healthy';
    return { state, health, startedAt: slot.startedAt, failCount, worker: slot.startedAt === null ? null : slot.name };
  }

  async run<N extends LineCommandName>(
    lineId: string,
    name: N,
    input: LineCommands[N]['in'],
    { timeoutMs }: { timeoutMs: number },
  ): Promise<LineCommands[N]['out']> {
    const placement = this.#placements.get(lineId);
    if (!placement || this.#isClosing) throw new AppError('line_failed');
    if (this.view(lineId).state === 'failed' || placement.state === 'stopping') throw new AppError('line_failed');
    const answer = this.#pending.add(lineId, { name, input } as CommandOf, timeoutMs);
    if (placement.state === 'running') this.#dispatch(placement);
    return answer as Promise<LineCommands[N]['out']>;
  }

  pids(): number[] {
    return this.#slots.flatMap((slot) => slot.pid ?? []);
  }

  lineCounts(): LineCount[] {
    const counts = new Map<string, LineCount>();
    for (const { line } of this.#placements.values()) {
      const last = this.live.latest(line.id);
      const status = lineStatus({ status: last?.status ?? 'connecting' }, this.view(line.id));
      const reason = last?.reason ?? 'none';
      const key = `${line.mode} ${status} ${reason}`;
      const known = counts.get(key) ?? { mode: line.mode, status, reason, count: 0 };
      counts.set(key, { ...known, count: known.count + 1 });
    }
    return [...counts.values()];
  }

  workerFigures(): WorkerFigures[] {
    return this.#slots.flatMap(({ name, lines, stats }) =>
      stats
        ? {
            worker: name,
            lines: lines.size,
            residentBytes: stats.rssBytes,
            heapBytes: stats.heapUsedBytes,
            loopLagMs: stats.eventLoopLagMs,
            cpuSeconds: stats.cpuSeconds,
          }
        : [],
    );
  }

  workerCrashes(): number {
    return this.#slots.reduce((sum, { crashes }) => sum + crashes, 0);
  }

  hasLines(mode: Mode): boolean {
    return [...this.#placements.values()].some(({ line }) => line.mode === mode);
  }

  announce(network: NetworkName, version: ClientVersion): void {
    for (const slot of this.#slots) slot.send({ type: 'client_version', network, version });
  }

  async close(timeoutMs = CLOSE_WITHIN_MS): Promise<void> {
    this.#isClosing = true;
    for (const placement of this.#placements.values()) placement.cancelRetry?.();
    await Promise.all(this.#slots.map((slot) => slot.close(timeoutMs)));
    this.#pending.rejectAll('unavailable');
    for (const placement of [...this.#placements.values()]) this.#remove(placement);
  }

  async #startOne(lineId: string): Promise<void> {
    if (this.#isClosing) throw new AppError('line_failed');
    let placement = this.#placements.get(lineId);
    if (!placement && this.#options.ownership) throw new AppError('line_failed');
    if (!placement) {
      const row = await loadLine(this.#options.store.db, lineId);
      if (!row) throw new AppError('line_not_found');
      placement = this.#placements.get(lineId) ?? this.#place(row);
    }
    const { state } = placement;
    if (state === 'failed') this.#retry(placement, 0);
    const placed = placement;
    await this.#until(placed, () => placed.state === 'running', START_WITHIN_MS);
  }

  #beginEnd(placement: Placement): void {
    placement.cancelRetry?.();
    this.#turnTo(placement, 'stopping');
    for (const command of this.#pending.ofLine(placement.line.id)) command.reject(new AppError('line_failed'));
  }

  #place({ id, accountId, mode }: HostedLine, epoch?: number): Placement {
    const slot = this.#slotFor(id, mode);
    const placement: Placement = {
      line: { id, accountId, mode },
      slot,
      epoch,
      state: 'starting',
      failures: 0,
      reason: undefined,
      cancelRetry: undefined,
      waiters: [],
    };
    slot.lines.add(id);
    this.#placements.set(id, placement);
    void this.#host(placement);
    return placement;
  }

  /** The emptiest worker of the line's mode; a new one while there may be more. */
  #slotFor(lineId: string, mode: Mode): WorkerSlot {
    const { config, spawnWorker: spawn, clock, log } = this.#options;
    const ofMode = this.#slots.filter((slot) => slot.mode === mode);
    const isDedicated = config.isolation === 'dedicated';
    const emptiest = ofMode.reduce<WorkerSlot | undefined>(
      (best, slot) => (best && best.lines.size <= slot.lines.size ? best : slot),
      undefined,
    );
    if (!isDedicated && emptiest && (emptiest.lines.size === 0 || ofMode.length >= config.workers)) return emptiest;
    const name = isDedicated ? `${mode}-${lineId}` : `${mode}-${ofMode.length + 1}`;
    const slot: WorkerSlot = new WorkerSlot({
      name,
      mode,
      setup: config.setup,
      hangAfterMs: config.hangAfterMs ?? HANG_AFTER_MS,
      spawn,
      clock,
      log,
      metrics: this.#options.metrics,
      leasesForMs: () => this.#options.ownership?.validForMs() ?? 0,
      onMessage: (message) => this.#received(slot, message),
      onDown: () => this.#down(slot),
    });
    this.#slots.push(slot);
    slot.start();
    return slot;
  }

  /**
   * Tells the line's worker to host it; nothing when the worker is not up (its `ready` comes back
   * here).
   */
  async #host(placement: Placement): Promise<void> {
    const { line, slot, epoch } = placement;
    if (slot.state !== 'running') return;
    const { config, endpointFor, log } = this.#options;
    const pacing = line.mode === 'test' ? null : config.pacing === undefined ? DEFAULT_PACING : config.pacing;
    try {
      const endpoint = await endpointFor(line);
      if (this.#placements.get(line.id) !== placement || placement.state === 'stopping') return;
      slot.send({ type: 'start_line', spec: { lineId: line.id, endpoint, network: networkOf(line), pacing, epoch } });
    } catch (error) {
      log.warn({ lineId: line.id, error }, 'there is no endpoint for a line yet');
      this.#failed(placement);
    }
  }

  #received(slot: WorkerSlot, message: FromWorker): void {
    switch (message.type) {
      case 'ready':
        for (const lineId of slot.lines) {
          const placement = this.#placements.get(lineId);
          if (placement) void this.#host(placement);
        }
        break;
      case 'line_started':
        this.#started(message.lineId);
        break;
      case 'line_failed':
        this.#lineFailed(message);
        break;
      case 'line_stopped':
        this.#stopped(message.lineId);
        break;
      case 'line_lost':
        this.#options.ownership?.lost(message.lineId);
        break;
      case 'result':
        this.#answered(message);
        break;
      case 'client_refused':
      case 'client_expires':
        this.#options.onClient?.(message);
        break;
      case 'nudge':
        this.#options.onNudge(message.deliveries);
        break;
      case 'live':
        this.live.publish(message.view);
        this.#options.onLive?.(message.view);
        break;
      case 'heartbeat':
        break;
    }
  }

  #started(lineId: string): void {
    const placement = this.#placements.get(lineId);
    if (!placement || placement.state === 'stopping') return;
    placement.failures = 0;
    placement.reason = undefined;
    this.#turnTo(placement, 'running');
    this.#dispatch(placement);
  }

  #lineFailed({ lineId, detail, isGone, reason }: Extract<FromWorker, { type: 'line_failed' }>): void {
    const placement = this.#placements.get(lineId);
    if (!placement) return;
    if (isGone) {
      this.#remove(placement);
      this.#options.ownership?.gone(lineId);
      return;
    }
    this.#options.log.error(
      { lineId, detail, failures: placement.failures + 1 },
      'a line does not start; it is tried again',
    );
    this.#failed(placement, reason);
  }

  #failed(placement: Placement, reason?: LineReason): void {
    if (placement.state === 'stopping') return;
    const { clock } = this.#options;
    placement.failures += 1;
    placement.reason = reason;
    this.#turnTo(placement, 'failed');
    this.#tellOfProcess(placement);
    for (const command of this.#pending.ofLine(placement.line.id)) command.reject(new AppError('line_failed'));
    this.#retry(placement, backoffMs(placement.failures, clock.random()));
  }

  #retry(placement: Placement, delayMs: number): void {
    placement.cancelRetry?.();
    placement.cancelRetry = this.#options.clock.after(delayMs, () => void this.#host(placement));
  }

  #stopped(lineId: string): void {
    const placement = this.#placements.get(lineId);
    if (placement?.state === 'stopping') this.#remove(placement);
  }

  /**
   * A worker is gone. Its sends are durable and asked for again once it is back; other commands are
   * over.
   */
  #down(slot: WorkerSlot): void {
    for (const lineId of slot.lines) {
      const placement = this.#placements.get(lineId);
      if (!placement) continue;
      placement.cancelRetry?.();
      if (placement.state === 'stopping') {
        for (const wake of placement.waiters.splice(0)) wake();
      } else {
        this.#turnTo(placement, 'starting');
        this.#tellOfProcess(placement);
      }
      for (const command of this.#pending.ofLine(lineId)) {
        if (slot.state === 'failed' || (command.wasSent && command.command.name !== 'send')) {
          command.reject(new AppError('line_failed'));
        }
        command.wasSent = false;
      }
    }
  }

  /**
   * A worker that is gone says nothing more of its lines: what is true of them now is said here,
   * until the next worker speaks.
   */
  #tellOfProcess({ line, reason }: Placement): void {
    const nothing = { lineId: line.id, status: 'disconnected', phone: null, name: null } as const;
    const last = this.live.latest(line.id) ?? (reason && nothing);
    if (!last) return;
    const view = this.view(line.id);
    this.live.publish({
      ...last,
      status: reason ? 'disconnected' : lineStatus(last, view),
      reason: reason ?? (view.state === 'failed' ? 'worker_failed' : 'worker_restarting'),
      until: null,
      whatsappCode: null,
      qr: null,
    });
  }

  /** Sends what waits for this line. */
  #dispatch({ line, slot }: Placement): void {
    for (const command of this.#pending.ofLine(line.id)) {
      if (command.wasSent) continue;
      command.wasSent = slot.send({ type: 'run', id: command.id, lineId: line.id, ...command.command });
    }
  }

  #answered(message: Extract<FromWorker, { type: 'result' }>): void {
    const pending = this.#pending.get(message.id);
    if (message.ok) pending?.resolve(message.value);
    else pending?.reject(new AppError(message.code, message.details, { message: message.message }));
  }

  #turnTo(placement: Placement, state: Placement['state']): void {
    placement.state = state;
    for (const wake of placement.waiters.splice(0)) wake();
  }

  #remove(placement: Placement): void {
    const { line, slot } = placement;
    if (this.#placements.get(line.id) !== placement) return;
    placement.cancelRetry?.();
    this.#placements.delete(line.id);
    slot.lines.delete(line.id);
    this.live.forget(line.id);
    for (const wake of placement.waiters.splice(0)) wake();
  }

  async #closeSlot(slot: WorkerSlot): Promise<void> {
    await slot.close(STOP_WITHIN_MS);
    const at = this.#slots.indexOf(slot);
    if (at >= 0) this.#slots.splice(at, 1);
  }

  /**
   * Waits until it holds; looks at every change of the placement. Rejects with `line_failed` when
   * it does not come in time, or the line fails.
   */
  async #until(placement: Placement, holds: () => boolean, timeoutMs: number): Promise<void> {
    let isLate = false;
    const cancel = this.#options.clock.after(timeoutMs, () => {
      isLate = true;
      for (const wake of placement.waiters.splice(0)) wake();
    });
    const failuresBefore = placement.failures;
    try {
      while (!holds()) {
        const isGone = this.#placements.get(placement.line.id) !== placement;
        if (isLate || isGone || placement.failures > failuresBefore) throw new AppError('line_failed');
        await new Promise<void>((resolve) => placement.waiters.push(resolve));
      }
    } finally {
      cancel();
    }
  }
}
