import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { api } from '../../api.ts';
import { type Mode, mode } from '../../mode.ts';
import { Button } from '../../parts/button.tsx';
import { CodeBlock } from '../../parts/copyable.tsx';
import { Failure } from '../../parts/failure.tsx';
import { TextField } from '../../parts/field.tsx';
import { FilterMemory } from '../../parts/filter-memory.tsx';
import { Alert, Badge, Loading, PageHead, Panel } from '../../parts/layout.tsx';
import { dateTime, number } from '../../parts/time.ts';
import { useAction } from '../../parts/use-action.ts';
import { type LogEntry, type LogKind, logQuery } from '../../queries/log.ts';
import { useMay } from '../../session.ts';
import { logTexts } from '../../words/live-log.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';

const KINDS: readonly LogKind[] = ['request', 'event', 'delivery', 'line'];

/** Calls, events, deliveries and changes of lines in one list that grows while it is looked at. */
export function LiveLog() {
  const words = useWords();
  const texts = useTexts(logTexts);
  const shownMode = mode.use();
  const { q = '' } = useSearch({ from: '/inside/log' });
  const navigate = useNavigate();
  const [isPaused, setIsPaused] = useState(false);
  const [hidden, setHidden] = useState<readonly LogKind[]>([]);
  const [onlyBad, setOnlyBad] = useState(false);
  const { data, error, isPending } = useQuery(logQuery(shownMode, isPaused));
  const shown = matching(data?.entries ?? [], q).filter(({ kind, ok }) => !hidden.includes(kind) && !(onlyBad && ok));
  const find = (text: string) =>
    void navigate({ to: '/log', search: (before) => ({ ...before, q: text || undefined }), replace: true });
  return (
    <>
      <PageHead title={texts.title} lead={texts.lead}>
        <Button aria-pressed={isPaused} onClick={() => setIsPaused(!isPaused)}>
          {isPaused ? texts.goOn : texts.pause}
        </Button>
        <Bodies until={data?.bodies_until ?? null} of={shownMode} />
      </PageHead>
      <Panel>
        <div className="mb-4 flex flex-wrap items-end gap-x-5 gap-y-3">
          <div className="w-full sm:w-72">
            <TextField
              label={texts.find}
              hideLabel
              type="search"
              placeholder={texts.find}
              value={q}
              onChange={(event) => find(event.target.value)}
            />
          </div>
          {KINDS.map((kind) => (
            <label key={kind} className="flex items-center gap-2">
              <input
                type="checkbox"
                checked={!hidden.includes(kind)}
                onChange={() => setHidden(KINDS.filter((one) => (one === kind) !== hidden.includes(one)))}
              />
              {texts.kinds[kind]}
            </label>
          ))}
          <label className="flex items-center gap-2">
            <input type="checkbox" checked={onlyBad} onChange={() => setOnlyBad(!onlyBad)} />
            {texts.onlyBad}
          </label>
          <FilterMemory
            list="log"
            filter={{ q, hidden: hidden.join(' '), bad: onlyBad ? 'only' : '' }}
            open={{ q: '', hidden: '', bad: '' }}
            onChange={(next) => {
              setHidden(KINDS.filter((kind) => next.hidden.split(' ').includes(kind)));
              setOnlyBad(next.bad === 'only');
              find(next.q);
            }}
          />
        </div>
        {isPaused ? <Alert tone="busy">{texts.paused}</Alert> : null}
        {error ? <Failure error={error} /> : null}
        {isPending && !isPaused ? <Loading label={words.loading} /> : null}
        {data && shown.length === 0 ? <p className="py-6 text-center text-muted">{texts.none}</p> : null}
        <ul className="divide-y divide-edge">
          {shown.map((entry) => (
            <Row key={`${entry.kind} ${entry.id} ${entry.at}`} entry={entry} onFind={find} />
          ))}
        </ul>
      </Panel>
    </>
  );
}

/** Entries with the words in them, and those that share an id with one of them. */
function matching(entries: LogEntry[], wanted: string): LogEntry[] {
  const text = wanted.trim().toLowerCase();
  if (text === '') return entries;
  const direct = entries.filter((entry) =>
    [entry.title, entry.result, entry.line_id ?? '', ...entry.ids].some((one) => one.toLowerCase().includes(text)),
  );
  const own = new Set(direct.filter(({ ids }) => ids.some((id) => id.toLowerCase() === text)).flatMap(linking));
  return entries.filter((entry) => direct.includes(entry) || linking(entry).some((id) => own.has(id)));
}

/** Ids that lead from a call to its events and deliveries; a key or a webhook has too many. */
const linking = ({ ids }: LogEntry): string[] => ids.filter((id) => !/^(?:key|whk)_/.test(id));

function Row({ entry, onFind }: { entry: LogEntry; onFind: (id: string) => void }) {
  const texts = useTexts(logTexts);
  const [isOpen, setIsOpen] = useState(false);
  const [first] = entry.ids;
  return (
    <li className="py-2">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Badge tone={entry.ok ? 'off' : 'bad'}>{texts.one[entry.kind]}</Badge>
        <code className="min-w-0 flex-1 basis-60 font-mono text-sm break-all">{entry.title}</code>
        <span className={entry.ok ? 'text-sm' : 'text-sm font-semibold text-danger'}>{entry.result}</span>
        <span className="text-sm text-muted">
          {entry.duration_ms === null ? '' : `${number(Math.round(entry.duration_ms))} ms · `}
          <time dateTime={entry.at} title={entry.at}>
            {dateTime(entry.at)}
          </time>
        </span>
        <Button small aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
          {texts.details}
          <span className="sr-only">: {entry.title}</span>
        </Button>
      </div>
      {isOpen ? (
        <div className="mt-2 space-y-3 rounded-lg bg-inset p-3 text-sm">
          <p className="font-mono break-all text-muted">
            {entry.line_id ? (
              <Link to="/lines/$lineId" params={{ lineId: entry.line_id }} className="text-accent underline">
                {entry.line_id}
              </Link>
            ) : null}{' '}
            {entry.ids.join(' · ')}
          </p>
          {first ? (
            <Button small onClick={() => onFind(first)}>
              {texts.related}
            </Button>
          ) : null}
          {entry.kind === 'request' ? <BodiesOf entry={entry} /> : null}
        </div>
      ) : null}
    </li>
  );
}

function BodiesOf({ entry }: { entry: LogEntry }) {
  const texts = useTexts(logTexts);
  if (entry.body === null && entry.answer === null) return <p className="text-muted">{texts.noBodies}</p>;
  return (
    <div className="grid gap-3 lg:grid-cols-2">
      <CodeBlock code={JSON.stringify(entry.body, null, 2)} label={texts.body} />
      <CodeBlock code={JSON.stringify(entry.answer, null, 2)} label={texts.answer} />
    </div>
  );
}

/** Bodies are kept when a person wants them, for an hour. */
function Bodies({ until, of }: { until: string | null; of: Mode }) {
  const texts = useTexts(logTexts);
  const client = useQueryClient();
  const may = useMay('developer');
  const { busy, run, error } = useAction();
  if (!may) return null;
  const turn = () =>
    run(async () => {
      await api('PUT', '/log/bodies', { on: until === null }, of);
      await client.invalidateQueries({ queryKey: ['log'] });
    });
  return (
    <>
      <Button busy={busy} onClick={() => void turn()}>
        {until === null ? texts.keepBodies : texts.dropBodies}
      </Button>
      {until === null ? null : <p className="basis-full text-sm text-muted">{texts.keptUntil(dateTime(until))}</p>}
      {error ? <Alert>{error}</Alert> : null}
    </>
  );
}
