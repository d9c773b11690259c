import type { LineStanding } from '../core/lines.ts';

/**
 * What is true of a line right now. Never journaled, never stored: a view without a listener is
 * lost. (Typing is a live fact too, but webhooks want it: `accept` gives it deliveries that expire
 * within `DELIVER_WITHIN_MS`.)
 */
export interface LiveView extends LineStanding {
  lineId: string;
  /** Digits. */
  phone: string | null;
  name: string | null;
  /** What a phone can scan at this moment; a secret, not for logs. */
  qr: { data: string; expiresAt: number } | null;
}

export type LiveListener = (view: LiveView) => void;

/** Passes live views on to listeners, and remembers the last one of each line. */
export interface LiveHub {
  publish(view: LiveView): void;
  latest(lineId: string): LiveView | undefined;
  forget(lineId: string): void;
  /**
   * The returned function ends it. A listener that throws does not affect the others: `onFault`
   * gets its error.
   */
  subscribe(listener: LiveListener): () => void;
}

/** More listeners than this are a leak: `subscribe` throws. */
const MAX_LISTENERS = 1_000;

export function createLiveHub(onFault: (error: unknown) => void): LiveHub {
  const latest = new Map<string, LiveView>();
  const listeners = new Set<LiveListener>();
  return {
    publish(view) {
      latest.set(view.lineId, view);
      for (const listener of listeners) {
        try {
          listener(view);
        } catch (error) {
          onFault(error);
        }
      }
    },
    latest: (lineId) => latest.get(lineId),
    forget: (lineId) => void latest.delete(lineId),
    subscribe(listener) {
      if (listeners.size >= MAX_LISTENERS) throw new Error(`more than ${MAX_LISTENERS} listeners to live views`);
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
