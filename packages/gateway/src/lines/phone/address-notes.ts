import type { AddressPair, NumberAlias } from '@ponte/engine';
import type { Clock } from '../../core/clock.ts';
import { backoffMs } from '../../core/retry.ts';
import type { LineRef } from '../../journal/accept.ts';
import type { Log } from '../../observe/logger.ts';
import type { Store, Tx } from '../../store/db/store.ts';
import { applyMappings } from '../../store/messages/address-mappings.ts';
import { learnAliases } from '../../store/messages/people.ts';

export interface AddressNotesOptions {
  line: LineRef;
  store: Store;
  clock: Clock;
  log: Log;
  stopping: AbortSignal;
}

/** Pairs in one transaction. */
const STEP = 200;
const MAX_TRIES = 5;

/**
 * Notes what WhatsApp disclosed about addresses beside messages, so that people are shown with what
 * is known now. The engine keeps the same facts durably for itself; what a crash cuts off here
 * comes again with the next message of that person.
 */
export class AddressNotes {
  readonly #options: AddressNotesOptions;
  #noted: Promise<void> = Promise.resolve();

  constructor(options: AddressNotesOptions) {
    this.#options = options;
  }

  pairs(pairs: readonly AddressPair[]): void {
    const { line } = this.#options;
    for (let from = 0; from < pairs.length; from += STEP) {
      const some = pairs.slice(from, from + STEP);
      this.#note((tx) => applyMappings(tx, line.id, some));
    }
  }

  aliases(aliases: readonly NumberAlias[]): void {
    const { line } = this.#options;
    this.#note((tx) => learnAliases(tx.db, line.id, aliases));
  }

  /** Resolves when everything told so far is noted, or given up. */
  settled(): Promise<void> {
    return this.#noted;
  }

  #note(work: (tx: Tx) => Promise<void>): void {
    this.#noted = this.#noted.then(() => this.#tried(work));
  }

  async #tried(work: (tx: Tx) => Promise<void>): Promise<void> {
    const { store, clock, log, line, stopping } = this.#options;
    for (let failures = 1; ; failures += 1) {
      try {
        return await store.transaction(work, 'normal');
      } catch (error) {
        log.warn({ lineId: line.id, error, failures }, 'addresses of people could not be noted');
        if (failures === MAX_TRIES || stopping.aborted) return;
        await clock.sleep(backoffMs(failures, clock.random()), stopping);
      }
    }
  }
}
