import { AppError } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import type { LineReason } from '../../core/line-reasons.ts';
import type { Mode } from '../../core/lines.ts';
import type { WorkerSlot } from './worker-slot.ts';

/** A line as the endpoint is chosen for it. */
export interface HostedLine {
  id: string;
  accountId: string;
  mode: Mode;
}

/** A line and where it is hosted. */
export interface Placement {
  readonly line: HostedLine;
  readonly slot: WorkerSlot;
  readonly epoch: number | undefined;
  readonly state: 'starting' | 'running' | 'failed' | 'stopping';
  /** Starts that failed since the last one that did not. */
  failures: number;
  /** Why it failed, when the worker knew. */
  reason: LineReason | undefined;
  cancelRetry: (() => void) | undefined;
}

/** With those that wait for the next change of it. */
interface Kept extends Placement {
  state: Placement['state'];
  readonly waiters: (() => void)[];
}

/** Which lines have a place here, in what state, and who waits for another one. */
export class Placements {
  readonly #clock: Clock;
  readonly #byLine = new Map<string, Kept>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(lineId: string): Placement | undefined {
    return this.#byLine.get(lineId);
  }

  /** All of them as they are now; may be changed while they are walked through. */
  all(): Placement[] {
    return [...this.#byLine.values()];
  }

  /** Whether it still is the place of its line: it may have been removed, and placed again. */
  isCurrent(placement: Placement): boolean {
    return this.#byLine.get(placement.line.id) === placement;
  }

  add(line: HostedLine, slot: WorkerSlot, epoch: number | undefined): Placement {
    const { id, accountId, mode } = line;
    const placement: Kept = {
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
    this.#byLine.set(id, placement);
    return placement;
  }

  turnTo(placement: Placement, state: Placement['state']): void {
    (placement as Kept).state = state;
    this.wake(placement);
  }

  /** Has those who wait for a change of it look again. */
  wake(placement: Placement): void {
    for (const wake of (placement as Kept).waiters.splice(0)) wake();
  }

  /** Takes the place away, with its retry; false when it is not the line's any more. */
  remove(placement: Placement): boolean {
    if (!this.isCurrent(placement)) return false;
    const { line, slot } = placement;
    placement.cancelRetry?.();
    this.#byLine.delete(line.id);
    slot.lines.delete(line.id);
    this.wake(placement);
    return true;
  }

  /**
   * Waits until it holds; looks at every change of the placement. Rejects with `line_failed` when
   * it does not come in time, or the line fails.
   */
  async until(placement: Placement, holds: () => boolean, timeoutMs: number): Promise<void> {
    let isLate = false;
    const cancel = this.#clock.after(timeoutMs, () => {
      isLate = true;
      this.wake(placement);
    });
    const failuresBefore = placement.failures;
    try {
      while (!holds()) {
        const isGone = !this.isCurrent(placement);
        if (isLate || isGone || placement.failures > failuresBefore) throw new AppError('line_failed');
        await new Promise<void>((resolve) => (placement as Kept).waiters.push(resolve));
      }
    } finally {
      cancel();
    }
  }
}
