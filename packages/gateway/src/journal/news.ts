import type { Clock } from '../core/clock.ts';

/**
 * Says that there is something new in the journal, to those who wait for something in particular.
 * What it is they read there.
 */
export interface News {
  /** Something was journaled, on whatever line. */
  tell(): void;
  /**
   * Resolves when something was told, when `signal` aborts, at the latest after `atMostMs`; at once
   * when it is closed.
   */
  next(atMostMs: number, signal: AbortSignal): Promise<void>;
  /**
   * A place among those who wait; undefined when `subject` or all together have too many. Give it
   * back by calling it.
   */
  enter(subject: string): (() => void) | undefined;
  /** All waiting callers continue, and later ones do not wait. */
  close(): void;
  readonly isClosed: boolean;
}

const MAX_OF_ONE = 20;
const MAX_OF_ALL = 1_000;

export function createNews(clock: Clock): News {
  const waiting = new Set<() => void>();
  const places = new Map<string, number>();
  let taken = 0;
  let isClosed = false;
  const wake = () => {
    for (const go of [...waiting]) go();
  };
  return {
    tell: wake,
    next: (atMostMs, signal) =>
      new Promise((resolve) => {
        if (isClosed || signal.aborted) return resolve();
        const go = () => {
          waiting.delete(go);
          cancel();
          signal.removeEventListener('abort', go);
          resolve();
        };
        const cancel = clock.after(atMostMs, go);
        waiting.add(go);
        signal.addEventListener('abort', go, { once: true });
        return undefined;
      }),
    enter(subject) {
      const own = places.get(subject) ?? 0;
      if (isClosed || own >= MAX_OF_ONE || taken >= MAX_OF_ALL) return undefined;
      places.set(subject, own + 1);
      taken += 1;
      let isIn = true;
      return () => {
        if (!isIn) return;
        isIn = false;
        taken -= 1;
        const left = (places.get(subject) ?? 1) - 1;
        if (left === 0) places.delete(subject);
        else places.set(subject, left);
      };
    },
    close() {
      isClosed = true;
      wake();
    },
    get isClosed() {
      return isClosed;
    },
  };
}
