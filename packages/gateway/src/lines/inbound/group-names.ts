import { type Engine, EngineError, type Jid } from '@ponte/engine';
import type { Clock } from '../../core/clock.ts';
import { backoffMs } from '../../core/retry.ts';
import type { LineRef } from '../../journal/accept.ts';
import type { Log } from '../../observe/logger.ts';
import type { Store } from '../../store/db/store.ts';
import { namedGroups, namelessGroups, noteGroups } from '../../store/messages/chat-groups.ts';

export interface GroupNamesOptions {
  line: LineRef;
  store: Store;
  clock: Clock;
  log: Log;
  stopping: AbortSignal;
  /** The engine, while it is connected. */
  engine(): Pick<Engine, 'groups'> | undefined;
}

/**
 * Groups remembered as named, and groups that wait for a name; beyond that the next login finds the
 * rest.
 */
const REMEMBERED_MAX = 5_000;
const WAITING_MAX = 500;
/** From so many on, one question about all groups is asked instead of one about each. */
const ALL_AT_ONCE = 5;
/** Tries on one connection. */
const MAX_TRIES = 5;

/**
 * Looks up the names of groups that have messages but no known name. WhatsApp sends a name when the
 * line joins a group and whenever it changes (the inbox has both); this is for groups that the line
 * was in before it was paired. Idempotent.
 */
export class GroupNames {
  readonly #options: GroupNamesOptions;
  /** Groups that have a row. */
  readonly #named = new Set<Jid>();
  readonly #waiting = new Set<Jid>();
  #isRunning = false;

  constructor(options: GroupNamesOptions) {
    this.#options = options;
  }

  /** These groups have new messages. */
  seen(groups: readonly Jid[]): void {
    for (const group of groups)
      if (!this.#named.has(group) && this.#waiting.size < WAITING_MAX) this.#waiting.add(group);
    this.#wake();
  }

  /** Connected (again): what the last connection left over is done. Never rejects. */
  async opened(): Promise<void> {
    const { store, line, log } = this.#options;
    try {
      this.seen(await namelessGroups(store.db, line.id, WAITING_MAX));
    } catch (error) {
      log.warn({ lineId: line.id, error }, 'groups without a name could not be listed');
    }
  }

  #wake(): void {
    if (this.#isRunning || this.#waiting.size === 0) return;
    this.#isRunning = true;
    void this.#run().finally(() => {
      this.#isRunning = false;
    });
  }

  async #run(): Promise<void> {
    const { clock, log, line, stopping, engine } = this.#options;
    for (let failures = 0; this.#waiting.size > 0 && failures < MAX_TRIES && !stopping.aborted; ) {
      const online = engine();
      if (!online) return;
      try {
        await this.#name(online);
        failures = 0;
      } catch (error) {
        failures += 1;
        log.info({ lineId: line.id, error, failures }, 'a group could not be asked for its name');
        await clock.sleep(backoffMs(failures, clock.random()), stopping);
      }
    }
  }

  async #name({ groups }: Pick<Engine, 'groups'>): Promise<void> {
    const { store, line, clock } = this.#options;
    for (const jid of await namedGroups(store.db, line.id, [...this.#waiting])) this.#done(jid);
    if (this.#waiting.size >= ALL_AT_ONCE) {
      const all = await groups.all({});
      await store.transaction(({ db }) => noteGroups(db, line.id, all, clock.now()), 'normal');
      for (const { jid } of all) this.#done(jid);
    }
    for (const group of [...this.#waiting]) {
      const name = await groups.info({ group }).catch((error: unknown) => {
        // Not a member any more, or the group is gone: the name stays unknown. Not asked again.
        if (error instanceof EngineError && error.code === 'rejected') return { jid: group, subject: '', subjectAt: 0 };
        throw error;
      });
      await store.transaction(({ db }) => noteGroups(db, line.id, [name], clock.now()), 'normal');
      this.#done(group);
    }
  }

  #done(group: Jid): void {
    this.#waiting.delete(group);
    this.#named.add(group);
    if (this.#named.size <= REMEMBERED_MAX) return;
    for (const oldest of this.#named) {
      this.#named.delete(oldest);
      break;
    }
  }
}
