import { Dialog } from '@base-ui/react/dialog';
import { X } from 'lucide-react';
import { type ReactNode, useContext, useEffect } from 'react';
import { useWords } from '../words/words.ts';
import { LastFocus } from './focus-memory.tsx';

/**
 * A dialog: focus stays in it, Escape and the backdrop close it, and focus goes back to where it
 * was, also when the whole dialog is unmounted.
 */
export function Modal({
  open,
  onClose,
  title,
  children,
  wide = false,
  isSealed = false,
}: {
  open: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  wide?: boolean;
  /** Only what stands in it closes it: no stray click, no Escape. */
  isSealed?: boolean;
}) {
  const words = useWords();
  const last = useContext(LastFocus);
  useEffect(() => {
    if (!open) return;
    return () => {
      const before = last.current;
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [open, last]);
  return (
    <Dialog.Root open={open} onOpenChange={(isOpen) => (isOpen || isSealed ? undefined : onClose())}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-20 bg-black/50" />
        <Dialog.Popup
          className={`fixed inset-x-3 top-1/2 z-30 mx-auto max-h-[92dvh] -translate-y-1/2 overflow-y-auto rounded-2xl border border-edge bg-panel p-5 shadow-xl ${
            wide ? 'max-w-3xl' : 'max-w-lg'
          }`}
        >
          <div className="mb-4 flex items-start justify-between gap-4">
            <Dialog.Title className="min-w-0 text-lg font-semibold wrap-anywhere">{title}</Dialog.Title>
            {isSealed ? null : (
              <Dialog.Close
                aria-label={words.close}
                className="-mt-1 -mr-1 inline-flex size-9 shrink-0 items-center justify-center rounded-lg text-muted hover:bg-inset"
              >
                <X aria-hidden className="size-5" />
              </Dialog.Close>
            )}
          </div>
          {children}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
