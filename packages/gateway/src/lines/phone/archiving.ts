import type { Engine, Jid } from '@ponte/engine';
import type { Clock } from '../../core/clock.ts';
import { archivedKey } from '../../core/event-keys.ts';
import { backoffMs } from '../../core/retry.ts';
import { accept, type LineRef } from '../../journal/accept.ts';
import type { Log } from '../../observe/logger.ts';
import type { Store } from '../../store/db/store.ts';
import { archivingDone, dueArchivings, noteArchived } from '../../store/messages/archive.ts';

export interface ArchivingOptions {
  line: LineRef;
  store: Store;
  clock: Clock;
  log: Log;
  stopping: AbortSignal;
  /** The engine, while it is connected. */
  engine(): Pick<Engine, 'account'> | undefined;
  nudge(): void;
}

const BATCH = 20;
/**
 * Tries on one connection; what is left waits for the next one. The phone may take its time to
 * share its keys after the pairing.
 */
const MAX_TRIES = 8;

/**
 * Puts chats (back) into the archive after a message has left: on the phone, and here. What is to
 * be done is in the outbox, so a crash in between only delays it; doing it twice is the same as
 * once.
 */
export class Archiving {
  readonly #options: ArchivingOptions;
  #isRunning = false;
  #isStale = false;

  constructor(options: ArchivingOptions) {
    this.#options = options;
  }

  /** There may be something to do: a message left, or the line is connected again. */
  wake(): void {
    this.#isStale = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run().finally(() => {
      this.#isRunning = false;
    });
  }

  /**
   * Stores whether a chat is archived, whichever device did it; a change is told by an event. False
   * when it could not be stored.
   */
  async note(chat: Jid, archived: boolean): Promise<boolean> {
    const { store, line, clock, log, nudge } = this.#options;
    try {
      const isNews = await store.transaction(async (tx) => {
        const known = await noteArchived(tx.db, line.id, chat, archived);
        if (!known) return false;
        const nowMs = clock.now();
        const { jid, lid, pn } = known;
        const party = { jid, ...(lid === null ? {} : { lid }), ...(pn === null ? {} : { pn }) };
        const payload = { chat: party, archived, timestamp: Math.floor(nowMs / 1_000) };
        const dedupeKey = archivedKey(jid, archived, nowMs);
        await accept(tx, line, [{ type: 'chat.archived', payload, dedupeKey, chat: jid }], nowMs);
        return true;
      }, 'normal');
      if (isNews) nudge();
      return true;
    } catch (error) {
      log.warn({ lineId: line.id, error }, 'an archived chat could not be noted');
      return false;
    }
  }

  async #run(): Promise<void> {
    const { clock, log, line, stopping, engine } = this.#options;
    for (let failures = 0; this.#isStale && failures < MAX_TRIES && !stopping.aborted; ) {
      if (!engine()) return;
      this.#isStale = false;
      try {
        if (await this.#drain()) this.#isStale = true;
        failures = 0;
      } catch (error) {
        failures += 1;
        this.#isStale = true;
        log.info({ lineId: line.id, error, failures }, 'archiving after a send failed; trying again');
        await clock.sleep(backoffMs(failures, clock.random()), stopping);
      }
    }
  }

  /** True when there may be more. */
  async #drain(): Promise<boolean> {
    const { store, line, engine } = this.#options;
    const due = await dueArchivings(store.db, line.id, BATCH);
    for (const { outboxId, to, lastMessageAt } of due) {
      const online = engine();
      if (!online) return false;
      await online.account.archive({ chat: to, archived: true, lastMessageAt });
      await this.note(to, true);
      await store.transaction(({ db }) => archivingDone(db, outboxId));
    }
    return due.length === BATCH;
  }
}
