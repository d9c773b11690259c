import { type Engine, EngineError } from '@ponte/engine';
import type { Clock } from '../../core/clock.ts';
import { createInTurn } from '../../core/in-turn.ts';
import { backoffMs } from '../../core/retry.ts';
import { type SealedBox, UnreadableError } from '../../crypto/sealed-box.ts';
import type { LineRef } from '../../journal/accept.ts';
import type { Log } from '../../observe/logger.ts';
import { proveWritable } from '../../store/db/prove-writable.ts';
import type { Store } from '../../store/db/store.ts';
import { dropPart, nextPart, notePartFailure, type WaitingPart } from '../../store/engine/history-parts.ts';
import { applyHistory } from '../../store/messages/history.ts';

export interface HistoryLoopOptions {
  line: LineRef;
  store: Store;
  box: SealedBox;
  engine: Pick<Engine, 'readHistory'>;
  clock: Clock;
  log: Log;
}

/**
 * Tries of one part; with the pauses between them they span some hours, of which the media hosts
 * may be out of reach.
 */
const MAX_TRIES = 20;
const PAUSE_MAX_MS = 15 * 60_000;

/** One part of one line at a time in a process: it is the one thing that needs many megabytes. */
const inTurn = createInTurn();

/**
 * Reads the past that the phone offers, part by part, into the tables. An offer is durable before
 * this begins; a part that a crash cut off is read again from its beginning, which changes nothing
 * about what is stored of it already.
 */
export class HistoryLoop {
  readonly #options: HistoryLoopOptions;
  readonly #stopping = new AbortController();
  #isAwake = false;
  #running: Promise<void> | undefined;

  constructor(options: HistoryLoopOptions) {
    this.#options = options;
  }

  /** There may be something to read: a part was offered, the line was started or paired. */
  wake(): void {
    this.#isAwake = true;
    if (this.#running || this.#stopping.signal.aborted) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#isAwake) this.wake();
    });
  }

  /** Ends after the piece under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, log, line } = this.#options;
    const { signal } = this.#stopping;
    let failures = 0;
    while (!signal.aborted) {
      this.#isAwake = false;
      try {
        const outcome = await inTurn(() => this.#next());
        if (outcome === 'none') return;
        failures = outcome === 'failed' ? failures + 1 : 0;
      } catch (error) {
        failures += 1;
        log.warn({ lineId: line.id, error, failures }, 'the history of a line could not be stored; trying again');
      }
      if (failures > 0) await clock.sleep(backoffMs(failures, clock.random(), 1_000, PAUSE_MAX_MS), signal);
    }
  }

  async #next(): Promise<'none' | 'done' | 'failed'> {
    const { store, box, line, log } = this.#options;
    if (this.#stopping.signal.aborted) return 'none';
    const waiting = await nextPart(store.db, box, line.id);
    if (!waiting) return 'none';
    try {
      await this.#read(waiting);
      return 'done';
    } catch (error) {
      if (this.#stopping.signal.aborted) return 'none';
      // The owner of the messages is unknown until the line is paired again; `wake` comes with the
      // pairing.
      if (error instanceof EngineError && error.code === 'wrong_state') return 'none';
      if (!(error instanceof EngineError) && !(error instanceof UnreadableError)) await proveWritable(store, line.id);
      const failures = waiting.failures + 1;
      const isHopeless = (error instanceof EngineError && error.code === 'rejected') || failures >= MAX_TRIES;
      const { kind, order } = waiting.part;
      const reason = error instanceof Error ? error.message : 'unknown';
      const forGood = isHopeless ? reason : null;
      await store.transaction(({ db }) => notePartFailure(db, waiting.seq, failures, forGood));
      if (isHopeless) log.error({ lineId: line.id, kind, order, error }, 'a part of history cannot be read; left out');
      else log.info({ lineId: line.id, kind, order, error, failures }, 'a part of history was not read yet');
      return isHopeless ? 'done' : 'failed';
    }
  }

  async #read({ seq, part }: WaitingPart): Promise<void> {
    const { store, engine, line, clock, log } = this.#options;
    let messages = 0;
    for await (const piece of engine.readHistory(part, this.#stopping.signal)) {
      this.#stopping.signal.throwIfAborted();
      // `normal`: what a power cut takes is read again, since the part itself is dropped last.
      await store.transaction((tx) => applyHistory(tx, line.id, piece, clock.now()), 'normal');
      if (piece.type === 'chat') messages += piece.messages.length;
    }
    await store.transaction(({ db }) => dropPart(db, seq));
    const { kind, order, progress } = part;
    log.info({ lineId: line.id, kind, order, progress, messages }, 'a part of history was read');
  }
}
