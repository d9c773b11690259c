import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { Export } from '../../parts/export.tsx';
import { Failure } from '../../parts/failure.tsx';
import { Panel } from '../../parts/layout.tsx';
import { lineName } from '../../parts/line-name.ts';
import { dateTime } from '../../parts/time.ts';
import { linesQuery } from '../../queries/lines.ts';
import type { AuditEntry } from '../../shapes.ts';
import { auditTexts } from '../../words/audit.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';

const PAGE = 30;

/** Who did what through the console, newest first; for owners. */
export function AuditLog() {
  const words = useWords();
  const texts = useTexts(auditTexts);
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['audit'],
    queryFn: ({ pageParam }) =>
      api<{ entries: AuditEntry[]; next: number | null }>(
        'GET',
        `/audit?limit=${PAGE}${pageParam === null ? '' : `&before=${pageParam}`}`,
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const entries = data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <Panel title={words.audit.title} className="lg:col-span-2" actions={<Export name="audit" rows={() => entries} />}>
      {error ? <Failure error={error} /> : null}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a table that scrolls has to be reachable by keyboard */}
      <div tabIndex={0} className="relative overflow-x-auto">
        <table className="w-full min-w-xl text-left text-sm">
          <thead className="text-muted">
            <tr>
              {[words.audit.at, words.audit.who, words.audit.what, words.audit.target, words.audit.outcome].map(
                (name) => (
                  <th key={name} scope="col" className="py-1 pr-4 font-medium">
                    {name}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody className="divide-y divide-edge">
            {entries.map((entry) => (
              <tr key={entry.seq}>
                <td className="py-1.5 pr-4 whitespace-nowrap">{dateTime(entry.at)}</td>
                <td className="py-1.5 pr-4">{entry.actor}</td>
                <td className="py-1.5 pr-4" title={entry.action}>
                  {texts.actions[entry.action] ?? entry.action}
                </td>
                <td className="py-1.5 pr-4 text-muted">
                  <Target entry={entry} />
                </td>
                <td className={entry.outcome === 'ok' ? 'py-1.5' : 'py-1.5 text-danger'}>
                  {texts.outcomes[entry.outcome] ?? texts.refused(entry.outcome)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {hasNextPage ? (
        <Button className="mt-3" busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          {words.more}
        </Button>
      ) : null}
    </Panel>
  );
}

/** What it was done to: a line or a webhook as a link, anything else by its address. */
function Target({ entry }: { entry: AuditEntry }) {
  const words = useWords();
  const texts = useTexts(auditTexts);
  const of = entry.mode ?? 'test';
  const { data: lines } = useQuery({ ...linesQuery(of), enabled: entry.mode !== null });
  const path = entry.target.replace('/api/console/v1', '');
  const [, kind, id] = path.split('/');
  const badge = entry.mode === 'live' ? ` (${texts.live})` : '';
  const line = kind === 'lines' && lines?.find(({ line_id: one }) => one === id);
  if (line) {
    return (
      <Link
        to="/lines/$lineId"
        params={{ lineId: line.line_id }}
        search={{ mode: of }}
        className="text-accent underline"
      >
        {lineName(line, words)}
        {badge}
      </Link>
    );
  }
  return (
    <code className="font-mono break-all">
      {path}
      {badge}
    </code>
  );
}
