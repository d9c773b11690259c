import { Search } from 'lucide-react';
import { lazy, Suspense, useEffect, useState } from 'react';
import { fetched } from '../../fetched.ts';
import { useWords } from '../../words/words.ts';

const Palette = lazy(fetched(async () => ({ default: (await import('./palette.tsx')).Palette })));

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** Opens the command palette: a button, and Ctrl+K (⌘K) on every page. */
export function PaletteKey() {
  const words = useWords();
  const [isOpen, setIsOpen] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey)
        return;
      event.preventDefault();
      setIsOpen(true);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  return (
    <>
      <button
        type="button"
        aria-label={words.search}
        aria-keyshortcuts="Control+K Meta+K"
        onClick={() => setIsOpen(true)}
        className="flex min-h-9 items-center gap-2 rounded-lg border border-field px-2.5 text-sm text-muted hover:bg-inset"
      >
        <Search aria-hidden className="size-4" />
        <span className="hidden flex-1 text-left md:inline">{words.search}</span>
        <kbd className="hidden font-mono text-xs md:inline">{isMac ? '⌘K' : 'Ctrl K'}</kbd>
      </button>
      {isOpen ? (
        <Suspense>
          <Palette onClose={() => setIsOpen(false)} />
        </Suspense>
      ) : null}
    </>
  );
}
