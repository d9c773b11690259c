import { useQuery, useQueryClient } from '@tanstack/react-query';
import { api } from '../../api.ts';
import { mode } from '../../mode.ts';
import { Button } from '../../parts/button.tsx';
import { Failure } from '../../parts/failure.tsx';
import { Alert, Badge, Empty, Facts, Loading, PageHead, Panel } from '../../parts/layout.tsx';
import { ago, dateTime } from '../../parts/time.ts';
import { useAction } from '../../parts/use-action.ts';
import { approvalsQuery } from '../../queries/account.ts';
import { linesQuery } from '../../queries/lines.ts';
import { useMay } from '../../session.ts';
import type { Approval } from '../../shapes.ts';
import { approvalTexts } from '../../words/approvals.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';

/** Requests run out while the page is open. */
const LOOK_EVERY_MS = 10_000;

/** What agents want to send, for a person's yes or no. */
export function Approvals() {
  const words = useWords();
  const texts = useTexts(approvalTexts);
  const shownMode = mode.use();
  const { data: approvals, error } = useQuery({ ...approvalsQuery(shownMode), refetchInterval: LOOK_EVERY_MS });
  const waiting = approvals?.filter(({ status }) => status === 'pending');
  const earlier = approvals?.filter(({ status }) => status !== 'pending');
  return (
    <>
      <PageHead title={words.nav.approvals} lead={texts.lead} />
      {error ? <Failure error={error} /> : null}
      {!approvals && !error ? <Loading label={words.loading} /> : null}
      {waiting?.length === 0 ? <Empty title={texts.none}>{texts.noneLead}</Empty> : null}
      <ul className="space-y-4">
        {waiting?.map((approval) => (
          <Waiting key={approval.approval_id} approval={approval} />
        ))}
      </ul>
      {earlier && earlier.length > 0 ? (
        <Panel title={texts.earlier} className="mt-8">
          <ul className="divide-y divide-edge">
            {earlier.map((approval) => (
              <Earlier key={approval.approval_id} approval={approval} />
            ))}
          </ul>
        </Panel>
      ) : null}
    </>
  );
}

function Waiting({ approval }: { approval: Approval }) {
  const texts = useTexts(approvalTexts);
  const mayDecide = useMay('developer');
  const client = useQueryClient();
  const { busy, run, error } = useAction();
  const { data: lines } = useQuery(linesQuery(mode.use()));
  const line = lines?.find(({ line_id: id }) => id === approval.line_id);
  const decide = (path: 'approve' | 'deny') =>
    run(async () => {
      await api('POST', `/approvals/${approval.approval_id}/${path}`);
      await client.invalidateQueries({ queryKey: ['approvals'] });
    });
  const text = shortText(approval);
  return (
    <li className="rounded-xl border border-edge bg-panel p-4">
      <div className="flex flex-wrap items-baseline justify-between gap-2">
        <h2 className="min-w-0 font-semibold wrap-anywhere">
          {texts.asks(approval.asked_by, line?.label ?? line?.phone ?? approval.line_id)}
        </h2>
        <p className="text-sm text-muted">{texts.ends(ahead(approval.expires_at))}</p>
      </div>
      <p className="mt-1 text-sm text-muted">{texts.operations[approval.operation] ?? approval.operation}</p>
      <Facts facts={factsOf(approval)} />
      {text ? (
        <blockquote className="my-3 rounded-lg bg-inset p-3 wrap-anywhere whitespace-pre-wrap" dir="auto">
          {text}
        </blockquote>
      ) : null}
      {error ? <Alert>{error}</Alert> : null}
      {mayDecide ? (
        <div className="mt-3 flex gap-2">
          <Button
            look="main"
            busy={busy}
            onClick={() => void decide('approve')}
            aria-label={texts.approveOf(approval.approval_id)}
          >
            {texts.approve}
          </Button>
          <Button busy={busy} onClick={() => void decide('deny')} aria-label={texts.denyOf(approval.approval_id)}>
            {texts.deny}
          </Button>
        </div>
      ) : null}
    </li>
  );
}

const TONES = {
  pending: 'busy',
  approved: 'busy',
  queued: 'busy',
  sent: 'good',
  failed: 'bad',
  denied: 'off',
  expired: 'off',
} as const;

function Earlier({ approval }: { approval: Approval }) {
  const texts = useTexts(approvalTexts);
  return (
    <li className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1 py-2">
      <div className="min-w-0">
        <p className="truncate">{shortText(approval) ?? texts.operations[approval.operation] ?? approval.operation}</p>
        <p className="text-sm text-muted">
          {approval.asked_by} · {String(approval.request.to ?? approval.request.jid ?? '')} ·{' '}
          {approval.decided_by
            ? texts.decided(approval.decided_by, ago(approval.decided_at ?? approval.created_at))
            : dateTime(approval.created_at)}
          {approval.error ? ` · ${approval.error.message}` : ''}
        </p>
      </div>
      <Badge tone={TONES[approval.status]}>{texts.states[approval.status]}</Badge>
    </li>
  );
}

const TEXTS = ['message', 'caption', 'body', 'question', 'emoji', 'name'] as const;

/** What people will read, of whatever kind of message it is. */
const shortText = ({ request }: Approval): string | undefined =>
  TEXTS.map((name) => request[name]).find((value): value is string => typeof value === 'string' && value !== '');

/** Everything else of the request, as it was given: the person who approves must see all of it. */
function factsOf(approval: Approval): [string, string][] {
  const text = shortText(approval);
  return Object.entries(approval.request)
    .filter(([name, value]) => name !== 'line_id' && value !== text)
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]);
}

/** `in 5 minutes`; what is over says so by disappearing at the next look. */
function ahead(instant: string): string {
  const minutes = Math.max(0, Math.ceil((Date.parse(instant) - Date.now()) / 60_000));
  return new Intl.RelativeTimeFormat(document.documentElement.lang || 'en', { numeric: 'always' }).format(
    minutes,
    'minute',
  );
}
