import { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import type { CommandOf } from './workers/worker-protocol.ts';

/** A command whose caller waits. */
export interface PendingCommand {
  readonly id: number;
  readonly lineId: string;
  readonly command: CommandOf;
  /** It left for a worker; false while the line has none. */
  wasSent: boolean;
  resolve(value: unknown): void;
  reject(error: AppError): void;
}

/** Callers that may wait at once, over all lines. */
const MAX_PENDING = 10_000;

/** The commands on their way, each with its time limit. Bounded: what exceeds it is refused. */
export class PendingCommands {
  readonly #clock: Clock;
  readonly #byId = new Map<number, PendingCommand>();
  readonly #byLine = new Map<string, Set<PendingCommand>>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#byId.size;
  }

  /**
   * Enters a command. The answer rejects after `timeoutMs`: with `whatsapp_timeout` when it was
   * sent (the work may still go on), with `line_failed` when no worker came for it in time.
   */
  add(lineId: string, command: CommandOf, timeoutMs: number): Promise<unknown> {
    if (this.#byId.size >= MAX_PENDING) {
      throw new AppError(
        'unavailable',
        { retryAfterSeconds: 1 },
        { message: 'Too many commands are waiting. Try again shortly.' },
      );
    }
    this.#lastId += 1;
    const id = this.#lastId;
    const pending: PendingCommand = { id, lineId, command, wasSent: false, resolve: () => {}, reject: () => {} };
    const answer = new Promise<unknown>((resolve, reject) => {
      pending.resolve = (value) => {
        this.#remove(pending);
        cancel();
        resolve(value);
      };
      pending.reject = (error) => {
        this.#remove(pending);
        cancel();
        reject(error);
      };
    });
    const cancel = this.#clock.after(timeoutMs, () =>
      pending.reject(new AppError(pending.wasSent ? 'whatsapp_timeout' : 'line_failed')),
    );
    this.#byId.set(id, pending);
    const ofLine = this.#byLine.get(lineId) ?? new Set();
    this.#byLine.set(lineId, ofLine.add(pending));
    return answer;
  }

  /** Undefined when its time was up, or it never was. */
  get(id: number): PendingCommand | undefined {
    return this.#byId.get(id);
  }

  ofLine(lineId: string): PendingCommand[] {
    return [...(this.#byLine.get(lineId) ?? [])];
  }

  rejectAll(code: 'unavailable' | 'line_failed'): void {
    for (const pending of [...this.#byId.values()]) pending.reject(new AppError(code));
  }

  #remove(pending: PendingCommand): void {
    this.#byId.delete(pending.id);
    const ofLine = this.#byLine.get(pending.lineId);
    ofLine?.delete(pending);
    if (ofLine?.size === 0) this.#byLine.delete(pending.lineId);
  }
}
