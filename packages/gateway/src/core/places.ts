/** A bounded number of places: how much of one kind of work goes on at once. */
export interface Places {
  /** Does the work in a place; the others wait in the order they came, holding nothing. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** A place at once, or undefined. The caller gives it back by calling the function, once. */
  take(): (() => void) | undefined;
  /** How many wait. */
  readonly waiting: number;
}

export function createPlaces(count: number): Places {
  let free = count;
  const waiting: (() => void)[] = [];
  // A place goes straight to the work that has waited longest.
  const leave = () => {
    const next = waiting.shift();
    if (next) next();
    else free += 1;
  };
  const take = (): (() => void) | undefined => {
    if (free === 0) return undefined;
    free -= 1;
    return leave;
  };
  return {
    take,
    async run(work) {
      if (!take()) await new Promise<void>((resolve) => waiting.push(resolve));
      try {
        return await work();
      } finally {
        leave();
      }
    },
    get waiting() {
      return waiting.length;
    },
  };
}
