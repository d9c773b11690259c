import type { Mode } from '../core/lines.ts';
import type { LoggedEvent } from '../store/journal/event-log.ts';

/** Whose events a reader gets. A reader of one line gets no events of the account itself. */
export interface FeedOwner {
  accountId: string;
  mode: Mode;
  lineId?: string;
}

/** What the tail keeps at most; readers further behind read from the database. */
const MAX_EVENTS = 2_000;
const MAX_CHARS = 8_000_000;

/** The newest events, complete between `from` (exclusive) and `upTo` (inclusive). */
export class EventTail {
  #events: LoggedEvent[] = [];
  #chars = 0;
  #from: number;
  #upTo: number;

  constructor(position: number) {
    this.#from = position;
    this.#upTo = position;
  }

  get upTo(): number {
    return this.#upTo;
  }

  /** Takes all events there are between the present end and `upTo`. */
  add(events: readonly LoggedEvent[], upTo: number): void {
    this.#upTo = upTo;
    for (const event of events) {
      this.#events.push(event);
      this.#chars += event.payload.length;
    }
    let drop = 0;
    let chars = this.#chars;
    while (this.#events.length - drop > MAX_EVENTS || chars > MAX_CHARS) {
      const event = this.#events[drop];
      if (!event) break;
      chars -= event.payload.length;
      this.#from = event.seq;
      drop += 1;
    }
    if (drop > 0) this.#events.splice(0, drop);
    this.#chars = chars;
  }

  /**
   * At most `limit` events of this owner after `position`, and up to where that was all there is
   * for it. Undefined when the tail does not reach back so far.
   */
  after(position: number, limit: number, owner: FeedOwner): { events: LoggedEvent[]; upTo: number } | undefined {
    if (position < this.#from) return undefined;
    // A cursor that another process gave out may be ahead of what this one has seen.
    if (position >= this.#upTo) return { events: [], upTo: position };
    const found: LoggedEvent[] = [];
    for (let at = this.#firstAfter(position); at < this.#events.length; at += 1) {
      const event = this.#events[at];
      if (!event || !isOf(owner, event)) continue;
      found.push(event);
      if (found.length === limit) return { events: found, upTo: event.seq };
    }
    return { events: found, upTo: this.#upTo };
  }

  #firstAfter(position: number): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.seq ?? 0) > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

const isOf = (owner: FeedOwner, event: LoggedEvent): boolean =>
  event.accountId === owner.accountId &&
  (owner.lineId === undefined || event.lineId === owner.lineId) &&
  modeOf(event) === owner.mode;

/**
 * The mode an event belongs to: its line's, or what the payload of an event of the account says.
 */
export function modeOf(event: LoggedEvent): Mode | undefined {
  if (event.mode !== null) return event.mode;
  if (event.lineId !== '') return undefined;
  const { mode } = JSON.parse(event.payload) as { mode?: Mode };
  return mode;
}
