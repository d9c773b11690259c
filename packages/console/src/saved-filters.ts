import { useSyncExternalStore } from 'react';

/** What a list is narrowed to, by member; an empty text narrows nothing. */
export type Filter = Record<string, string>;
export interface SavedFilter {
  name: string;
  filter: Filter;
}

/** A list keeps this many; the oldest goes. */
const KEPT = 20;
const listeners = new Set<() => void>();
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  addEventListener('storage', listener);
  return () => {
    listeners.delete(listener);
    removeEventListener('storage', listener);
  };
};
const keyOf = (list: string): string => `ponte.filters.${list}`;

/** As long as the page lives, where the browser keeps nothing. */
const unkept = new Map<string, string>();
const readText = (list: string): string => {
  try {
    return unkept.get(list) ?? localStorage.getItem(keyOf(list)) ?? '[]';
  } catch {
    return '[]';
  }
};

/** The filters that a text holds; what is none is left out. */
export function readFilters(text: string): SavedFilter[] {
  const isFilter = (value: unknown): value is Filter =>
    typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one === 'string');
  try {
    const all: unknown = JSON.parse(text);
    if (!Array.isArray(all)) return [];
    return all.flatMap((one: Partial<SavedFilter> | null) =>
      typeof one?.name === 'string' && isFilter(one.filter) ? [{ name: one.name, filter: one.filter }] : [],
    );
  } catch {
    return [];
  }
}

function write(list: string, all: SavedFilter[]): void {
  const text = JSON.stringify(all.slice(-KEPT));
  try {
    localStorage.setItem(keyOf(list), text);
  } catch {
    unkept.set(list, text);
  }
  for (const listener of listeners) listener();
}

/** Keeps a filter in this browser; one of the same name is replaced. */
export function saveFilter(list: string, name: string, filter: Filter): void {
  const others = readFilters(readText(list)).filter((one) => one.name !== name);
  write(list, [...others, { name, filter }]);
}

export function forgetFilter(list: string, name: string): void {
  write(
    list,
    readFilters(readText(list)).filter((one) => one.name !== name),
  );
}

/** The filters that this browser keeps for a list. */
export function useSavedFilters(list: string): SavedFilter[] {
  return readFilters(useSyncExternalStore(subscribe, () => readText(list)));
}
