import { createContext, type ReactNode, type RefObject, useEffect, useRef } from 'react';

/** What had the focus last, outside of dialogs. */
export const LastFocus = createContext<RefObject<Element | null>>({ current: null });
/** Dialogs, and what keeps the focus inside them. */
const IN_DIALOG = '[role=dialog], [data-base-ui-focus-guard]';

/**
 * Remembers what had the focus outside of dialogs. One dialog may follow upon another: the way back
 * is to where the first one was opened.
 */
export function FocusMemory({ children }: { children: ReactNode }) {
  const last = useRef<Element>(null);
  useEffect(() => {
    const note = ({ target }: FocusEvent) => {
      if (target instanceof Element && !target.closest(IN_DIALOG)) last.current = target;
    };
    document.addEventListener('focusin', note);
    return () => document.removeEventListener('focusin', note);
  }, []);
  return <LastFocus value={last}>{children}</LastFocus>;
}
