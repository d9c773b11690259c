import type { Mode } from '../../core/lines.ts';
import type { WorkerFigures } from '../../observe/system-metrics.ts';
import { WorkerSlot, type WorkerSlotOptions } from './worker-slot.ts';

const STOP_WITHIN_MS = 10_000;

export interface WorkerSlotsOptions {
  /** Worker processes per mode at most (`shared`). */
  workers: number;
  /** `dedicated`: one process per line. */
  isolation: 'shared' | 'dedicated';
  /** What a new worker of this name and mode is made with. */
  optionsOf(name: string, mode: Mode, slot: () => WorkerSlot): WorkerSlotOptions;
}

/** The workers of this gateway. Live and test lines never share one. */
export class WorkerSlots {
  readonly #options: WorkerSlotsOptions;
  readonly #slots: WorkerSlot[] = [];

  constructor(options: WorkerSlotsOptions) {
    this.#options = options;
  }

  all(): readonly WorkerSlot[] {
    return this.#slots;
  }

  /** The emptiest worker of the line's mode; a new one while there may be more. */
  forLine(lineId: string, mode: Mode): WorkerSlot {
    const { workers, isolation, optionsOf } = this.#options;
    const ofMode = this.#slots.filter((slot) => slot.mode === mode);
    const isDedicated = isolation === 'dedicated';
    const emptiest = ofMode.reduce<WorkerSlot | undefined>(
      (best, slot) => (best && best.lines.size <= slot.lines.size ? best : slot),
      undefined,
    );
    if (!isDedicated && emptiest && (emptiest.lines.size === 0 || ofMode.length >= workers)) return emptiest;
    const name = isDedicated ? `${mode}-${lineId}` : `${mode}-${ofMode.length + 1}`;
    const slot: WorkerSlot = new WorkerSlot(optionsOf(name, mode, () => slot));
    this.#slots.push(slot);
    slot.start();
    return slot;
  }

  /** Ends a worker that was one line's own; nothing where workers are shared. */
  async release(slot: WorkerSlot): Promise<void> {
    if (this.#options.isolation !== 'dedicated') return;
    await slot.close(STOP_WITHIN_MS);
    const at = this.#slots.indexOf(slot);
    if (at >= 0) this.#slots.splice(at, 1);
  }

  /** Process ids of the workers that are up. */
  pids(): number[] {
    return this.#slots.flatMap((slot) => slot.pid ?? []);
  }

  /** What each worker said of itself last. */
  figures(): WorkerFigures[] {
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

  crashes(): number {
    return this.#slots.reduce((sum, { crashes }) => sum + crashes, 0);
  }
}
