import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { type FormEvent, useDeferredValue, useMemo, useState } from 'react';
import { api } from '../api.ts';
import { type Mode, mode } from '../mode.ts';
import { Button } from '../parts/button.tsx';
import { Failure } from '../parts/failure.tsx';
import { SelectField, TextField } from '../parts/field.tsx';
import { Alert, Badge, Empty, Loading, PageHead } from '../parts/layout.tsx';
import { LineBadge } from '../parts/line-badge.tsx';
import { Modal } from '../parts/modal.tsx';
import { Sparkline } from '../parts/sparkline.tsx';
import { ago, number } from '../parts/time.ts';
import { useAction } from '../parts/use-action.ts';
import { useMay } from '../session.ts';
import type { Line, LineActivity, LineStatus } from '../shapes.ts';
import { linesTexts } from '../words/lines.ts';
import { useTexts } from '../words/texts.ts';
import { useWords } from '../words/words.ts';
import { LOOK_EVERY_MS, linesQuery } from './lines-query.ts';

const activityQuery = (of: Mode) => ({
  queryKey: ['activity', of],
  queryFn: async () => {
    const { lines } = await api<{ lines: LineActivity[] }>('GET', '/activity');
    return new Map(lines.map((line) => [line.line_id, line]));
  },
  refetchInterval: LOOK_EVERY_MS,
});

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
          <LineList lines={shown} activity={activity} />
        </>
      ) : null}
      {isCreating ? <CreateLine onClose={() => setIsCreating(false)} /> : null}
    </>
  );
}

/**
 * Rows outside of the window are not laid out (`content-visibility`), so that a thousand of them
 * scroll smoothly.
 */
function LineList({ lines, activity }: { lines: Line[]; activity: ReadonlyMap<string, LineActivity> | undefined }) {
  const words = useWords();
  return (
    <ul className="divide-y divide-edge overflow-hidden rounded-xl border border-edge bg-panel">
      {lines.map((line) => (
        <li key={line.line_id} className="[contain-intrinsic-size:auto_4.5rem] [content-visibility:auto]">
          <Link
            to="/lines/$lineId"
            params={{ lineId: line.line_id }}
            className="grid grid-cols-[1fr_auto] items-center gap-x-4 gap-y-1 px-4 py-3 hover:bg-inset md:grid-cols-[2fr_1.5fr_8rem_auto] lg:grid-cols-[2fr_1.5fr_12rem_8rem_9rem]"
          >
            <span className="min-w-0">
              <span className="block truncate font-semibold">
                {line.label ?? line.customer_ref ?? words.lines.unnamed}
              </span>
              <span className="block truncate font-mono text-sm text-muted">{line.customer_ref ?? line.line_id}</span>
            </span>
            <span className="col-start-1 row-start-2 min-w-0 truncate text-muted md:col-start-auto md:row-start-auto">
              {line.phone ?? '—'}
              {line.name ? ` · ${line.name}` : ''}
            </span>
            <Throughput of={activity?.get(line.line_id)} />
            <span className="hidden text-sm text-muted lg:block">
              {line.connected_at && line.status === 'connected' ? ago(line.connected_at) : ago(line.created_at)}
            </span>
            <span className="col-start-2 row-span-2 row-start-1 flex items-center gap-2 justify-self-end md:col-start-auto md:row-span-1 md:row-start-auto">
              <Health of={activity?.get(line.line_id)} />
              <LineBadge status={line.status} />
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** What went through a line in the last day. */
function Throughput({ of }: { of: LineActivity | undefined }) {
  const texts = useTexts(linesTexts);
  if (!of) return <span className="hidden md:block" />;
  const isQuiet = of.hours.length === 0;
  const more = [
    ...(of.failed > 0 ? [texts.failed(number(of.failed))] : []),
    ...(of.waiting > 0 ? [texts.waiting(number(of.waiting))] : []),
  ];
  return (
    <span
      className={`col-start-1 items-center gap-3 md:col-start-auto md:flex ${isQuiet ? 'hidden' : 'flex'}`}
      title={texts.todayHint}
    >
      <span className="hidden w-24 shrink-0 lg:block">{isQuiet ? null : <Sparkline values={of.hours} />}</span>
      <span className="text-sm leading-tight text-muted">
        <span className="sr-only">{texts.todayHint}: </span>
        <span className="block whitespace-nowrap tabular-nums">
          {isQuiet ? texts.quiet : texts.today(number(of.received), number(of.sent))}
        </span>
        {more.length > 0 ? <span className="block text-warn">{more.join(' · ')}</span> : null}
      </span>
    </span>
  );
}

/** Says only what is not as it should be. */
function Health({ of }: { of: LineActivity | undefined }) {
  const words = useWords();
  if (!of || of.health === 'healthy') return null;
  return <Badge tone={of.health === 'unhealthy' ? 'bad' : 'busy'}>{words.healths[of.health]}</Badge>;
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
