import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useMemo, useState } from 'react';
import { api } from '../../api.ts';
import { mode } from '../../mode.ts';
import { Failure } from '../../parts/failure.tsx';
import { SelectField } from '../../parts/field.tsx';
import { Panel } from '../../parts/layout.tsx';
import { number } from '../../parts/time.ts';
import type { ChartSeries } from '../../parts/time-chart.tsx';
import type { TrafficPoint } from '../../shapes.ts';
import { useTexts } from '../../words/texts.ts';
import { trafficTexts } from '../../words/traffic.ts';
import { locale } from '../../words/words.ts';

// The drawing library comes only when there is something to draw.
const TimeChart = lazy(() => import('../../parts/time-chart.tsx').then((module) => ({ default: module.TimeChart })));

const HOUR_MS = 3_600_000;
const SPANS = {
  '24h': { step: 'hour', ms: 23 * HOUR_MS },
  '7d': { step: 'hour', ms: 7 * 24 * HOUR_MS },
  '30d': { step: 'day', ms: 29 * 24 * HOUR_MS },
  '90d': { step: 'day', ms: 89 * 24 * HOUR_MS },
} as const;
type Span = keyof typeof SPANS;
/** The stream tells when something happened; the hour turns without it. */
const LOOK_EVERY_MS = 60_000;

/**
 * What happened over time: of the account, of one line or of one webhook. Every chart has its
 * figures as a table.
 */
export function Traffic({ lineId, webhookId }: { lineId?: string; webhookId?: string }) {
  const words = useTexts(trafficTexts);
  const [span, setSpan] = useState<Span>('24h');
  const shownMode = mode.use();
  const { step, ms } = SPANS[span];
  const only = lineId ? `&line_id=${lineId}` : webhookId ? `&webhook_id=${webhookId}` : '';
  const { data: points, error } = useQuery({
    queryKey: ['series', shownMode, span, only],
    queryFn: async () => {
      const from = new Date(Date.now() - ms).toISOString();
      const path = `/usage/series?step=${step}&from=${encodeURIComponent(from)}${only}`;
      return (await api<{ points: TrafficPoint[] }>('GET', path)).points;
    },
    refetchInterval: LOOK_EVERY_MS,
    placeholderData: (before) => before,
  });
  return (
    <section aria-label={words.title} className="space-y-4">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <h2 className="text-lg font-semibold">{words.title}</h2>
        <div className="w-40">
          <SelectField
            label={words.span}
            hideLabel
            value={span}
            onChange={(event) => setSpan(event.target.value as Span)}
          >
            {(Object.keys(SPANS) as Span[]).map((one) => (
              <option key={one} value={one}>
                {words.spans[one]}
              </option>
            ))}
          </SelectField>
        </div>
      </div>
      {error ? <Failure error={error} /> : null}
      {points ? <Charts points={points} step={step} part={webhookId ? 'webhook' : lineId ? 'line' : 'all'} /> : null}
    </section>
  );
}

function Charts({
  points,
  step,
  part,
}: {
  points: TrafficPoint[];
  step: 'hour' | 'day';
  part: 'all' | 'line' | 'webhook';
}) {
  const words = useTexts(trafficTexts);
  const messages = useMemo<ChartSeries[]>(
    () => [
      { name: words.received, color: '--c-accent', values: points.map((one) => one.messages.received) },
      { name: words.sent, color: '--c-second', values: points.map((one) => one.messages.sent) },
      { name: words.failed, color: '--c-danger', values: points.map((one) => one.messages.failed) },
    ],
    [points, words],
  );
  const deliveries = useMemo<ChartSeries[]>(
    () => [
      { name: words.delivered, color: '--c-accent', values: points.map((one) => one.deliveries.delivered) },
      { name: words.failedAttempts, color: '--c-danger', values: points.map((one) => one.deliveries.failed_attempts) },
    ],
    [points, words],
  );
  const latency = useMemo<ChartSeries[]>(() => {
    const sending = { name: words.sending, color: '--c-second', values: points.map((one) => one.send_ms.average) };
    const answers = { name: words.answering, color: '--c-accent', values: points.map((one) => one.answer_ms.average) };
    return part === 'webhook' ? [answers] : part === 'line' ? [sending] : [sending, answers];
  }, [points, words, part]);
  const ms = (value: number) => (value >= 10_000 ? `${number(Math.round(value / 1_000))} s` : `${number(value)} ms`);
  const common = { points, step };
  return (
    <div className={`grid grid-cols-[minmax(0,1fr)] gap-4 ${part === 'line' ? '' : 'xl:grid-cols-2'}`}>
      {part === 'webhook' ? null : (
        <Chart {...common} title={words.messages} series={messages} kind="bars" format={number} />
      )}
      {part === 'line' ? null : (
        <Chart {...common} title={words.deliveries} series={deliveries} kind="bars" format={number} />
      )}
      <div className={part === 'all' ? 'xl:col-span-2' : ''}>
        <Chart
          {...common}
          title={words.latency}
          series={latency}
          kind="lines"
          format={ms}
          hint={part === 'webhook' ? undefined : words.live}
        />
      </div>
    </div>
  );
}

