import { Link } from '@tanstack/react-router';
import { Export } from '../../parts/export.tsx';
import { FilterMemory } from '../../parts/filter-memory.tsx';
import type { Selection } from '../../parts/selection.ts';
import type { Line } from '../../shapes.ts';
import { searchAllTexts } from '../../words/search-all.ts';
import { useTexts } from '../../words/texts.ts';
import { LineBulk } from './line-bulk.tsx';

/** As the fields above the list hold it. */
export type LineFilter = Record<'text' | 'status', string>;

/** What can be done with the lines that are listed: kept filters, several at once, a file. */
export function LineTools(props: {
  lines: readonly Line[];
  selection: Selection;
  mayChange: boolean;
  filter: LineFilter;
  onFilter: (filter: LineFilter) => void;
}) {
  const { lines, selection, mayChange, filter, onFilter } = props;
  const texts = useTexts(searchAllTexts);
  return (
    <>
      {mayChange ? <LineBulk lines={lines} selection={selection} /> : null}
      <FilterMemory list="lines" filter={filter} open={{ text: '', status: '' }} onChange={onFilter} />
      <div className="ml-auto flex flex-wrap items-center gap-3">
        <Link to="/search" className="text-sm text-accent hover:underline">
          {texts.inAll}
        </Link>
        <Export name="lines" rows={() => lines} />
      </div>
    </>
  );
}
