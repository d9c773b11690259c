import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { api } from '../api.ts';
import { Button } from '../parts/button.tsx';
import { Secret } from '../parts/copyable.tsx';
import { Failure } from '../parts/failure.tsx';
import { SelectField } from '../parts/field.tsx';
import { Alert, Badge, Loading, Panel } from '../parts/layout.tsx';
import { Modal } from '../parts/modal.tsx';
import { notify } from '../parts/notices.tsx';
import { dateTime, number } from '../parts/time.ts';
import { useAction } from '../parts/use-action.ts';
import { useMay } from '../session.ts';
import { type Attempt, DELIVERY_STATES, type Delivery, type Webhook } from '../shapes.ts';
import { useWords } from '../words/words.ts';

const PAGE = 30;
const DAY_MS = 86_400_000;
const TONE = { delivered: 'good', pending: 'busy', dead: 'bad', expired: 'off', skipped: 'off' } as const;

/** One webhook: its log with every attempt, replay, a new secret, on and off. */
export function WebhookPage() {
  const words = useWords();
  const { webhookId } = useParams({ from: '/inside/webhooks/$webhookId' });
  const mayChange = useMay('developer');
  const { data: webhook, error } = useQuery({
    queryKey: ['webhook', webhookId],
    queryFn: () => api<Webhook>('GET', `/webhooks/${webhookId}`),
  });
  return (
    <>
      <Link to="/webhooks" className="mb-4 inline-flex items-center gap-1 text-accent hover:underline">
        <ArrowLeft aria-hidden className="size-4" />
        {words.nav.webhooks}
      </Link>
      {error ? <Failure error={error} /> : null}
      {!webhook && !error ? <Loading label={words.loading} /> : null}
      {webhook ? (
        <>
          <header className="mb-6 flex flex-wrap items-start justify-between gap-4">
            <div className="min-w-0">
              <h1 className="text-xl font-semibold break-all">{webhook.url}</h1>
              <p className="mt-1 flex flex-wrap items-center gap-3 text-muted">
                <Badge tone={webhook.status === 'enabled' ? 'good' : 'bad'}>
                  {words.webhooks.states[webhook.status]}
                </Badge>
                {webhook.events.includes('*') ? words.webhooks.allEvents : webhook.events.join(', ')}
              </p>
            </div>
            {mayChange ? <Actions webhook={webhook} /> : null}
          </header>
          <Log webhookId={webhookId} mayChange={mayChange} />
        </>
      ) : null}
    </>
  );
}

function Actions({ webhook }: { webhook: Webhook }) {
  const words = useWords();
  const client = useQueryClient();
  const { busy, run, error } = useAction();
  const [isRotating, setIsRotating] = useState(false);
  const [secret, setSecret] = useState<string>();
  const next = webhook.status === 'enabled' ? 'disabled' : 'enabled';
  const turn = () =>
    run(async () => {
      await api('PATCH', `/webhooks/${webhook.id}`, { status: next });
      await client.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[0]).startsWith('webhook') });
    });
  const replay = () =>
    run(async () => {
      const since = new Date(Date.now() - DAY_MS).toISOString();
      const { replayed } = await api<{ replayed: number }>('POST', `/webhooks/${webhook.id}/replay`, { since });
      notify('good', words.deliveries.replayedCount(number(replayed)));
      await client.invalidateQueries({ queryKey: ['deliveries'] });
    });
  const rotate = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const hours = Number(new FormData(event.currentTarget).get('hours'));
    const done = await run(async () => {
      const made = await api<{ secret: string }>('POST', `/webhooks/${webhook.id}/rotate-secret`, {
        grace_hours: hours,
      });
      setSecret(made.secret);
    });
    if (done) setIsRotating(false);
  };
  return (
    <div className="flex flex-wrap gap-2">
      <Button busy={busy} onClick={() => void replay()}>
        {words.deliveries.replayDay}
      </Button>
      <Button onClick={() => setIsRotating(true)}>{words.deliveries.rotate}</Button>
      <Button look={next === 'disabled' ? 'danger' : 'main'} busy={busy} onClick={() => void turn()}>
        {words.deliveries.turn[next]}
      </Button>
      {error ? <Alert>{error}</Alert> : null}
      {isRotating ? (
        <Modal open onClose={() => setIsRotating(false)} title={words.deliveries.rotate}>
          <form onSubmit={(event) => void rotate(event)} className="space-y-4">
            <p className="text-muted">{words.deliveries.rotateHelp}</p>
            <SelectField label={words.deliveries.grace} name="hours" defaultValue="24">
              {[0, 1, 24, 168].map((hours) => (
                <option key={hours} value={hours}>
                  {hours === 0 ? words.keys.atOnce : words.keys.hours(hours)}
                </option>
              ))}
            </SelectField>
            <div className="flex justify-end gap-2">
              <Button onClick={() => setIsRotating(false)}>{words.cancel}</Button>
              <Button type="submit" look="main" busy={busy}>
                {words.deliveries.rotate}
              </Button>
            </div>
          </form>
        </Modal>
      ) : null}
      {secret ? (
        <Modal open onClose={() => setSecret(undefined)} title={words.webhooks.secret}>
          <p className="mb-3 text-muted">{words.webhooks.once}</p>
          <Secret text={secret} label={words.webhooks.secret} />
        </Modal>
      ) : null}
    </div>
  );
}

