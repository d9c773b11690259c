import type { ClientVersion } from '@ponte/engine';
import { AppError } from '../../core/app-error.ts';
import { type NetworkName, networkOf } from '../../core/client-version.ts';
import type { LineCommandName, LineCommands } from '../../core/line-commands.ts';
import type { LineReason } from '../../core/line-reasons.ts';
import type { Mode } from '../../core/lines.ts';
import { DEFAULT_PACING } from '../../core/pacing.ts';
import { backoffMs } from '../../core/retry.ts';
import { createLiveHub, type LiveHub } from '../../journal/live.ts';
import type { LineCount, WorkerFigures } from '../../observe/system-metrics.ts';
import { listRunnable, loadLine } from '../../store/lines/line-row.ts';
import { PendingCommands } from '../pending-commands.ts';
import { type HostedLine, type Placement, Placements } from './placements.ts';
import { countLines, viewOfProcess, viewWithoutWorker } from './process-view.ts';
import type { LineProcessView, LineRouter } from './router.ts';
import type { SupervisorOptions } from './supervisor-options.ts';
import type { CommandOf, FromWorker } from './worker-protocol.ts';
import { HANG_AFTER_MS, type WorkerSlot } from './worker-slot.ts';
import { WorkerSlots } from './worker-slots.ts';

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
  readonly #placements: Placements;
  readonly #slots: WorkerSlots;
  #isClosing = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#pending = new PendingCommands(options.clock);
    this.#placements = new Placements(options.clock);
    this.#slots = this.#createSlots();
    this.live = createLiveHub((error) => options.log.error({ error }, 'a listener to live views failed'));
  }

  async start(lineId?: string): Promise<void> {
    if (lineId !== undefined) return this.#startOne(lineId);
    if (this.#options.ownership) return;
    const lines = await listRunnable(this.#options.store.db);
    for (const line of lines) if (!this.hosts(line.id)) this.#place(line);
    this.#options.log.info({ lines: lines.length, workers: this.#slots.all().length }, 'lines are assigned to workers');
  }

  async stop(lineId: string): Promise<void> {
    const placement = this.#placements.get(lineId);
    if (!placement) return;
    const { slot } = placement;
    this.#beginEnd(placement);
    if (slot.send({ type: 'stop_line', lineId })) {
      await this.#placements.until(placement, () => this.#isOver(placement), STOP_WITHIN_MS);
    }
    this.#remove(placement);
    await this.#slots.release(slot);
  }

  hosts(lineId: string): boolean {
    return this.#placements.get(lineId) !== undefined;
  }

  host(line: HostedLine, epoch: number): void {
    if (!this.#isClosing && !this.hosts(line.id)) this.#place(line, epoch);
  }

  async end(lineId: string, isAtOnce: boolean): Promise<void> {
    const placement = this.#placements.get(lineId);
    if (!placement) return;
    const { slot } = placement;
    this.#beginEnd(placement);
    if (slot.send({ type: 'stop_line', lineId, isAtOnce })) {
      const withinMs = isAtOnce ? END_AT_ONCE_WITHIN_MS : STOP_WITHIN_MS;
      await this.#placements
        .until(placement, () => this.#isOver(placement), withinMs)
        .catch(() => slot.restart(`does not let go of ${lineId}`));
    }
    this.#remove(placement);
    await this.#slots.release(slot);
  }

  async endAll(): Promise<void> {
    for (const placement of this.#placements.all()) {
      this.#beginEnd(placement);
      this.#remove(placement);
    }
    await Promise.all(this.#slots.all().map((slot) => slot.restart('the leases of this node are over')));
  }

  view(lineId: string): LineProcessView {
    return viewOfProcess(this.#placements.get(lineId));
  }

  async isMoving(): Promise<boolean> {
    return false;
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
    return this.#slots.pids();
  }

  lineCounts(): LineCount[] {
    return countLines(this.#placements.all(), (lineId) => this.live.latest(lineId));
  }

  workerFigures(): WorkerFigures[] {
    return this.#slots.figures();
  }

  workerCrashes(): number {
    return this.#slots.crashes();
  }

  hasLines(mode: Mode): boolean {
    return this.#placements.all().some(({ line }) => line.mode === mode);
  }

  announce(network: NetworkName, version: ClientVersion): void {
    for (const slot of this.#slots.all()) slot.send({ type: 'client_version', network, version });
  }

  async close(timeoutMs = CLOSE_WITHIN_MS): Promise<void> {
    this.#isClosing = true;
    for (const placement of this.#placements.all()) placement.cancelRetry?.();
    await Promise.all(this.#slots.all().map((slot) => slot.close(timeoutMs)));
    this.#pending.rejectAll('unavailable');
    for (const placement of this.#placements.all()) this.#remove(placement);
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
    await this.#placements.until(placed, () => placed.state === 'running', START_WITHIN_MS);
  }

  #beginEnd(placement: Placement): void {
    placement.cancelRetry?.();
    this.#placements.turnTo(placement, 'stopping');
    for (const command of this.#pending.ofLine(placement.line.id)) command.reject(new AppError('line_failed'));
  }

  #place(line: HostedLine, epoch?: number): Placement {
    const placement = this.#placements.add(line, this.#slots.forLine(line.id, line.mode), epoch);
    void this.#host(placement);
    return placement;
  }

  #createSlots(): WorkerSlots {
    const { config, spawnWorker: spawn, clock, log, metrics } = this.#options;
    const { workers, isolation, setup, hangAfterMs = HANG_AFTER_MS } = config;
    return new WorkerSlots({
      workers,
      isolation,
      optionsOf: (name, mode, slot) => ({
        ...{ name, mode, setup, hangAfterMs, spawn, clock, log, metrics },
        leasesForMs: () => this.#options.ownership?.validForMs() ?? 0,
        onMessage: (message) => this.#received(slot(), message),
        onDown: () => this.#down(slot()),
      }),
    });
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
      if (!this.#placements.isCurrent(placement) || placement.state === 'stopping') return;
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
    this.#placements.turnTo(placement, 'running');
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
    this.#placements.turnTo(placement, 'failed');
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
        this.#placements.wake(placement);
      } else {
        this.#placements.turnTo(placement, 'starting');
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

  /** Corrects what is shown of a line whose worker is gone, or does not start it. */
  #tellOfProcess(placement: Placement): void {
    const view = viewWithoutWorker(placement, this.live.latest(placement.line.id));
    if (view) this.live.publish(view);
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

  #remove(placement: Placement): void {
    if (this.#placements.remove(placement)) this.live.forget(placement.line.id);
  }

  /** Nothing of it runs any more, as far as its worker can say. */
  #isOver(placement: Placement): boolean {
    return !this.#placements.isCurrent(placement) || placement.slot.state !== 'running';
  }
}
