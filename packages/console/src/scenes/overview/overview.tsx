import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Circle, CircleCheck } from 'lucide-react';
import type { ReactNode } from 'react';
import { kept } from '../../kept.ts';
import { mode } from '../../mode.ts';
import { Button } from '../../parts/button.tsx';
import { Failure } from '../../parts/failure.tsx';
import { Loading, PageHead, Panel } from '../../parts/layout.tsx';
import { number } from '../../parts/time.ts';
import { keysQuery, usageQuery } from '../../queries/account.ts';
import { activityQuery, linesQuery } from '../../queries/lines.ts';
import { endpointsQuery } from '../../queries/webhooks.ts';
import { overviewTexts } from '../../words/overview.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';
import { Traffic } from '../usage/traffic.tsx';
import { ProblemList } from './problem-list.tsx';

const steps = kept<'shown' | 'hidden'>('first-steps', ['shown', 'hidden'], () => 'shown');

/** The first page: how everything does, what is wrong, what to do next. */
export function Overview() {
  const words = useWords();
  const texts = useTexts(overviewTexts);
  const shownMode = mode.use();
  const { data: lines, error } = useQuery(linesQuery(shownMode));
  const { data: activity } = useQuery(activityQuery(shownMode));
  const all = [...(activity?.values() ?? [])];
  const sum = (of: 'received' | 'sent' | 'failed' | 'waiting') => all.reduce((total, line) => total + line[of], 0);
  const up = lines?.filter(({ status }) => status === 'connected').length ?? 0;
  return (
    <>
      <PageHead title={words.nav.overview} lead={texts.lead} />
      {error ? <Failure error={error} /> : null}
      {!lines && !error ? <Loading label={words.loading} /> : null}
      {lines ? (
        <div className="space-y-6">
          <dl className="grid grid-cols-2 gap-3 lg:grid-cols-4">
            <Figure name={texts.linesUp} value={up} note={texts.of(number(lines.length))} />
            <Figure name={texts.received} value={sum('received')} />
            <Figure
              name={texts.sent}
              value={sum('sent')}
              note={sum('failed') > 0 ? texts.failed(number(sum('failed'))) : undefined}
            />
            <Figure name={texts.waiting} value={sum('waiting')} />
          </dl>
          <FirstSteps isPaired={lines.some(({ phone }) => phone !== null)} hasReceived={sum('received') > 0} />
          <ProblemList />
          <Traffic />
        </div>
      ) : null}
    </>
  );
}

function Figure({ name, value, note }: { name: string; value: number; note?: string }) {
  return (
    <div className="min-w-0 rounded-xl border border-edge bg-panel p-4">
      <dt className="text-sm text-muted">{name}</dt>
      <dd className="mt-1 flex flex-wrap items-baseline gap-x-2">
        <span className="text-3xl font-semibold tracking-tight tabular-nums">{number(value)}</span>
        {note ? <span className="text-muted">{note}</span> : null}
      </dd>
    </div>
  );
}

/** What a new installation needs, until all of it is done or it is hidden. */
function FirstSteps({ isPaired, hasReceived }: { isPaired: boolean; hasReceived: boolean }) {
  const texts = useTexts(overviewTexts);
  const shownMode = mode.use();
  const shown = steps.use();
  const isAsked = shown === 'shown';
  const { data: keys } = useQuery({ ...keysQuery(shownMode), enabled: isAsked });
  const { data: endpoints } = useQuery({ ...endpointsQuery(shownMode), enabled: isAsked });
  const { data: usage } = useQuery({ ...usageQuery(shownMode), enabled: isAsked });
  if (!isAsked || !keys || !endpoints || !usage) return null;
  const list: [name: keyof typeof texts.step, isDone: boolean, link: ReactNode][] = [
    ['line', isPaired, <StepLink key="line" to="/lines" name={texts.step.line} />],
    ['key', keys.length > 0, <StepLink key="key" to="/keys" name={texts.step.key} />],
    ['webhook', endpoints.webhooks.length > 0, <StepLink key="webhook" to="/webhooks" name={texts.step.webhook} />],
    ['sent', usage.metrics.sent_messages.used > 0, <StepLink key="sent" to="/lines" name={texts.step.sent} />],
    ['received', hasReceived, <StepLink key="received" to="/lines" name={texts.step.received} />],
  ];
  if (list.every(([, isDone]) => isDone)) return null;
  return (
    <Panel
      title={texts.steps}
      actions={
        <Button small onClick={() => steps.set('hidden')}>
          {texts.hide}
        </Button>
      }
    >
      <ol className="space-y-2">
        {list.map(([name, isDone, link]) => (
          <li key={name} className="flex items-center gap-3">
            {isDone ? (
              <CircleCheck aria-hidden className="size-5 shrink-0 text-accent" />
            ) : (
              <Circle aria-hidden className="size-5 shrink-0 text-muted" />
            )}
            {isDone ? <span className="text-muted">{texts.step[name]}</span> : link}
            <span className="sr-only">({isDone ? texts.done : texts.open})</span>
          </li>
        ))}
      </ol>
    </Panel>
  );
}

function StepLink({ to, name }: { to: '/lines' | '/keys' | '/webhooks'; name: string }) {
  return (
    <Link to={to} className="font-medium text-accent underline">
      {name}
    </Link>
  );
}
