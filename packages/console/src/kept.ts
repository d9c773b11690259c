import { useSyncExternalStore } from 'react';

/**
 * One setting of this browser: kept across visits where the browser lets us, and told to every
 * component that shows it.
 */
export interface Kept<T extends string> {
  get(): T;
  set(value: T): void;
  use(): T;
}

export function kept<T extends string>(name: string, options: readonly T[], fallback: () => T): Kept<T> {
  const key = `ponte.${name}`;
  const listeners = new Set<() => void>();
  const read = (): T => {
    try {
      const stored = localStorage.getItem(key);
      return options.find((option) => option === stored) ?? fallback();
    } catch {
      return fallback(); // Storage is switched off: the setting lives as long as the page.
    }
  };
  let value = read();
  const subscribe = (listener: () => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  return {
    get: () => value,
    set(next) {
      value = next;
      try {
        localStorage.setItem(key, next);
      } catch {
        // See above.
      }
      for (const listener of listeners) listener();
    },
    use: () => useSyncExternalStore(subscribe, () => value),
  };
}