function Log({ webhookId, mayChange }: { webhookId: string; mayChange: boolean }) {
  const words = useWords();
  const [status, setStatus] = useState('');
  const log = useInfiniteQuery({
    queryKey: ['deliveries', webhookId, status],
    queryFn: ({ pageParam }) =>
      api<{ deliveries: Delivery[]; next_cursor: string | null }>(
        'GET',
        `/webhooks/${webhookId}/deliveries?limit=${PAGE}${status && `&status=${status}`}${
          pageParam === null ? '' : `&cursor=${encodeURIComponent(pageParam)}`
        }`,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const all = log.data?.pages.flatMap((page) => page.deliveries) ?? [];
  return (
    <Panel
      title={words.deliveries.title}
      actions={
        <div className="w-44">
          <SelectField
            label={words.deliveries.filter}
            hideLabel
            value={status}
            onChange={(event) => setStatus(event.target.value)}
          >
            <option value="">{words.deliveries.all}</option>
            {DELIVERY_STATES.map((one) => (
              <option key={one} value={one}>
                {words.deliveries.states[one]}
              </option>
            ))}
          </SelectField>
        </div>
      }
    >
      {log.error ? <Failure error={log.error} /> : null}
      {log.data && all.length === 0 ? <p className="text-muted">{words.deliveries.none}</p> : null}
      <ul className="divide-y divide-edge">
        {all.map((delivery) => (
          <DeliveryRow key={delivery.id} delivery={delivery} mayChange={mayChange} />
        ))}
      </ul>
      {log.hasNextPage ? (
        <Button className="mt-3" busy={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
          {words.more}
        </Button>
      ) : null}
    </Panel>
  );
}

function DeliveryRow({ delivery, mayChange }: { delivery: Delivery; mayChange: boolean }) {
  const words = useWords();
  const client = useQueryClient();
  const [isOpen, setIsOpen] = useState(false);
  const { busy, run, error } = useAction();
  const replay = () =>
    run(async () => {
      await api('POST', `/deliveries/${delivery.id}/replay`);
      await client.invalidateQueries({ queryKey: ['deliveries'] });
    });
  const last = delivery.last_attempt;
  return (
    <li className="py-2.5">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <div className="min-w-0">
          <p className="flex flex-wrap items-center gap-2">
            <Badge tone={TONE[delivery.status]}>{words.deliveries.states[delivery.status]}</Badge>
            <code className="font-mono text-sm">{delivery.event?.type ?? '—'}</code>
          </p>
          <p className="mt-1 text-sm text-muted">
            {dateTime(delivery.created_at)} · {words.deliveries.attempts(delivery.attempts)}
            {last ? ` · ${last.status_code ?? last.error ?? ''}` : ''}
            {delivery.next_attempt_at ? ` · ${words.deliveries.next(dateTime(delivery.next_attempt_at))}` : ''}
          </p>
        </div>
        <div className="flex gap-2">
          <Button small aria-expanded={isOpen} onClick={() => setIsOpen(!isOpen)}>
            {words.deliveries.details}
          </Button>
          {mayChange ? (
            <Button small busy={busy} onClick={() => void replay()}>
              {words.deliveries.replay}
            </Button>
          ) : null}
        </div>
      </div>
      {error ? <Alert>{error}</Alert> : null}
      {isOpen ? <Attempts id={delivery.id} /> : null}
    </li>
  );
}

function Attempts({ id }: { id: string }) {
  const words = useWords();
  const { data, error } = useQuery({
    queryKey: ['deliveries', 'one', id],
    queryFn: () => api<Delivery & { attempt_log: Attempt[] }>('GET', `/deliveries/${id}`),
  });
  if (error) return <Failure error={error} />;
  if (!data) return <Loading label={words.loading} />;
  return (
    <div className="mt-2 space-y-2 rounded-lg bg-inset p-3 text-sm">
      <p className="font-mono break-all text-muted">
        {id} · {data.event?.id}
      </p>
      {data.attempt_log.length === 0 ? <p>{words.deliveries.noAttempts}</p> : null}
      <ol className="space-y-2">
        {data.attempt_log.map((attempt) => (
          <li key={attempt.number}>
            <p>
              <span className="font-semibold">{words.deliveries.attempt(attempt.number)}</span> · {dateTime(attempt.at)}{' '}
              · {attempt.status_code ?? attempt.error} · {number(Math.round(attempt.duration_ms))} ms
            </p>
            {attempt.response_excerpt ? (
              <pre className="font-mono break-all whitespace-pre-wrap text-muted">{attempt.response_excerpt}</pre>
            ) : null}
          </li>
        ))}
      </ol>
    </div>
  );
}
