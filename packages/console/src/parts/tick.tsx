import { bulkTexts } from '../words/bulk.ts';
import { useTexts } from '../words/texts.ts';
import type { Selection } from './selection.ts';

/** The box of one member of a list. */
export function Tick({ selection, id, name }: { selection: Selection; id: string; name: string }) {
  const texts = useTexts(bulkTexts);
  return (
    <input
      type="checkbox"
      aria-label={texts.one(name)}
      checked={selection.has(id)}
      onChange={() => selection.toggle(id)}
      className="relative z-1 size-5 shrink-0 accent-accent"
    />
  );
}
