import type { Clock } from '../../core/clock.ts';
import type { WorkerStats } from '../../core/line-commands.ts';
import type { Mode } from '../../core/lines.ts';
import { backoffMs } from '../../core/retry.ts';
import type { Log } from '../../observe/logger.ts';
import type { MetricsSum } from '../../observe/worker-metrics.ts';
import type { SpawnWorker, WorkerEnd, WorkerProcess } from './fork-worker.ts';
import { type FromWorker, LEASES_OVER_CODE, type ToWorker, type WorkerSetup } from './worker-protocol.ts';

export interface WorkerSlotOptions {
  name: string;
  mode: Mode;
  setup: Omit<WorkerSetup, 'worker'>;
  hangAfterMs: number;
  spawn: SpawnWorker;
  clock: Clock;
  log: Log;
  metrics?: Pick<MetricsSum, 'update' | 'retire'>;
  /** Everything but heartbeats. */
  onMessage(message: FromWorker): void;
  /** Of a fleet: for how long what runs here is this node's for certain. */
  leasesForMs?(): number;
  /** The process is gone; what was asked of it will not be answered. */
  onDown(): void;
}

/** A fresh process says `ready` within this time, or it is stuck. */
const READY_WITHIN_MS = 60_000;
/**
 * A process that is silent for this long hangs. Above every wait that may stop a healthy process:
 * the store's for a lock of another process (8 s), and a collection of a large heap.
 */
export const HANG_AFTER_MS = 20_000;
/** A process that held this long clears the count of failures in a row. */
const STABLE_AFTER_MS = 60_000;
const HOUR_MS = 60 * 60_000;
/** Crashes within an hour after which the slot shows `failed`, and is tried slowly only. */
export const GIVE_UP_AFTER = 10;
const SLOW_RETRY_MS = 5 * 60_000;

export type SlotState = 'starting' | 'running' | 'waiting' | 'failed' | 'closed';

/**
 * A place for a worker: keeps one process in it. A process that ends or hangs is replaced with
 * full-jitter back-off; after too many crashes in an hour the slot says so (`failed`) and goes on
 * trying every few minutes.
 */
export class WorkerSlot {
  readonly name: string;
  readonly mode: Mode;
  /** Ids of the lines that belong here. */
  readonly lines = new Set<string>();
  readonly #options: WorkerSlotOptions;
  #state: SlotState = 'waiting';
  #process: WorkerProcess | undefined;
  #startedAt: number | null = null;
  #stats: WorkerStats | undefined;
  #lastSeenMs = 0;
  #upSinceMs: number | null = null;
  #failuresInRow = 0;
  #crashesMs: number[] = [];
  /** Since this process began. */
  #crashes = 0;
  #cancelTimer: (() => void) | undefined;
  #cancelWatch: (() => void) | undefined;
  #gone: Promise<void> = Promise.resolve();
  /** It was told to end: that is no crash. */
  #isAskedToEnd = false;

  constructor(options: WorkerSlotOptions) {
    this.name = options.name;
    this.mode = options.mode;
    this.#options = options;
  }

  get state(): SlotState {
    return this.#state;
  }

