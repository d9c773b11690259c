import { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import type { JournalEvent } from '../core/events.ts';
import type { Log } from '../observe/logger.ts';
import type { Store } from '../store/db/store.ts';
import { createHorizon, type LoggedEvent, newestEvent, prunedTo, readEvents } from '../store/journal/event-log.ts';
import { EventTail, type FeedOwner, modeOf } from './event-tail.ts';

export type { FeedOwner };

/** Reads the journal in its order, each event once, however it was written and by which process. */
export interface FeedReader {
  /** Everything up to this number was read. */
  readonly position: number;
  /** There may be more to read now. */
  readonly hasMore: boolean;
  /**
   * The next events; moves `position`. Empty when none of them was the owner's. Undefined: events
   * after `position` are no longer kept.
   */
  read(limit: number): Promise<JournalEvent[] | undefined>;
  /** Goes back to an earlier position, to read on from there. */
  seek(position: number): void;
  /**
   * Resolves when there may be more to read, when `signal` is aborted, and when the reader is
   * closed.
   */
  news(signal: AbortSignal): Promise<void>;
  close(): void;
}

export interface EventFeed {
  /** Events may have been written. Cheap; loses nothing when it gets lost. */
  nudge(): void;
  /**
   * Where a reader can begin: after `oldest` (or any later number) up to `newest`, which has been
   * given to an event, committed or not.
   */
  bounds(): Promise<{ oldest: number; newest: number }>;
  /** A reader of what comes after `position`; `now` = of what is not yet settled. */
  open(owner: FeedOwner, position: number | 'now'): Promise<FeedReader>;
  close(): void;
}

/** Without nudges (they are lost with a worker) events are found this much later at most. */
const POLL_MS = 1_000;
const FAILED_PAUSE_MS = 1_000;
/** How soon to look whether writers that are under way have ended. */
const MOVING_MS = 5;
const MAX_MOVING_MS = 100;
const PAGE = 500;
/**
 * Numbers looked through in one query at most: a reader of one quiet line must not hold the others
 * up.
 */
const WINDOW = 20_000;
const START_WITHIN_MS = 5_000;
const CATCH_UP_WITHIN_MS = 500;

/**
 * The journal as it grows, for any number of readers. While there are readers, what is new is read
 * once for all of them and kept in a short tail; a reader that is further behind reads its own
 * pages from the database, and joins the tail when it has caught up: backfill and live are one
 * thing, so there is nothing between them to lose or to double.
 */
export function createEventFeed(services: { store: Store; clock: Clock; log: Log }): EventFeed {
  return new RunningFeed(services);
}

class RunningFeed implements EventFeed {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #readers = new Set<Reader>();
  #horizon: ReturnType<typeof createHorizon>;
  #tail: EventTail | undefined;
  #starting: Promise<EventTail> | undefined;
  #advancing: Promise<void> | undefined;
  #again = false;
  #cancelTimer = () => {};
  #movingMs = MOVING_MS;
  #closed = false;

  constructor({ store, clock, log }: { store: Store; clock: Clock; log: Log }) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#horizon = createHorizon(store);
  }

  nudge(): void {
    if (this.#closed || !this.#tail) return;
    this.#again = true;
    this.#advancing ??= this.#advance(this.#tail).finally(() => {
      this.#advancing = undefined;
      // Nudged at its very end, or while it was busy with a tail that is gone.
      if (this.#again) this.nudge();
    });
  }

  async bounds(): Promise<{ oldest: number; newest: number }> {
    return { oldest: await prunedTo(this.#store.db), newest: await newestEvent(this.#store) };
  }

  async open(owner: FeedOwner, position: number | 'now'): Promise<FeedReader> {
    const tail = this.#tail ?? (await this.#start());
    if (position === 'now') await this.#catchUp(tail);
    const reader = new Reader(this.#store, tail, owner, position === 'now' ? tail.upTo : position, () => {
      this.#readers.delete(reader);
      if (this.#readers.size === 0) this.#stop();
    });
    this.#readers.add(reader);
    this.#tail ??= tail;
    this.#later(POLL_MS);
    return reader;
  }

  close(): void {
    this.#closed = true;
    this.#stop();
  }

  /** The tail begins where the journal is settled now. */
  #start(): Promise<EventTail> {
    this.#starting ??= (async () => {
      this.#horizon = createHorizon(this.#store);
      const seq = await this.#settledNow();
      this.#tail = new EventTail(seq);
      return this.#tail;
    })().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /** How far the journal is settled once everything under way at this moment has ended. */
  async #settledNow(): Promise<number> {
    const deadline = this.#clock.monotonic() + START_WITHIN_MS;
    for (let waitMs = MOVING_MS; ; waitMs = Math.min(waitMs * 2, MAX_MOVING_MS)) {
      const { seq, isMoving } = await this.#horizon();
      if (!isMoving || seq > 0) return seq;
      if (this.#clock.monotonic() > deadline) throw new AppError('unavailable', { retryAfterSeconds: 5 });
      await this.#clock.sleep(waitMs);
    }
  }

  /**
   * `now` means the present moment, not the last read; what a slow writer has yet to commit is
   * news.
   */
  async #catchUp(tail: EventTail): Promise<void> {
    const wanted = await newestEvent(this.#store);
    const deadline = this.#clock.monotonic() + CATCH_UP_WITHIN_MS;
    const isOver = () => tail.upTo >= wanted || this.#closed || this.#clock.monotonic() > deadline;
    for (let waitMs = MOVING_MS; !isOver(); waitMs = Math.min(waitMs * 2, MAX_MOVING_MS)) {
      this.#tail ??= tail;
      this.nudge();
      await this.#advancing;
      if (tail.upTo < wanted) await this.#clock.sleep(waitMs);
    }
  }

  #stop(): void {
    this.#cancelTimer();
    this.#tail = undefined;
    for (const reader of this.#readers) reader.wake();
  }

  #later(delayMs: number): void {
    this.#cancelTimer();
    if (this.#closed || !this.#tail) return;
    this.#cancelTimer = this.#clock.after(delayMs, () => this.nudge());
  }

  async #advance(tail: EventTail): Promise<void> {
    let nextMs = POLL_MS;
    try {
      while (this.#again && this.#tail === tail) {
        this.#again = false;
        const { seq, isMoving } = await this.#horizon();
        const hadNews = await this.#take(tail, seq);
        this.#movingMs = hadNews ? MOVING_MS : Math.min(this.#movingMs * 2, MAX_MOVING_MS);
        nextMs = isMoving ? this.#movingMs : POLL_MS;
      }
    } catch (error) {
      this.#log.error({ error }, 'reading new events for streams failed; trying again');
      nextMs = FAILED_PAUSE_MS;
    }
    if (this.#tail === tail) this.#later(nextMs);
  }

  async #take(tail: EventTail, upTo: number): Promise<boolean> {
    if (upTo <= tail.upTo) return false;
    while (tail.upTo < upTo && this.#tail === tail) {
      const page = await readEvents(this.#store.db, { after: tail.upTo, upTo, limit: PAGE });
      const last = page.at(-1);
      tail.add(page, page.length === PAGE && last ? last.seq : upTo);
      for (const reader of this.#readers) reader.wake();
    }
    return true;
  }
}

class Reader implements FeedReader {
  position: number;
  readonly #store: Store;
  readonly #tail: EventTail;
  readonly #owner: FeedOwner;
  readonly #onClose: () => void;
  #wake: (() => void) | undefined;
  #isClosed = false;

  constructor(store: Store, tail: EventTail, owner: FeedOwner, position: number, onClose: () => void) {
    this.#store = store;
    this.#tail = tail;
    this.#owner = owner;
    this.position = position;
    this.#onClose = onClose;
  }

  get hasMore(): boolean {
    return this.position < this.#tail.upTo;
  }

  async read(limit: number): Promise<JournalEvent[] | undefined> {
    const live = this.#tail.after(this.position, limit, this.#owner);
    if (live) {
      this.position = live.upTo;
      return live.events.map(toJournalEvent);
    }
    const from = this.position;
    const upTo = Math.min(this.#tail.upTo, from + WINDOW);
    if (from >= upTo) return [];
    const page = await readEvents(this.#store.db, { after: from, upTo, limit, owner: this.#owner });
    // Asked after the page: what was deleted before it was read has been noted by now.
    if ((await prunedTo(this.#store.db)) > from) return undefined;
    const last = page.at(-1);
    this.position = page.length === limit && last ? last.seq : upTo;
    return page.filter((event) => modeOf(event) === this.#owner.mode).map(toJournalEvent);
  }

  seek(position: number): void {
    this.position = position;
  }

  async news(signal: AbortSignal): Promise<void> {
    if (this.hasMore || signal.aborted || this.#isClosed) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        this.#wake = undefined;
        resolve();
      };
      this.#wake = done;
      signal.addEventListener('abort', done, { once: true });
    });
  }

  wake(): void {
    this.#wake?.();
  }

  close(): void {
    this.#isClosed = true;
    this.#onClose();
    this.wake();
  }
}

const toJournalEvent = ({ mode: _, payload, ...event }: LoggedEvent): JournalEvent =>
  ({ ...event, payload: JSON.parse(payload) as unknown }) as JournalEvent;
