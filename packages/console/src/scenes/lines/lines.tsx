import { useQuery } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { lazy, Suspense, useDeferredValue, useMemo, useState } from 'react';
import { fetched } from '../../fetched.ts';
import { mode } from '../../mode.ts';
import { Button } from '../../parts/button.tsx';
import { Failure } from '../../parts/failure.tsx';
import { SelectField, TextField } from '../../parts/field.tsx';
import { Empty, Loading, PageHead } from '../../parts/layout.tsx';
import { useSelection } from '../../parts/selection.ts';
import { number } from '../../parts/time.ts';
import { activityQuery, linesQuery } from '../../queries/lines.ts';
import { useMay } from '../../session.ts';
import type { LineStatus } from '../../shapes.ts';
import { linesTexts } from '../../words/lines.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';
import { LineList } from './line-list.tsx';

/** Dialogs weigh more than the list: they come when one is opened. */
const CreateLine = lazy(fetched(async () => ({ default: (await import('./create-line.tsx')).CreateLine })));
/** Comes when there is something to list. */
const LineTools = lazy(fetched(async () => ({ default: (await import('./line-tools.tsx')).LineTools })));

const STATUSES: readonly LineStatus[] = [
  'connected',
  'connecting',
  'pairing',
  'disconnected',
  'logged_out',
  'unpaired',
];

export function Lines() {
  const words = useWords();
  const texts = useTexts(linesTexts);
  const shownMode = mode.use();
  const mayChange = useMay('developer');
  const { data: lines, error } = useQuery(linesQuery(shownMode));
  const [isCreating, setIsCreating] = useState(false);
  const { data: activity } = useQuery(activityQuery(shownMode));
  const [filter, setFilter] = useState('');
  const [status, setStatus] = useState<LineStatus | ''>('');
  const wanted = useDeferredValue(filter.trim().toLowerCase());
  const shown = useMemo(
    () =>
      lines?.filter(
        (line) =>
          (status === '' || line.status === status) &&
          [line.label, line.phone, line.name, line.customer_ref, line.line_id].some((text) =>
            text?.toLowerCase().includes(wanted),
          ),
      ),
    [lines, wanted, status],
  );
  const selection = useSelection(shown?.map((line) => line.line_id) ?? []);
  const create = mayChange ? (
    <Button look="main" onClick={() => setIsCreating(true)}>
      <Plus aria-hidden className="size-4" />
      {words.lines.create}
    </Button>
  ) : null;

  return (
    <>
      <PageHead title={words.nav.lines} lead={words.lines.lead[shownMode]}>
        {lines && lines.length > 0 ? create : null}
      </PageHead>
      {error ? <Failure error={error} /> : null}
      {!lines && !error ? <Loading label={words.loading} /> : null}
      {lines?.length === 0 ? (
        <Empty title={words.lines.none}>
          <p className="mb-5">{words.lines.noneLead[shownMode]}</p>
          {create}
        </Empty>
      ) : null}
      {shown && lines && lines.length > 0 ? (
        <>
          {lines.length > 5 ? (
            <div className="mb-3 flex flex-wrap items-center gap-3">
              <div className="w-full max-w-sm">
                <TextField
                  label={words.search}
                  hideLabel
                  type="search"
                  placeholder={words.search}
                  value={filter}
                  onChange={(event) => setFilter(event.target.value)}
                />
              </div>
              <div className="w-48">
                <SelectField
                  label={texts.show}
                  hideLabel
                  value={status}
                  onChange={(event) => setStatus(event.target.value as LineStatus | '')}
                >
                  <option value="">{texts.all}</option>
                  {STATUSES.map((one) => (
                    <option key={one} value={one}>
                      {words.status[one]} ({number(lines.filter((line) => line.status === one).length)})
                    </option>
                  ))}
                </SelectField>
              </div>
              <p role="status" className="whitespace-nowrap text-sm text-muted">
                {number(shown.length)} / {number(lines.length)}
              </p>
            </div>
          ) : null}
          <div className="mb-3 flex min-h-8 flex-wrap items-center gap-2">
            <Suspense>
              <LineTools
                lines={shown}
                selection={selection}
                mayChange={mayChange}
                filter={{ text: filter, status }}
                onFilter={(next) => {
                  setFilter(next.text);
                  setStatus(STATUSES.find((one) => one === next.status) ?? '');
                }}
              />
            </Suspense>
          </div>
          <LineList lines={shown} activity={activity} selection={selection} />
        </>
      ) : null}
      {isCreating ? (
        <Suspense>
          <CreateLine onClose={() => setIsCreating(false)} />
        </Suspense>
      ) : null}
    </>
  );
}
