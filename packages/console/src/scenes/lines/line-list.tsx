import { Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { fetched } from '../../fetched.ts';
import { Badge } from '../../parts/layout.tsx';
import { LineBadge } from '../../parts/line-badge.tsx';
import { lineName } from '../../parts/line-name.ts';
import { Moment } from '../../parts/moment.tsx';
import type { Selection } from '../../parts/selection.ts';
import { Sparkline } from '../../parts/sparkline.tsx';
import { dateTime, number } from '../../parts/time.ts';
import type { Line, LineActivity } from '../../shapes.ts';
import { linesTexts } from '../../words/lines.ts';
import { reasonTexts } from '../../words/reasons.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';

const Tick = lazy(fetched(async () => ({ default: (await import('../../parts/tick.tsx')).Tick })));

/** Every column may shrink, and its text wraps or is cut: numbers of any length fit. */
const COLUMNS =
  'md:grid-cols-[minmax(0,3fr)_minmax(0,2fr)_minmax(0,2fr)_minmax(0,1.6fr)] lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)_minmax(0,3.4fr)_minmax(0,1.3fr)_minmax(0,1.8fr)]';
const CELL = 'min-w-0 wrap-anywhere';

/**
 * The lines as a table; on a phone a row is a small card. Rows outside of the window are not laid
 * out (`content-visibility`), so that a thousand of them scroll smoothly: table elements cannot.
 */
export function LineList({
  lines,
  activity,
  selection,
}: {
  lines: Line[];
  selection: Selection;
  activity: ReadonlyMap<string, LineActivity> | undefined;
}) {
  const words = useWords();
  const texts = useTexts(linesTexts);
  return (
    // biome-ignore-start lint/a11y: see above
    <div role="table" aria-label={words.nav.lines} className="overflow-hidden rounded-xl border border-edge bg-panel">
      <div role="rowgroup">
        <div
          role="row"
          className={`sr-only gap-x-4 border-b border-edge px-4 py-2 text-sm font-medium text-muted md:not-sr-only md:grid ${COLUMNS} md:px-4 md:py-2`}
        >
          <span role="columnheader">{texts.columns.name}</span>
          <span role="columnheader">{texts.columns.number}</span>
          <span role="columnheader">{texts.columns.day}</span>
          <span role="columnheader" className="sr-only lg:not-sr-only">
            {texts.columns.since}
          </span>
          <span role="columnheader">{texts.columns.status}</span>
        </div>
      </div>
      <div role="rowgroup" className="divide-y divide-edge">
        {lines.map((line) => (
          <Row key={line.line_id} line={line} selection={selection} activity={activity?.get(line.line_id)} />
        ))}
      </div>
    </div>
    // biome-ignore-end lint/a11y: see above
  );
}

function Row(props: { line: Line; selection: Selection; activity: LineActivity | undefined }) {
  const { line, selection, activity } = props;
  const words = useWords();
  const since = line.connected_at && line.status === 'connected' ? line.connected_at : line.created_at;
  return (
    // biome-ignore-start lint/a11y: see above
    <div
      role="row"
      className={`relative grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-4 gap-y-1 px-4 py-3 hover:bg-inset [contain-intrinsic-size:auto_4.5rem] [content-visibility:auto] ${COLUMNS}`}
    >
      <div role="cell" className="flex min-w-0 items-center gap-3">
        {selection.isOn ? (
          <Suspense>
            <Tick selection={selection} id={line.line_id} name={lineName(line, words)} />
          </Suspense>
        ) : null}
        <div className="min-w-0">
          <Link
            to="/lines/$lineId"
            params={{ lineId: line.line_id }}
            className="block truncate font-semibold after:absolute after:inset-0"
          >
            <bdi>{lineName(line, words)}</bdi>
          </Link>
          <span className="block truncate font-mono text-sm text-muted">{line.customer_ref ?? line.line_id}</span>
        </div>
      </div>
      <div role="cell" className="col-start-1 row-start-2 min-w-0 text-muted md:col-start-auto md:row-start-auto">
        <span className="block truncate">{line.phone ?? '—'}</span>
        {line.name ? (
          <span className="block truncate text-sm">
            <bdi>{line.name}</bdi>
          </span>
        ) : null}
        <Reason of={line} />
      </div>
      <div role="cell" className={`col-span-2 md:col-span-1 ${CELL}`}>
        <Throughput of={activity} />
      </div>
      <div role="cell" className={`sr-only text-sm text-muted lg:not-sr-only ${CELL}`} title={dateTime(since)}>
        <Moment at={since} />
      </div>
      <div
        role="cell"
        className="col-start-2 row-span-2 row-start-1 flex min-w-0 flex-wrap items-center justify-end gap-1 md:col-start-auto md:row-span-1 md:row-start-auto md:justify-start"
      >
        <LineBadge status={line.status} />
        {line.status === 'logged_out' || line.status === 'unpaired' ? null : <Health of={activity} />}
      </div>
    </div>
    // biome-ignore-end lint/a11y: see above
  );
}

/** Why a line does not do what it should; the whole of it is on the line's page. */
function Reason({ of }: { of: Line }) {
  const told = useTexts(reasonTexts).of[of.status_reason ?? ''];
  return told ? <span className="block text-sm text-danger wrap-anywhere">{told.means}</span> : null;
}

/** What went through a line in the last day. */
function Throughput({ of }: { of: LineActivity | undefined }) {
  const texts = useTexts(linesTexts);
  if (!of) return null;
  const isQuiet = of.hours.length === 0;
  const more = [
    ...(of.failed > 0 ? [texts.failed(number(of.failed))] : []),
    ...(of.waiting > 0 ? [texts.waiting(number(of.waiting))] : []),
  ];
  return (
    <div className={`items-center gap-3 md:flex ${isQuiet && more.length === 0 ? 'hidden' : 'flex'}`}>
      <span className="hidden w-24 shrink-0 lg:block">{isQuiet ? null : <Sparkline values={of.hours} />}</span>
      <span className="min-w-0 text-sm leading-tight text-muted">
        <span className="block tabular-nums">
          {isQuiet ? texts.quiet : texts.today(number(of.received), number(of.sent))}
        </span>
        {more.length > 0 ? <span className="block text-warn">{more.join(' · ')}</span> : null}
      </span>
    </div>
  );
}

/** Says only what is not as it should be. */
function Health({ of }: { of: LineActivity | undefined }) {
  const words = useWords();
  if (!of || of.health === 'healthy') return null;
  return <Badge tone={of.health === 'unhealthy' ? 'bad' : 'busy'}>{words.healths[of.health]}</Badge>;
}
