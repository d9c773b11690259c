import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { ArrowLeft, MessagesSquare, QrCode as QrIcon } from 'lucide-react';
import { lazy, Suspense, useState } from 'react';
import { useItsMode } from '../../its-mode.ts';
import { Button, buttonClass } from '../../parts/button.tsx';
import { Failure } from '../../parts/failure.tsx';
import { Alert, Facts, Loading, Panel } from '../../parts/layout.tsx';
import { LineBadge } from '../../parts/line-badge.tsx';
import { Moment } from '../../parts/moment.tsx';
import { usePageTitle } from '../../parts/page-title.ts';
import { dateTime, number } from '../../parts/time.ts';
import { stateQuery } from '../../queries/account.ts';
import { lineQuery, processQuery, queueQuery, statsQuery } from '../../queries/line.ts';
import { useMay } from '../../session.ts';
import type { Line } from '../../shapes.ts';
import { linesTexts } from '../../words/lines.ts';
import { reasonTexts } from '../../words/reasons.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';
import { Traffic } from '../usage/traffic.tsx';
import { LineQueue } from './line-queue.tsx';
import { LineSettings } from './line-settings.tsx';
import { PairDialog } from './pair-dialog.tsx';
import { RestartLine } from './restart-line.tsx';
import { SendTest } from './send-test.tsx';
import { Timeline } from './timeline.tsx';

// Only test lines have phones.
const VirtualPhones = lazy(() =>
  import('../phones/virtual-phones.tsx').then((module) => ({ default: module.VirtualPhones })),
);

const STATS_EVERY_MS = 10_000;
/** The stream tells of changes; this is for what it lost. */
const LOOK_EVERY_MS = 30_000;

export function LinePage() {
  const words = useWords();
  const { lineId } = useParams({ from: '/inside/lines/$lineId' });
  const navigate = useNavigate();
  const mayChange = useMay('developer');
  const { data: state } = useQuery(stateQuery);
  const { pair } = useSearch({ from: '/inside/lines/$lineId' });
  const [isPairing, setIsPairing] = useState(pair === true);
  const { data: line, error } = useQuery({ ...lineQuery(lineId), refetchInterval: LOOK_EVERY_MS });

  const isShown = useItsMode(line);
  usePageTitle(line ? (line.label ?? line.customer_ref ?? words.lines.unnamed) : words.nav.lines);

  const stopPairing = () => {
    setIsPairing(false);
    // Reloading the page must not open the dialog again.
    if (pair) void navigate({ to: '/lines/$lineId', params: { lineId }, replace: true });
  };
  const back = (
    <Link to="/lines" className="mb-4 inline-flex items-center gap-1 text-accent hover:underline">
      <ArrowLeft aria-hidden className="size-4" />
      {words.nav.lines}
    </Link>
  );
  if (error) {
    return (
      <>
        {back}
        <h1 className="sr-only">{words.nav.lines}</h1>
        <Failure error={error} />
      </>
    );
  }
  if (!line || !isShown) return <Loading label={words.loading} />;
  const isPaired = line.phone !== null && line.status !== 'unpaired' && line.status !== 'logged_out';
  const hasPhones = line.mode === 'test' && state?.sandbox === true;
  return (
    <>
      {back}
      <header className="mb-6 flex flex-wrap items-start justify-between gap-4">
        <div className="min-w-0">
          <h1 className="truncate text-2xl font-semibold tracking-tight">
            {line.label ?? line.customer_ref ?? words.lines.unnamed}
          </h1>
          <p className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1 text-muted">
            <LineBadge status={line.status} />
            <span>{line.phone ?? words.line.noPhone}</span>
            {line.name ? <span>{line.name}</span> : null}
          </p>
        </div>
        <div className="flex flex-wrap gap-2">
          <Link to="/lines/$lineId/chats" params={{ lineId }} className={buttonClass('plain')}>
            <MessagesSquare aria-hidden className="size-4" />
            {words.chats.title}
          </Link>
          {mayChange ? <RestartLine line={line} /> : null}
          {!isPaired && mayChange ? (
            <Button look="main" onClick={() => setIsPairing(true)}>
              <QrIcon aria-hidden className="size-4" />
              {words.line.pair}
            </Button>
          ) : null}
        </div>
      </header>
      <LineTrouble line={line} />
      {hasPhones && isPaired ? (
        <Suspense fallback={<Loading label={words.loading} />}>
          <VirtualPhones line={line} mayChange={mayChange} />
        </Suspense>
      ) : null}
      <div className="grid gap-6 lg:grid-cols-[minmax(0,1fr)_24rem]">
        <div className="min-w-0 space-y-6">
          {isPaired && mayChange ? <SendTest line={line} /> : null}
          <LineQueue lineId={lineId} mayChange={mayChange} />
          <Timeline lineId={lineId} />
          <Traffic lineId={lineId} />
          {mayChange ? <LineSettings key={line.line_id} line={line} /> : null}
        </div>
        <div className="min-w-0 space-y-6">
          {hasPhones && !isPaired ? (
            <Suspense fallback={<Loading label={words.loading} />}>
              <VirtualPhones line={line} mayChange={mayChange} />
            </Suspense>
          ) : null}
          <LineFacts line={line} />
        </div>
      </div>
      {isPairing ? <PairDialog line={line} onClose={stopPairing} /> : null}
    </>
  );
}