  /** Unix milliseconds; null while no process is up. */
  get startedAt(): number | null {
    return this.#startedAt;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** As the last heartbeat told. */
  get stats(): WorkerStats | undefined {
    return this.#stats;
  }

  /** Processes that ended unasked since this process began. */
  get crashes(): number {
    return this.#crashes;
  }

  /** Crashes since the last hour without one. */
  get failCount(): number {
    const last = this.#crashesMs.at(-1);
    if (last === undefined || this.#options.clock.monotonic() - last >= HOUR_MS) this.#crashesMs = [];
    return this.#crashesMs.length;
  }

  start(): void {
    const { spawn, setup, clock, name } = this.#options;
    this.#cancelTimer?.();
    if (this.#state === 'closed' || this.#process) return;
    if (this.#state !== 'failed') this.#state = 'starting';
    const child = spawn(name);
    this.#isAskedToEnd = false;
    this.#process = child;
    this.#gone = new Promise((resolve) =>
      child.onExit((end) => {
        this.#ended(child, end);
        resolve();
      }),
    );
    child.onMessage((message) => {
      if (child === this.#process) this.#received(message);
    });
    child.send({ type: 'setup', setup: { ...setup, worker: name } });
    this.#cancelTimer = clock.after(READY_WITHIN_MS, () => this.#kill('did not become ready'));
  }

  /** Says something to the running process; false when there is none. */
  send(message: ToWorker): boolean {
    if (this.#state !== 'running') return false;
    this.#process?.send(message);
    return true;
  }

  /**
   * Ends the process at once, and resolves when it is gone. Another one takes its place, with the
   * lines that are still in here.
   */
  async restart(why: string): Promise<void> {
    if (!this.#process || this.#state === 'closed') return;
    this.#isAskedToEnd = true;
    this.#kill(why);
    await this.#gone;
  }

  /**
   * Ends the process, gently within the time and then at once. Afterwards nothing of the slot is
   * left.
   */
  async close(timeoutMs: number): Promise<void> {
    const { clock } = this.#options;
    const wasRunning = this.#state === 'running';
    this.#state = 'closed';
    this.#cancelTimer?.();
    this.#cancelWatch?.();
    if (!this.#process) return;
    if (wasRunning) this.#process.send({ type: 'drain', timeoutMs });
    else this.#process.kill();
    const cancelKill = clock.after(timeoutMs, () => this.#process?.kill());
    await this.#gone;
    cancelKill();
  }

  #received(message: FromWorker): void {
    const { clock, log, metrics, onMessage, name, leasesForMs } = this.#options;
    this.#lastSeenMs = clock.monotonic();
    if (message.type === 'heartbeat') {
      this.#stats = message.stats;
      if (message.metrics) metrics?.update(name, message.metrics);
      const forMs = leasesForMs?.() ?? 0;
      if (message.askedAtMs !== undefined && forMs > 0) {
        this.send({ type: 'lease', askedAtMs: message.askedAtMs, forMs });
      }
      return;
    }
    if (message.type === 'ready' && this.#state !== 'closed') {
      this.#cancelTimer?.();
      this.#state = 'running';
      this.#startedAt = clock.now();
      this.#upSinceMs = clock.monotonic();
      log.info({ worker: name, workerPid: this.pid }, 'worker is ready');
      this.#watch(this.#lastSeenMs);
    }
    onMessage(message);
  }

  /**
   * Looks for signs of life. If this process itself was held up, silence proves nothing: the next
   * look decides.
   */
  #watch(lookedAtMs: number): void {
    const { clock, setup, hangAfterMs } = this.#options;
    this.#cancelWatch = clock.after(setup.heartbeatMs, () => {
      const now = clock.monotonic();
      if (now - lookedAtMs > 3 * setup.heartbeatMs) this.#lastSeenMs = now;
      if (now - this.#lastSeenMs > hangAfterMs) this.#kill('gives no sign of life');
      else this.#watch(now);
    });
  }

  #kill(why: string): void {
    this.#options.log.error({ worker: this.name, workerPid: this.pid, why }, 'worker is killed');
    this.#process?.kill();
  }

  #ended(child: WorkerProcess, end: WorkerEnd): void {
    if (child !== this.#process) return;
    const { clock, log, metrics, onDown } = this.#options;
    const now = clock.monotonic();
    this.#process = undefined;
    this.#startedAt = null;
    this.#stats = undefined;
    void metrics?.retire(this.name);
    this.#cancelTimer?.();
    this.#cancelWatch?.();
    if (this.#state === 'closed') {
      onDown();
      return;
    }
    if (this.#isAskedToEnd || end.code === LEASES_OVER_CODE) {
      this.#state = 'waiting';
      this.#upSinceMs = null;
      log.warn({ worker: this.name, ...end }, 'worker ended as it was told to; another one is started');
      this.#cancelTimer = clock.after(0, () => this.start());
      onDown();
      return;
    }
    if (this.#upSinceMs !== null && now - this.#upSinceMs >= STABLE_AFTER_MS) this.#failuresInRow = 0;
    this.#upSinceMs = null;
    // Reading it first forgets what is long past.
    const failCount = this.failCount + 1;
    this.#crashes += 1;
    this.#crashesMs.push(now);
    this.#crashesMs.splice(0, this.#crashesMs.length - 100);
    const inLastHour = this.#crashesMs.filter((at) => now - at < HOUR_MS).length;
    const hasGivenUp = inLastHour >= GIVE_UP_AFTER;
    const delayMs = hasGivenUp
      ? Math.round(SLOW_RETRY_MS * (0.8 + 0.4 * clock.random()))
      : backoffMs(this.#failuresInRow, clock.random());
    this.#failuresInRow += 1;
    this.#state = hasGivenUp ? 'failed' : 'waiting';
    log.error({ worker: this.name, ...end, failCount, delayMs, hasGivenUp }, 'worker ended; it is started again');
    this.#cancelTimer = clock.after(delayMs, () => this.start());
    onDown();
  }
}