interface ChartProps {
  title: string;
  hint?: string;
  points: TrafficPoint[];
  step: 'hour' | 'day';
  series: ChartSeries[];
  kind: 'bars' | 'lines';
  format: (value: number) => string;
}

function Chart({ title, hint, points, step, series, kind, format }: ChartProps) {
  const words = useTexts(trafficTexts);
  const [hovered, setHovered] = useState<number | null>(null);
  const at = useMemo(() => points.map((point) => Date.parse(point.at) / 1_000), [points]);
  const when = useMemo(() => timeOf(step), [step]);
  const isEmpty = series.every(({ values }) => values.every((value) => !value));
  const point = hovered === null ? undefined : points[hovered];
  return (
    <Panel title={title}>
      <p className="mb-2 flex flex-wrap items-center gap-x-4 gap-y-1 text-sm">
        {series.map(({ name, color, values }) => (
          <span key={name} className="inline-flex items-center gap-1.5">
            <Swatch color={color} />
            {name}
            <span className="font-semibold tabular-nums">{shown(values, hovered, kind, format)}</span>
          </span>
        ))}
        <span className="ml-auto text-muted">{point ? when(point.at) : ''}</span>
      </p>
      {isEmpty ? (
        <p className="flex h-[220px] items-center justify-center text-muted">{words.none}</p>
      ) : (
        <Suspense fallback={<div className="h-[220px]" />}>
          <TimeChart at={at} series={series} kind={kind} step={step} format={format} onHover={setHovered} />
        </Suspense>
      )}
      {hint ? <p className="mt-2 text-sm text-muted">{hint}</p> : null}
      {isEmpty ? null : <FiguresTable {...{ title, points, series, format, when }} />}
    </Panel>
  );
}

function FiguresTable(
  props: Pick<ChartProps, 'title' | 'points' | 'series' | 'format'> & { when: (at: string) => string },
) {
  const { title, points, series, format, when } = props;
  const words = useTexts(trafficTexts);
  return (
    <details className="mt-3">
      <summary className="text-sm font-medium text-accent">{words.table}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls has to be reachable by keyboard */}
      <div tabIndex={0} className="relative mt-2 max-h-72 overflow-auto rounded-lg border border-edge">
        <table className="w-full text-sm tabular-nums">
          <caption className="sr-only">{title}</caption>
          <thead className="sticky top-0 bg-inset text-left">
            <tr>
              <th scope="col" className="px-3 py-1.5 font-medium">
                {words.at}
              </th>
              {series.map(({ name }) => (
                <th key={name} scope="col" className="px-3 py-1.5 text-right font-medium">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-edge">
            {points.map((point, index) => (
              <tr key={point.at}>
                <th scope="row" className="px-3 py-1 text-left font-normal whitespace-nowrap text-muted">
                  {when(point.at)}
                </th>
                {series.map(({ name, values }) => (
                  <td key={name} className="px-3 py-1 text-right">
                    {values[index] === null ? '—' : format(values[index] ?? 0)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

/** The value under the pointer; without one the sum of bars, and nothing for lines. */
function shown(
  values: readonly (number | null)[],
  hovered: number | null,
  kind: 'bars' | 'lines',
  format: (value: number) => string,
): string {
  if (hovered !== null)
    return values[hovered] === null || values[hovered] === undefined ? '—' : format(values[hovered]);
  if (kind === 'lines') return '';
  return format(values.reduce<number>((sum, value) => sum + (value ?? 0), 0));
}

const SWATCHES: Record<string, string> = {
  '--c-accent': 'bg-accent',
  '--c-second': 'bg-second',
  '--c-danger': 'bg-danger',
};
const Swatch = ({ color }: { color: string }) => (
  <span aria-hidden className={`size-2.5 rounded-sm ${SWATCHES[color] ?? 'bg-field'}`} />
);

/** A step's begin. Days are those of UTC, as they are counted. */
const timeOf = (step: 'hour' | 'day') => {
  const format = new Intl.DateTimeFormat(
    locale.get(),
    step === 'day'
      ? { dateStyle: 'medium', timeZone: 'UTC' }
      : { weekday: 'short', hour: '2-digit', minute: '2-digit' },
  );
  return (at: string) => format.format(new Date(at));
};
