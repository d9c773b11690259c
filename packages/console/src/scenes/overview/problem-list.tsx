import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Clock, HardDrive, ShieldCheck, TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { type Mode, mode } from '../../mode.ts';
import { Failure } from '../../parts/failure.tsx';
import { Panel } from '../../parts/layout.tsx';
import { lineName } from '../../parts/line-name.ts';
import { Moment } from '../../parts/moment.tsx';
import { ago, dateTime, number } from '../../parts/time.ts';
import { linesQuery } from '../../queries/lines.ts';
import { type Problem, problemName, problemsQuery } from '../../queries/problems.ts';
import { endpointsQuery } from '../../queries/webhooks.ts';
import { alertTexts } from '../../words/alerts.ts';
import { problemTexts } from '../../words/problems.ts';
import { reasonTexts } from '../../words/reasons.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';

/** What a problem is called, and what is done about it. */
export function useProblemWords(of: Mode): (problem: Problem) => { title: string; help: string } {
  const words = useWords();
  const texts = useTexts(problemTexts);
  const reasons = useTexts(reasonTexts);
  const { data: lines } = useQuery(linesQuery(of));
  const { data: endpoints } = useQuery(endpointsQuery(of));
  return (problem) => {
    const line = lines?.find(({ line_id: id }) => id === problem.line_id);
    const name = line ? lineName(line, words) : texts.unknown;
    if (problem.kind === 'queue_stuck') return { title: texts.queueStuck(name), help: texts.queueHelp };
    if (problem.kind === 'line_down') {
      const reason = reasons.of[problem.reason ?? ''];
      return { title: texts.lineDown(name), help: reason ? `${reason.means} ${reason.remedy}` : '' };
    }
    const url = endpoints?.webhooks.find(({ id }) => id === problem.webhook_id)?.url ?? '';
    const title = problem.reason === null ? texts.webhookFailing(url) : texts.webhookOff(url);
    return { title, help: texts.webhookHelp };
  };
}

/** What is wrong in the mode of the page, each with the way to it. */
export function ProblemList() {
  const texts = useTexts(problemTexts);
  const alertWords = useTexts(alertTexts);
  const shownMode = mode.use();
  const { data, error } = useQuery(problemsQuery(shownMode));
  const tell = useProblemWords(shownMode);
  if (error) return <Failure error={error} />;
  if (!data) return null;
  const { problems, approvals, disk, clock } = data;
  const isQuiet = problems.length === 0 && approvals.waiting === 0 && disk === null && clock === null;
  return (
    <Panel title={texts.title}>
      {isQuiet ? <p className="text-muted">{texts.none}</p> : null}
      <ul className="-my-2.5 divide-y divide-edge empty:hidden">
        {disk ? (
          <Item icon={<HardDrive aria-hidden className="size-5 text-danger" />} help={texts.diskHelp}>
            {texts.disk(`${number(Math.round(disk.free_bytes / 1_048_576))} MiB`)}
          </Item>
        ) : null}
        {clock ? (
          <Item icon={<Clock aria-hidden className="size-5 text-danger" />} help={alertWords.clockHelp}>
            {alertWords.clock(number(Math.round(Math.abs(clock.offset_ms) / 1_000)))}
          </Item>
        ) : null}
        {approvals.waiting > 0 ? (
          <Item
            icon={<ShieldCheck aria-hidden className="size-5 text-warn" />}
            help={approvals.expiring > 0 ? texts.expiring : ''}
          >
            <Link to="/approvals" className="font-medium underline">
              {texts.approvals(approvals.waiting)}
            </Link>
          </Item>
        ) : null}
        {problems.map((problem) => {
          const { title, help } = tell(problem);
          return (
            <Item
              key={problemName(problem)}
              icon={<TriangleAlert aria-hidden className="size-5 text-danger" />}
              help={help}
              since={problem.since}
            >
              {problem.webhook_id ? (
                <Link
                  to="/webhooks/$webhookId"
                  params={{ webhookId: problem.webhook_id }}
                  className="font-medium underline"
                >
                  {title}
                </Link>
              ) : (
                <Link to="/lines/$lineId" params={{ lineId: problem.line_id ?? '' }} className="font-medium underline">
                  {title}
                </Link>
              )}
            </Item>
          );
        })}
      </ul>
    </Panel>
  );
}

function Item({ icon, help, since, children }: { icon: ReactNode; help: string; since?: string; children: ReactNode }) {
  const texts = useTexts(problemTexts);
  return (
    <li className="flex gap-3 py-2.5">
      <span className="mt-0.5 shrink-0">{icon}</span>
      <div className="min-w-0">
        <p className="line-clamp-3">
          {children}
          {since ? (
            <span className="text-sm text-muted" title={dateTime(since)}>
              {' '}
              · <Moment at={since}>{texts.since(ago(since))}</Moment>
            </span>
          ) : null}
        </p>
        {help ? <p className="text-sm text-muted">{help}</p> : null}
      </div>
    </li>
  );
}
