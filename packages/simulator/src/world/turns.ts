const WORK_PER_TURN = 200;

/**
 * Work of phones that is done on later turns of the event loop, in order and a bounded amount at a
 * time: no stanza is handled inside the handling of another, and phones that answer each other
 * cannot starve the sockets.
 */
export class Turns {
  readonly #problem: (cause: unknown) => void;
  readonly #pending: (() => void)[] = [];
  #isScheduled = false;
  #isClosed = false;

  /** `problem` hears of work that threw. */
  constructor(problem: (cause: unknown) => void) {
    this.#problem = problem;
  }

  later(work: () => void): void {
    this.#pending.push(work);
    this.#schedule();
  }

  forget(): void {
    this.#pending.length = 0;
  }

  close(): void {
    this.#isClosed = true;
    this.forget();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#isScheduled = false;
    for (const work of this.#pending.splice(0, WORK_PER_TURN)) {
      if (this.#isClosed) return;
      try {
        work();
      } catch (cause) {
        this.#problem(cause);
      }
    }
    if (this.#pending.length > 0) this.#schedule();
  }
}
