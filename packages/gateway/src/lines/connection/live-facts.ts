import type { EngineEvent } from '@ponte/engine';
import type { Clock } from '../../core/clock.ts';
import { newEventId } from '../../core/ids.ts';
import { accept, type LineRef } from '../../journal/accept.ts';
import { fromEngine } from '../../journal/from-engine.ts';
import type { Log } from '../../observe/logger.ts';
import type { Store } from '../../store/db/store.ts';

export interface LiveFactsOptions {
  line: LineRef;
  store: Store;
  clock: Clock;
  log: Log;
  nudge(): void;
}

/**
 * Live facts of one line that may wait for the store; further ones are worthless by the time it
 * answers.
 */
const MAX_WAITING = 20;

/**
 * Passes typing on to the webhooks that want it: now, or not at all. Nothing is repeated, nothing
 * is kept for later.
 */
export class LiveFacts {
  readonly #options: LiveFactsOptions;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(options: LiveFactsOptions) {
    this.#options = options;
  }

  take(event: EngineEvent): void {
    if (this.#waiting >= MAX_WAITING) return;
    this.#waiting += 1;
    this.#last = this.#last
      .then(() => this.#accept(event))
      .finally(() => {
        this.#waiting -= 1;
      });
  }

  /** Resolves when nothing waits any more. */
  settled(): Promise<void> {
    return this.#last;
  }

  async #accept(event: EngineEvent): Promise<void> {
    const { line, store, clock, log, nudge } = this.#options;
    try {
      const facts = fromEngine(event, { source: newEventId(), isLive: true });
      const events = await store.transaction((tx) => accept(tx, line, facts, clock.now()), 'normal');
      if (events.length > 0) nudge();
    } catch (error) {
      log.debug({ error }, 'a live fact was dropped: the store did not take it');
    }
  }
}
