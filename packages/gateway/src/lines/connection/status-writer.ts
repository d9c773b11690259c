import type { Clock } from '../../core/clock.ts';
import { backoffMs } from '../../core/retry.ts';
import type { LineRef } from '../../journal/accept.ts';
import type { Log } from '../../observe/logger.ts';
import type { Store } from '../../store/db/store.ts';
import { loadTold, type StatusSnapshot, saveStatus } from './save-status.ts';

export interface StatusWriterOptions {
  line: LineRef;
  store: Store;
  clock: Clock;
  log: Log;
  nudge(): void;
}

/** Moments that may wait for the store; beyond it only the newest counts. */
const MAX_WAITING = 50;

/**
 * Writes a line's statuses down one after the other, each once, for as long as it takes the store
 * to answer.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #waiting: StatusSnapshot[] = [];
  readonly #stopping = new AbortController();
  #told: Awaited<ReturnType<typeof loadTold>> | undefined;
  #running: Promise<void> | undefined;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
  }

  write(snapshot: StatusSnapshot): void {
    if (this.#waiting.length >= MAX_WAITING) this.#waiting.splice(0);
    this.#waiting.push(snapshot);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves when everything is written. */
  async flushed(): Promise<void> {
    while (this.#running) await this.#running;
  }

  /** Gives up what is not written yet. */
  stop(): void {
    this.#stopping.abort();
  }

  async #run(): Promise<void> {
    const { line, store, clock, log, nudge } = this.#options;
    let failures = 0;
    for (let next = this.#waiting[0]; next && !this.#stopping.signal.aborted; next = this.#waiting[0]) {
      try {
        this.#told ??= await loadTold(store.db, line.id);
        const saved = await saveStatus(store, line, this.#told, next);
        this.#told = saved.told;
        if (saved.isNew) nudge();
        failures = 0;
        if (this.#waiting[0] === next) this.#waiting.shift();
      } catch (error) {
        failures += 1;
        log.warn({ lineId: line.id, error, failures }, 'the status of a line could not be written; trying again');
        await clock.sleep(backoffMs(failures, clock.random()), this.#stopping.signal);
      }
    }
  }
}
