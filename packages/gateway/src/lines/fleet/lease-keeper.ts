import type { Clock } from '../../core/clock.ts';
import type { Log } from '../../observe/logger.ts';
import type { FleetView, OwnedLine } from '../../store/fleet/leases.ts';
import { LEASE_TIMES, type LeaseAnswer, type LeaseCall, type LeaseEffect, LeaseProtocol } from './lease-protocol.ts';

/** Where leases are kept (store/fleet/leases.ts, for one node). */
export interface LeaseTable {
  renew(lines: number): Promise<FleetView>;
  take(most: number, freeForMs: number): Promise<OwnedLine[]>;
  release(lines: readonly OwnedLine[]): Promise<void>;
}

/** What runs lines. None of these may reject. */
export interface LeaseHost {
  start(line: OwnedLine): void;
  /** In order; resolves when nothing of the line runs here any more. */
  close(lineId: string): Promise<void>;
  /** At once; resolves when nothing of the line runs here any more. */
  cut(lineId: string): Promise<void>;
  /** Every line at once; resolves when none runs here any more. */
  cutAll(): Promise<void>;
}

export interface LeaseKeeperOptions {
  nodeId: string;
  table: LeaseTable;
  host: LeaseHost;
  clock: Clock;
  log: Log;
  /** Lines were given back: others may take them. */
  onReleased?(): void;
  /** A line that is not to be moved for the sake of shares at this moment. */
  isBusy?(lineId: string): boolean;
  /** A renewal told who is there. */
  onView?(view: FleetView): void;
}

/** Poll interval of the clock: a stopped node ends its lines within this time after it wakes. */
const TICK_MS = 250;
/** A call without an answer within this time counts as failed. */
const ANSWER_WITHIN_MS = 3_500;
/** The wall clock ran so much further than ours: this machine stood still. */
const STOOD_STILL_MS = 2_000;

/** Runs the rules of `LeaseProtocol` on a clock and a table, and tells a host what to run. */
export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #protocol: LeaseProtocol;
  #cancelTick: (() => void) | undefined;
  #wallAhead: number | undefined;
  #isClosed = false;
  /** Callers that wait for the last line here to end. */
  #waiters: (() => void)[] = [];

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
    this.#protocol = new LeaseProtocol(options.nodeId, LEASE_TIMES, options.isBusy);
  }

  start(): void {
    this.#tick();
  }

  /** Milliseconds for which this node's lines are its own for certain. */
  validForMs(): number {
    return this.#protocol.validForMs(this.#options.clock.monotonic());
  }

  /** Under which number a line runs here; undefined when it does not. */
  epochOf(lineId: string): number | undefined {
    return this.#protocol.epochOf(lineId);
  }

  /** The lines that run here. */
  lines(): string[] {
    return this.#protocol.lines();
  }

  /** Lines may have become free: look at once. */
  lookNow(): void {
    this.#protocol.lookNow();
    this.#call();
  }

  /** A caller noticed that ownership may have changed: renew at once. */
  renewNow(): void {
    this.#protocol.renewNow();
    this.#call();
  }

  /** A line ended by itself, for good (it was deleted). */
  ended(lineId: string): void {
    const epoch = this.#protocol.epochOf(lineId);
    if (epoch !== undefined) this.#ended({ lineId, epoch });
  }

  /**
   * Hands every line over to the peers as fast as they may come; resolves when all are given back,
   * or after `timeoutMs`. Nothing is taken any more.
   */
  async leave(timeoutMs: number): Promise<void> {
    this.#protocol.leave();
    this.#do(this.#protocol.tick(this.#options.clock.monotonic()));
    let isLate = false;
    const cancel = this.#options.clock.after(timeoutMs, () => {
      isLate = true;
      this.#wake();
    });
    while (!isLate && !this.#isClosed && this.#protocol.remaining > 0) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
    cancel();
  }

  /** Nothing is renewed or taken any more; what runs is not ended by this. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTick?.();
    this.#wake();
  }

  #tick(): void {
    if (this.#isClosed) return;
    const { clock } = this.#options;
    this.#cancelTick = clock.after(TICK_MS, () => this.#tick());
    // A virtual machine that was paused may wake with a monotonic clock that knows nothing of it.
    const ahead = clock.now() - clock.monotonic();
    if (this.#wallAhead !== undefined && ahead - this.#wallAhead > STOOD_STILL_MS) this.#protocol.renewNow();
    this.#wallAhead = ahead;
    this.#do(this.#protocol.tick(clock.monotonic()));
    this.#call();
  }

  #call(): void {
    if (this.#isClosed) return;
    const { clock } = this.#options;
    const sentAtMs = clock.monotonic();
    const call = this.#protocol.nextCall(sentAtMs);
    if (!call) return;
    void this.#ask(call).then((answer) => {
      if (this.#isClosed) return;
      this.#do(this.#protocol.answered(call, answer, sentAtMs, clock.monotonic()));
      if (answer.type === 'renew') this.#options.onView?.(answer);
      if (answer.type === 'release') this.#options.onReleased?.();
      this.#wake();
      this.#call();
    });
  }

  async #ask(call: LeaseCall): Promise<LeaseAnswer> {
    const { clock, log } = this.#options;
    const over = new AbortController();
    try {
      return await Promise.race([
        this.#asked(call),
        clock.sleep(ANSWER_WITHIN_MS, over.signal).then((): LeaseAnswer => ({ type: 'failed' })),
      ]);
    } catch (error) {
      log.warn({ error, call: call.type }, 'the database did not do what was asked about leases; it is asked again');
      return { type: 'failed' };
    } finally {
      over.abort();
    }
  }

  async #asked(call: LeaseCall): Promise<LeaseAnswer> {
    const { table } = this.#options;
    switch (call.type) {
      case 'renew':
        return { type: 'renew', ...(await table.renew(call.lines)) };
      case 'take':
        return { type: 'take', taken: await table.take(call.most, call.freeForMs) };
      case 'release':
        await table.release(call.lines);
        return { type: 'release' };
    }
  }

  #do(effects: readonly LeaseEffect[]): void {
    const { host, log } = this.#options;
    for (const effect of effects) {
      switch (effect.type) {
        case 'start':
          host.start({ lineId: effect.lineId, epoch: effect.epoch });
          break;
        case 'close':
          void host.close(effect.lineId).then(() => this.#ended(effect));
          break;
        case 'cut':
          log.warn({ lineId: effect.lineId }, 'a line is another node’s now; it is cut here');
          void host.cut(effect.lineId).then(() => this.#ended(effect));
          break;
        case 'cut_all':
          log.error({}, 'leases could not be renewed in time; every line of this node is cut');
          void host.cutAll().then(() => {
            this.#protocol.allEnded();
            this.#wake();
            this.#call();
          });
          break;
      }
    }
  }

  #ended(line: OwnedLine): void {
    this.#do(this.#protocol.ended(line));
    this.#wake();
    this.#call();
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake();
  }
}
