import type { Engine, Jid, NamedPerson } from '@ponte/engine';
import type { Clock } from '../../core/clock.ts';
import { backoffMs } from '../../core/retry.ts';
import type { LineRef } from '../../journal/accept.ts';
import type { Log } from '../../observe/logger.ts';
import type { Store } from '../../store/db/store.ts';
import { areSettingsStale, markSettingsStale } from '../../store/messages/archive.ts';
import { notePeople } from '../../store/messages/history.ts';

export interface PhoneSettingsOptions {
  line: LineRef;
  store: Store;
  clock: Clock;
  log: Log;
  stopping: AbortSignal;
  /** The engine, while it is connected. */
  engine(): Pick<Engine, 'account'> | undefined;
  /** Notes where a chat is; false when that failed. */
  noteArchived(chat: Jid, archived: boolean): Promise<boolean>;
  /** Everything that the inbox held at the start is taken. */
  caughtUp(): Promise<void>;
}

const PEOPLE_PER_STEP = 200;
/** Tries on one connection. */
const MAX_TRIES = 5;

/**
 * Keeps up with what the owner settles on the phone: which chats are archived, what people are
 * called. That something changed is durable (the inbox has it, and then a mark on the line); the
 * mark goes when what changed is noted. One that is found at the start means that a crash came in
 * between: everything is fetched anew then.
 */
export class PhoneSettings {
  readonly #options: PhoneSettingsOptions;
  /** Nothing was lost of what this process was told. */
  #isUnbroken = false;
  #isWanted = false;
  #isRunning = false;
  #noted: Promise<void> = Promise.resolve();

  constructor(options: PhoneSettingsOptions) {
    this.#options = options;
  }

  /**
   * There may be something new: connected again, the phone changed something, or can be asked from
   * now on.
   */
  wake(): void {
    this.#isWanted = true;
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#run().finally(() => {
      this.#isRunning = false;
    });
  }

  /** The owner archived a chat, or took it out. One after the other: the last word counts. */
  archived(chat: Jid, archived: boolean): void {
    this.#noted = this.#noted.then(async () => {
      if (!(await this.#options.noteArchived(chat, archived))) this.#isUnbroken = false;
    });
  }

  /** What the owner calls people. */
  named(people: NamedPerson[]): void {
    const { store, line, clock, log } = this.#options;
    this.#noted = this.#noted.then(async () => {
      try {
        for (let from = 0; from < people.length; from += PEOPLE_PER_STEP) {
          const step = people.slice(from, from + PEOPLE_PER_STEP).map((one) => ({ ...one, pushName: '' }));
          await store.transaction((tx) => notePeople(tx, line.id, step, clock.now()), 'normal');
        }
      } catch (error) {
        this.#isUnbroken = false;
        log.warn({ lineId: line.id, error }, 'names of people could not be noted');
      }
    });
  }

  async #run(): Promise<void> {
    const { clock, log, line, stopping, engine } = this.#options;
    for (let failures = 0; this.#isWanted && failures < MAX_TRIES && !stopping.aborted; ) {
      const online = engine();
      if (!online) return;
      this.#isWanted = false;
      try {
        await this.#sync(online);
        failures = 0;
      } catch (error) {
        failures += 1;
        this.#isWanted = true;
        // Right after the pairing the phone has not shared its keys yet; it says when it has.
        log.debug({ lineId: line.id, error, failures }, 'the settings of the phone could not be fetched');
        await clock.sleep(backoffMs(failures, clock.random()), stopping);
      }
    }
  }

  async #sync({ account }: Pick<Engine, 'account'>): Promise<void> {
    const { store, line, caughtUp } = this.#options;
    // Of what the process before was told and could not note, only the inbox knows.
    if (!this.#isUnbroken) await caughtUp();
    const isStale = await areSettingsStale(store.db, line.id);
    await account.syncSettings({ isFresh: isStale && !this.#isUnbroken });
    this.#isUnbroken = true;
    await this.#noted;
    if (!isStale || this.#isWanted || !this.#isUnbroken) return;
    await store.transaction(({ db }) => markSettingsStale(db, line.id, false));
  }
}
