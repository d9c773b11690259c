const WIDTH = 96;
const HEIGHT = 24;
const GAP = 1;

/** A day in 24 bars; for eyes only, the figures stand beside it. */
export function Sparkline({ values }: { values: readonly number[] }) {
  const most = Math.max(1, ...values);
  const step = WIDTH / Math.max(1, values.length);
  const bars = values.map((value, index) => {
    const height = value === 0 ? 1 : Math.max(2, Math.round((value / most) * HEIGHT));
    return `M${index * step} ${HEIGHT}v${-height}h${step - GAP}v${height}z`;
  });
  return (
    <svg aria-hidden viewBox={`0 0 ${WIDTH} ${HEIGHT}`} className="h-6 w-24 fill-accent">
      <path d={bars.join('')} />
    </svg>
  );
}
