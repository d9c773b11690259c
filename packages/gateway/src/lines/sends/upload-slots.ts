/**
 * How many files a line uploads at once: others wait in the mailbox, and no memory or connection is
 * spent on them.
 */
export class UploadSlots {
  #free: number;

  constructor(places: number) {
    this.#free = places;
  }

  /**
   * A place, or undefined when none is free. The caller gives it back by calling the function,
   * once.
   */
  take(): (() => void) | undefined {
    if (this.#free === 0) return undefined;
    this.#free -= 1;
    return () => {
      this.#free += 1;
    };
  }
}
