import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { type FormEvent, useDeferredValue, useMemo, useState } from 'react';
import { api } from '../api.ts';
import { mode } from '../mode.ts';
import { Button } from '../parts/button.tsx';
import { Export } from '../parts/export.tsx';
import { Failure } from '../parts/failure.tsx';
import { SelectField, TextField } from '../parts/field.tsx';
import { FilterMemory } from '../parts/filter-memory.tsx';
import { Alert, Empty, Loading, PageHead } from '../parts/layout.tsx';
import { Modal } from '../parts/modal.tsx';
import { useSelection } from '../parts/selection.ts';
import { number } from '../parts/time.ts';
import { useAction } from '../parts/use-action.ts';
import { activityQuery, linesQuery } from '../queries/lines.ts';
import { useMay } from '../session.ts';
import type { Line, LineStatus } from '../shapes.ts';
import { linesTexts } from '../words/lines.ts';
import { useTexts } from '../words/texts.ts';
import { useWords } from '../words/words.ts';
import { LineBulk } from './line-bulk.tsx';
import { LineList } from './line-list.tsx';

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
              <FilterMemory
                list="lines"
                filter={{ text: filter, status }}
                open={{ text: '', status: '' }}
                onChange={(next) => {
                  setFilter(next.text);
                  setStatus(STATUSES.find((one) => one === next.status) ?? '');
                }}
              />
            </div>
          ) : null}
          {mayChange ? (
            <div className="mb-3 flex">
              <LineBulk lines={shown} selection={selection} />
            </div>
          ) : null}
          <LineList lines={shown} activity={activity} selection={selection} />
          <div className="mt-3 flex justify-end">
            <Export name="lines" rows={() => shown} />
          </div>
        </>
      ) : null}
      {isCreating ? <CreateLine onClose={() => setIsCreating(false)} /> : null}
    </>
  );
}

function CreateLine({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { busy, run, error, fieldError } = useAction();

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim() || undefined;
    await run(async () => {
      const line = await api<Line>('POST', '/lines', { label: text('label'), customer_ref: text('ref') });
      await client.invalidateQueries({ queryKey: ['lines'] });
      await navigate({ to: '/lines/$lineId', params: { lineId: line.line_id }, search: { pair: true } });
    });
  };

  return (
    <Modal open onClose={onClose} title={words.lines.create}>
      <form onSubmit={(event) => void submit(event)} className="space-y-4">
        <TextField
          label={words.lines.label}
          name="label"
          maxLength={128}
          placeholder={words.lines.labelExample}
          error={fieldError('label')}
          autoFocus
        />
        <TextField
          label={words.lines.ref}
          name="ref"
          maxLength={128}
          pattern="[A-Za-z0-9._:@+\-]*"
          placeholder="user-123"
          hint={words.lines.refHint}
          error={fieldError('customer_ref')}
        />
        {error ? <Alert>{error}</Alert> : null}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>{words.cancel}</Button>
          <Button type="submit" look="main" busy={busy}>
            {words.create}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
