import { useQuery } from '@tanstack/react-query';
import { mode } from '../../mode.ts';
import { Failure } from '../../parts/failure.tsx';
import { Loading, PageHead, Panel } from '../../parts/layout.tsx';
import { date, number } from '../../parts/time.ts';
import { usageQuery } from '../../queries/account.ts';
import { useWords } from '../../words/words.ts';
import { Traffic } from './traffic.tsx';

const METRICS = ['sent_messages', 'webhook_events', 'lines'] as const;
/** From this share on a meter warns. */
const NEARLY = 0.8;

/**
 * What the account used in this period against what its plan allows, and what happened over time.
 */
export function UsagePage() {
  const words = useWords();
  const shownMode = mode.use();
  const { data: usage, error } = useQuery(usageQuery(shownMode));
  return (
    <>
      <PageHead
        title={words.nav.usage}
        lead={usage ? words.usage.lead(date(usage.period.start), date(usage.period.end), usage.plan) : undefined}
      />
      {error ? <Failure error={error} /> : null}
      {!usage && !error ? <Loading label={words.loading} /> : null}
      <div className="mb-8 grid gap-4 md:grid-cols-3">
        {usage
          ? METRICS.map((metric) => (
              <Meter key={metric} name={words.usage.metrics[metric]} {...usage.metrics[metric]} />
            ))
          : null}
      </div>
      <Traffic />
    </>
  );
}

function Meter({ name, used, limit }: { name: string; used: number; limit: number | null }) {
  const words = useWords();
  const share = limit === null ? 0 : limit === 0 ? 1 : Math.min(1, used / limit);
  const fill = share >= 1 ? 'fill-danger' : share >= NEARLY ? 'fill-warn' : 'fill-accent';
  return (
    <Panel title={name}>
      <p className="flex flex-wrap items-baseline gap-x-2">
        <span className="text-4xl font-semibold tracking-tight tabular-nums">{number(used)}</span>
        <span className="text-muted">{limit === null ? words.usage.unlimited : words.usage.of(number(limit))}</span>
      </p>
      {limit === null ? null : (
        <svg
          role="img"
          aria-label={`${name}: ${number(used)} / ${number(limit)}`}
          viewBox="0 0 100 4"
          preserveAspectRatio="none"
          className="mt-4 h-2.5 w-full overflow-hidden rounded-full bg-inset"
        >
          <rect width={share * 100} height="4" className={fill} />
        </svg>
      )}
    </Panel>
  );
}
