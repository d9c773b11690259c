import { useSyncExternalStore } from 'react';
import { kept } from './kept.ts';

/**
 * Test lines live on the simulated network, live ones on WhatsApp. A page shows one of the two
 * worlds, and its address says which: `?mode=live`.
 */
export type Mode = 'test' | 'live';

const MODES = ['test', 'live'] as const;

/** For addresses that do not say: the mode that this browser looked at last. */
const last = kept<Mode>('mode', MODES, () => 'test');

let shown: Mode = last.get();
const listeners = new Set<() => void>();
const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

/** The mode of this page. The router sets it from the address; other tabs have their own. */
export const mode = {
  get: (): Mode => shown,
  last: (): Mode => last.get(),
  show(next: Mode): void {
    last.set(next);
    if (shown === next) return;
    shown = next;
    for (const listener of listeners) listener();
  },
  use: (): Mode => useSyncExternalStore(subscribe, mode.get),
};

export const otherMode = (of: Mode): Mode => (of === 'test' ? 'live' : 'test');

/** A mode as an address gives it; anything else is none. */
export const readMode = (text: unknown): Mode | undefined => MODES.find((one) => one === text);
