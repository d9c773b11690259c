const WIDTH = 96;
const HEIGHT = 24;
const GAP = 1;

/** A day in 24 bars; for eyes only, the figures stand beside it. */
export function Sparkline({ values }: { values: readonly number[] }) {
  const most = Math.max(1, ...values);
  const width = WIDTH / Math.max(1, values.length) - GAP;
  return (
    <svg aria-hidden viewBox={`0 0 ${WIDTH} ${HEIGHT}`} className="h-6 w-24 fill-accent">
      <rect y={HEIGHT - 1} width={WIDTH} height={1} className="fill-edge" />
      {values.map((value, index) => {
        if (value === 0) return null;
        const height = Math.max(2, Math.round((value / most) * HEIGHT));
        // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
        return (
          <rect key={index} x={index * (width + GAP)} y={HEIGHT - height} width={width} height={height} rx={0.5} />
        );
      })}
    </svg>
  );
}
