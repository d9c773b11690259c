export const rounded = (value: number, digits = 1): number => Number(value.toFixed(digits));

export const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
};

/** Upper ends of the classes of a histogram, in milliseconds. */
export const CLASSES_MS = [2, 3, 5, 8, 12, 20, 30, 50, 100, 200, 500] as const;

export interface Waits {
  count: number;
  p50: number;
  p99: number;
  max: number;
  /** How many were at most so long: one number for each class, and the rest. */
  histogram: number[];
}

export function waitsOf(values: number[]): Waits {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q: number): number => rounded(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0);
  const bounds = [0, ...CLASSES_MS, Number.POSITIVE_INFINITY];
  const histogram = bounds
    .slice(1)
    .map((upTo, index) => sorted.filter((value) => value > (bounds[index] ?? 0) && value <= upTo).length);
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: rounded(sorted.at(-1) ?? 0), histogram };
}

/** Runs `work` for 0 … count − 1, `width` of them at a time. */
export async function inParallel(count: number, width: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      next += 1;
      await work(next - 1);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}

/** Starts `work` at an even pace and resolves when all of it ended. */
export async function atRate(perSecond: number, count: number, work: (index: number) => Promise<void>): Promise<void> {
  const started = performance.now();
  const running: Promise<void>[] = [];
  for (let index = 0; index < count; index += 1) {
    const wait = started + (index * 1_000) / perSecond - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    running.push(work(index));
  }
  await Promise.all(running);
}
