import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { api } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { CodeBlock } from '../../parts/copyable.tsx';
import { Export } from '../../parts/export.tsx';
import { Failure } from '../../parts/failure.tsx';
import { Alert, Badge, Loading, Panel } from '../../parts/layout.tsx';
import { type Selection, useSelection } from '../../parts/selection.ts';
import { Tick } from '../../parts/tick.tsx';
import { dateTime, number } from '../../parts/time.ts';
import { useAction } from '../../parts/use-action.ts';
import { deliveriesQuery, deliveryQuery } from '../../queries/webhooks.ts';
import type { Attempt, Delivery } from '../../shapes.ts';
import { useTexts } from '../../words/texts.ts';
import { webhooksTexts } from '../../words/webhooks.ts';
import { useWords } from '../../words/words.ts';
import { DeliveryBulk } from './delivery-bulk.tsx';
import { DeliveryFilters, EVERYTHING, queryOf } from './delivery-filters.tsx';

const TONE = { delivered: 'good', pending: 'busy', dead: 'bad', expired: 'off', skipped: 'off' } as const;
/** What a webhook was told: every delivery with its body and attempts, newest first. */
export function DeliveryLog({ webhookId, mayChange }: { webhookId: string; mayChange: boolean }) {
  const words = useWords();
  const [filter, setFilter] = useState(EVERYTHING);
  const log = useInfiniteQuery(deliveriesQuery(webhookId, queryOf(filter)));
  const all = log.data?.pages.flatMap((page) => page.deliveries) ?? [];
  const selection = useSelection(all.map(({ id }) => id));
  return (
    <Panel title={words.deliveries.title}>
      <DeliveryFilters filter={filter} onChange={setFilter} />
      {mayChange && all.length > 0 ? (
        <div className="mb-4 flex">
          <DeliveryBulk deliveries={all} selection={selection} />
        </div>
      ) : null}
      {log.error ? <Failure error={log.error} /> : null}
      {log.isPending ? <Loading label={words.loading} /> : null}
      {log.data && all.length === 0 ? <p className="text-muted">{words.deliveries.none}</p> : null}
      <ul className="-my-2.5 divide-y divide-edge">
        {all.map((delivery) => (
          <DeliveryRow key={delivery.id} delivery={delivery} selection={selection} mayChange={mayChange} />
        ))}
      </ul>
      <div className="mt-4 flex flex-wrap items-center gap-3">
        {log.hasNextPage ? (
          <Button busy={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
            {words.more}
          </Button>
        ) : null}
        {all.length > 0 ? <Export name="deliveries" rows={() => all} /> : null}
      </div>
    </Panel>
  );
}

function DeliveryRow(props: { delivery: Delivery; selection: Selection; mayChange: boolean }) {
  const { delivery, selection, mayChange } = props;
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
            {selection.isOn ? <Tick selection={selection} id={delivery.id} name={delivery.id} /> : null}
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
      {isOpen ? <Details id={delivery.id} /> : null}
    </li>
  );
}

/** The body, and every attempt to deliver it. */
function Details({ id }: { id: string }) {
  const words = useWords();
  const texts = useTexts(webhooksTexts);
  const { data, error } = useQuery(deliveryQuery(id));
  if (error) return <Failure error={error} />;
  if (!data) return <Loading label={words.loading} />;
  return (
    <div className="mt-3 grid gap-4 rounded-lg bg-inset p-3 text-sm lg:grid-cols-2">
      <div className="min-w-0">
        <h3 className="mb-2 font-semibold">{texts.attempts}</h3>
        {data.attempt_log.length === 0 ? <p>{words.deliveries.noAttempts}</p> : null}
        <ol className="space-y-3">
          {data.attempt_log.map((attempt) => (
            <AttemptItem key={attempt.number} attempt={attempt} />
          ))}
        </ol>
        <p className="mt-3 font-mono text-xs break-all text-muted">
          {id}
          <br />
          {data.event?.id}
        </p>
      </div>
      <div className="min-w-0">
        <h3 className="mb-2 font-semibold">{texts.payload}</h3>
        {data.payload === null ? (
          <p className="text-muted">{texts.payloadGone}</p>
        ) : (
          <CodeBlock code={JSON.stringify(data.payload, null, 2)} label={texts.payload} />
        )}
      </div>
    </div>
  );
}

function AttemptItem({ attempt }: { attempt: Attempt }) {
  const words = useWords();
  const isGood = attempt.status_code !== null && attempt.status_code < 300;
  return (
    <li className="grid grid-cols-[auto_1fr] gap-x-3">
      <span aria-hidden className={`mt-1.5 size-2 rounded-full ${isGood ? 'bg-accent' : 'bg-danger'}`} />
      <div className="min-w-0">
        <p>
          <span className="font-semibold">{words.deliveries.attempt(attempt.number)}</span>
          {' · '}
          <span className={isGood ? 'text-accent' : 'text-danger'}>{attempt.status_code ?? attempt.error}</span>
          {` · ${number(Math.round(attempt.duration_ms))} ms`}
        </p>
        <p className="text-muted">{dateTime(attempt.at)}</p>
        {attempt.response_excerpt ? (
          <pre className="mt-1 rounded bg-panel px-2 py-1 font-mono break-all whitespace-pre-wrap text-muted">
            {attempt.response_excerpt}
          </pre>
        ) : null}
      </div>
    </li>
  );
}
