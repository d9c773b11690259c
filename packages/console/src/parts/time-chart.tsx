import { useEffect, useEffectEvent, useRef, useSyncExternalStore } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { locale } from '../words/words.ts';

export interface ChartSeries {
  name: string;
  /** A colour of console.css, as `--c-accent`. */
  color: string;
  values: (number | null)[];
}

interface TimeChartProps {
  /** Unix seconds of each step's begin. */
  at: number[];
  series: ChartSeries[];
  /** `bars` stand upon each other; `lines` have gaps where there is nothing. */
  kind: 'bars' | 'lines';
  step: 'hour' | 'day';
  format: (value: number) => string;
  /** Which step the pointer is over; null when it left. */
  onHover: (index: number | null) => void;
}

const HEIGHT = 220;
const AXIS_WIDTH = 56;

/**
 * Each series with those below it added, so that bars drawn from the last to the first look
 * stacked.
 */
const stacked = (series: readonly ChartSeries[]): number[][] => {
  const sums: number[][] = [];
  for (const { values } of series) {
    const below = sums.at(-1);
    sums.push(values.map((value, index) => (value ?? 0) + (below?.[index] ?? 0)));
  }
  return sums;
};

function optionsOf(props: TimeChartProps, width: number, onHover: TimeChartProps['onHover']): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const font = `12px ${getComputedStyle(document.body).fontFamily}`;
  const { kind, step, format } = props;
  const zone = step === 'day' ? 'UTC' : undefined;
  const label = new Intl.DateTimeFormat(
    locale.get(),
    step === 'day' ? { day: 'numeric', month: 'short', timeZone: zone } : { hour: 'numeric', timeZone: zone },
  );
  const axis = { stroke: color('--c-muted'), font, ticks: { show: false }, gap: 6 };
  const shown = kind === 'bars' ? props.series.toReversed() : props.series;
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    padding: [12, 8, 0, 0],
    cursor: { y: false, points: { show: kind === 'lines' }, drag: { x: false, y: false } },
    hooks: { setCursor: [(plot) => onHover(plot.cursor.idx ?? null)] },
    scales: {
      // Half a step of room at both ends, for the bars there.
      x: { time: true, range: (_, min, max) => [min - stepSeconds(step) / 2, max + stepSeconds(step) / 2] },
      y: { range: (_, __, max) => [0, Math.max(kind === 'bars' ? 4 : 10, (max ?? 0) * 1.1)] },
    },
    axes: [
      {
        ...axis,
        size: 28,
        grid: { show: false },
        space: 64,
        values: (_, splits) => splits.map((at) => label.format(at * 1_000)),
      },
      {
        ...axis,
        size: AXIS_WIDTH,
        incrs: kind === 'bars' ? WHOLE : undefined,
        grid: { stroke: color('--c-edge'), width: 1 },
        values: (_, splits) => splits.map(format),
      },
    ],
    series: [
      {},
      ...shown.map(({ name, color: of }): uPlot.Series => {
        const stroke = color(of);
        return kind === 'bars'
          ? { label: name, fill: stroke, stroke, width: 0, paths: bars, points: { show: false } }
          : { label: name, stroke, width: 2, points: { show: true, size: 5, fill: stroke }, spanGaps: false };
      }),
    ],
  };
}

const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 1_000_000];
const bars = uPlot.paths.bars?.({ size: [0.7, 48], radius: 0.12 });
const stepSeconds = (step: 'hour' | 'day'): number => (step === 'hour' ? 3_600 : 86_400);

/** The present theme of the page, however it was set: a canvas does not follow style sheets. */
const readTheme = (): string => document.documentElement.dataset.theme ?? '';
function watchTheme(listener: () => void): () => void {
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  return () => observer.disconnect();
}

/** A chart of figures over time. Callers must show the same figures as text, too. */
export function TimeChart(props: TimeChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const shownTheme = useSyncExternalStore(watchTheme, readTheme);
  const shownLocale = locale.use();
  const onHover = useEffectEvent(props.onHover);
  const { at, series, kind, step } = props;

  // biome-ignore lint/correctness/useExhaustiveDependencies: theme and language are drawn, though not read here
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const values = kind === 'bars' ? stacked(series).toReversed() : series.map((one) => one.values);
    const width = () => Math.max(200, element.clientWidth);
    const plot = new uPlot(
      optionsOf(props, width(), (index) => onHover(index)),
      [at, ...values],
      element,
    );
    const watch = new ResizeObserver(() => plot.setSize({ width: width(), height: HEIGHT }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [at, series, kind, step, shownTheme, shownLocale]);

  return <div ref={place} aria-hidden className="h-[220px] min-w-0 overflow-hidden" />;
}
