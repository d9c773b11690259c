/**
 * What counts for sharing the process's requests: how many a lane has under way, and whether it is
 * known to answer.
 */
export interface SlotUser {
  inFlight: number;
  /** Failing, or slow at the moment. */
  isSuspect: boolean;
}

export interface SlotLimits {
  /** Requests under way at once to endpoints that answer. */
  trusted: number;
  /**
   * To endpoints that fail or hang: a share of their own, so that they can never use up that of the
   * others.
   */
  suspect: number;
}

export const DEFAULT_SLOTS: SlotLimits = { trusted: 256, suspect: 128 };

/**
 * The bound on requests under way in this process, in two classes. A lane that turns suspect takes
 * what it has under way with it.
 */
export class Slots {
  #trusted = 0;
  #suspect = 0;
  readonly #limits: SlotLimits;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  get inFlight(): number {
    return this.#trusted + this.#suspect;
  }

  hasRoom(user: SlotUser): boolean {
    return user.isSuspect ? this.#suspect < this.#limits.suspect : this.#trusted < this.#limits.trusted;
  }

  take(user: SlotUser): void {
    user.inFlight += 1;
    this.#count(user, 1);
  }

  release(user: SlotUser): void {
    user.inFlight -= 1;
    this.#count(user, -1);
  }

  setSuspect(user: SlotUser, isSuspect: boolean): void {
    if (user.isSuspect === isSuspect) return;
    this.#count(user, -user.inFlight);
    user.isSuspect = isSuspect;
    this.#count(user, user.inFlight);
  }

  #count(user: SlotUser, by: number): void {
    if (user.isSuspect) this.#suspect += by;
    else this.#trusted += by;
  }
}
