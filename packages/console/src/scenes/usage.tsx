import { useQuery } from '@tanstack/react-query';
import { api } from '../api.ts';
import { mode } from '../mode.ts';
import { Alert, Loading, PageHead, Panel } from '../parts/layout.tsx';
import { date, number } from '../parts/time.ts';
import type { Usage } from '../shapes.ts';
import { useWords } from '../words/words.ts';

const METRICS = ['sent_messages', 'webhook_events', 'lines'] as const;

/** What the account used in this period, against what its plan allows. */
export function UsagePage() {
  const words = useWords();
  const shownMode = mode.use();
  const { data: usage, error } = useQuery({
    queryKey: ['usage', shownMode],
    queryFn: () => api<Usage>('GET', '/usage'),
  });
  return (
    <>
      <PageHead
        title={words.nav.usage}
        lead={usage ? words.usage.lead(date(usage.period.start), date(usage.period.end), usage.plan) : undefined}
      />
      {error ? <Alert>{error.message}</Alert> : null}
      {!usage && !error ? <Loading label={words.loading} /> : null}
      <div className="grid gap-4 md:grid-cols-3">
        {usage
          ? METRICS.map((metric) => (
              <Meter key={metric} name={words.usage.metrics[metric]} {...usage.metrics[metric]} />
            ))
          : null}
      </div>
    </>
  );
}

function Meter({ name, used, limit }: { name: string; used: number; limit: number | null }) {
  const words = useWords();
  const share = limit === null || limit === 0 ? 0 : Math.min(1, used / limit);
  return (
    <Panel title={name}>
      <p className="text-4xl font-semibold tracking-tight">{number(used)}</p>
      <p className="mt-1 text-muted">{limit === null ? words.usage.unlimited : words.usage.of(number(limit))}</p>
      {limit === null ? null : (
        <meter className="mt-3 h-3 w-full" aria-label={name} min={0} max={limit} high={limit * 0.9} value={used}>
          {Math.round(share * 100)} %
        </meter>
      )}
    </Panel>
  );
}