/** What holds a line up that its owner did not ask for, and what is done about it. */
function LineTrouble({ line }: { line: Line }) {
  const texts = useTexts(reasonTexts);
  const { status_reason: reason, status_until: until, status } = line;
  const told = texts.of[reason ?? ''];
  if (!told) return null;
  return (
    <div className="mb-6">
      <Alert tone={status === 'disconnected' || status === 'logged_out' ? 'bad' : 'busy'}>
        {[told.means, ...(until ? [texts.until(dateTime(until))] : []), told.remedy].join(' ')}
      </Alert>
    </div>
  );
}

function LineFacts({ line }: { line: Line }) {
  const words = useWords();
  const texts = useTexts(linesTexts);
  const client = useQueryClient();
  const { data: process } = useQuery(processQuery(line.line_id));
  const { data: stats } = useQuery({
    ...statsQuery(line.line_id),
    enabled: process?.state === 'running',
    refetchInterval: STATS_EVERY_MS,
  });
  const { data: queue } = useQuery({ ...queueQuery(line.line_id), refetchInterval: LOOK_EVERY_MS });
  const mebibytes = (bytes: number) => `${number(Math.round(bytes / 1_048_576))} MiB`;
  return (
    <Panel
      title={words.line.facts}
      actions={
        <Button small onClick={() => void client.invalidateQueries({ queryKey: ['process', line.line_id] })}>
          {words.refresh}
        </Button>
      }
    >
      <Facts
        facts={[
          [
            'line_id',
            <code key="id" className="font-mono text-xs">
              {line.line_id}
            </code>,
          ],
          ...(line.customer_ref
            ? [
                [
                  'customer_ref',
                  <code key="ref" className="font-mono text-xs">
                    {line.customer_ref}
                  </code>,
                ] as [string, React.ReactNode],
              ]
            : []),
          [words.line.created, dateTime(line.created_at)],
          [
            words.line.connectedSince,
            line.connected_at && line.status === 'connected' ? <Moment key="since" at={line.connected_at} /> : '—',
          ],
          [
            words.line.health,
            process && line.status !== 'logged_out' && line.status !== 'unpaired'
              ? (words.healths[process.health as keyof typeof words.healths] ?? process.health)
              : '—',
          ],
          [words.line.queue, queue ? words.line.queued(number(queue.depth), number(queue.scheduled)) : '—'],
          [words.line.worker, process?.worker ?? '—'],
          [texts.started, process?.started_at ? <Moment key="started" at={process.started_at} /> : '—'],
          [words.line.crashes, process ? number(process.fail_count) : '—'],
          [
            words.line.memory,
            stats ? `${mebibytes(stats.rss_bytes)} · ${words.line.sharedBy(stats.lines_in_worker)}` : '—',
          ],
          [texts.eventLoop, stats ? `${number(stats.event_loop_lag_ms)} ms` : '—'],
        ]}
      />
    </Panel>
  );
}
