import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ArrowLeft, Pencil } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { api } from '../../api.ts';
import { useItsMode } from '../../its-mode.ts';
import { mode } from '../../mode.ts';
import { Button } from '../../parts/button.tsx';
import { Failure } from '../../parts/failure.tsx';
import { SelectField, TextField } from '../../parts/field.tsx';
import { FormEnd } from '../../parts/form-end.tsx';
import { Alert, Badge, Loading } from '../../parts/layout.tsx';
import { Modal } from '../../parts/modal.tsx';
import { notify } from '../../parts/notices.ts';
import { usePageTitle } from '../../parts/page-title.ts';
import { SecretDialog } from '../../parts/secret-dialog.tsx';
import { dateTime, number } from '../../parts/time.ts';
import { useAction } from '../../parts/use-action.ts';
import { linesQuery } from '../../queries/lines.ts';
import { endpointsQuery, webhookQuery } from '../../queries/webhooks.ts';
import { useMay } from '../../session.ts';
import type { Webhook } from '../../shapes.ts';
import { useTexts } from '../../words/texts.ts';
import { webhooksTexts } from '../../words/webhooks.ts';
import { useWords } from '../../words/words.ts';
import { Traffic } from '../usage/traffic.tsx';
import { DeliveryLog } from './delivery-log.tsx';
import { WebhookForm, type WebhookSettings } from './webhook-form.tsx';

const DAY_MS = 86_400_000;

/** One webhook: its log with every attempt, replay, a new secret, on and off. */
export function WebhookPage() {
  const words = useWords();
  const { webhookId } = useParams({ from: '/inside/webhooks/$webhookId' });
  const mayChange = useMay('developer');
  const { data: webhook, error } = useQuery(webhookQuery(webhookId));
  const isShown = useItsMode(webhook);
  const format = useFormat(webhookId);
  usePageTitle(webhook?.url ?? words.nav.webhooks);
  return (
    <>
      <Link to="/webhooks" className="mb-4 inline-flex items-center gap-1 text-accent hover:underline">
        <ArrowLeft aria-hidden className="size-4" />
        {words.nav.webhooks}
      </Link>
      {error ? <Failure error={error} /> : null}
      {!webhook && !error ? <Loading label={words.loading} /> : null}
      {webhook && isShown ? (
        <>
          <header className="mb-6 flex flex-wrap items-start justify-between gap-4">
            <div className="min-w-0">
              <h1 className="line-clamp-3 text-xl font-semibold break-all" title={webhook.url}>
                {webhook.url}
              </h1>
              <p className="mt-1 flex flex-wrap items-center gap-3 text-muted">
                <Badge tone={webhook.status === 'enabled' ? 'good' : 'bad'}>
                  {words.webhooks.states[webhook.status]}
                </Badge>
                {format === 'bridges' ? <Badge tone="off">{words.webhooks.bridgesFormat}</Badge> : null}
                {webhook.description}
              </p>
            </div>
            {mayChange ? <Actions webhook={webhook} /> : null}
          </header>
          <Settings webhook={webhook} />
          <div className="space-y-8">
            <DeliveryLog webhookId={webhookId} mayChange={mayChange} />
            <Traffic webhookId={webhookId} />
          </div>
        </>
      ) : null}
    </>
  );
}

/** What it gets, and how. */
function Settings({ webhook }: { webhook: Webhook }) {
  const words = useWords();
  const texts = useTexts(webhooksTexts);
  const { filters } = webhook;
  const { data: lines } = useQuery(linesQuery(mode.use()));
  const line = lines?.find(({ line_id }) => line_id === webhook.line_id);
  const told = [
    ...(filters?.direction ? [texts.directions[filters.direction]] : []),
    ...(filters?.types ? [filters.types.join(', ')] : []),
    ...(filters?.chats ? [filters.chats.map((jid) => jid.split('@')[0]).join(', ')] : []),
  ];
  const facts: [string, string][] = [
    [words.webhooks.ofLine, webhook.line_id ? (line?.label ?? webhook.line_id) : words.webhooks.allLines],
    [words.webhooks.events, webhook.events.includes('*') ? words.webhooks.allEvents : webhook.events.join(', ')],
    [texts.filters, told.join(' · ') || texts.none],
    [texts.order, webhook.strict_order ? texts.inOrder : texts.perChat],
  ];
  return (
    <div className="mb-8 space-y-3">
      <dl className="grid gap-x-8 gap-y-3 rounded-xl border border-edge bg-panel p-4 sm:grid-cols-2 lg:grid-cols-4">
        {facts.map(([name, value]) => (
          <div key={name} className="min-w-0">
            <dt className="text-sm text-muted">{name}</dt>
            <dd className="break-words">{value}</dd>
          </div>
        ))}
      </dl>
      {webhook.disabled_reason ? (
        <Alert>{words.webhooks.reasons[webhook.disabled_reason] ?? webhook.disabled_reason}</Alert>
      ) : null}
      {webhook.rotating_until ? (
        <Alert tone="busy">{texts.rotatingUntil(dateTime(webhook.rotating_until))}</Alert>
      ) : null}
    </div>
  );
}

function Actions({ webhook }: { webhook: Webhook }) {
  const words = useWords();
  const client = useQueryClient();
  const texts = useTexts(webhooksTexts);
  const { busy, run, error } = useAction();
  const [opened, setOpened] = useState<'edit' | 'replay'>();
  const [isRotating, setIsRotating] = useState(false);
  const [secret, setSecret] = useState<string>();
  const next = webhook.status === 'enabled' ? 'disabled' : 'enabled';
  const turn = () =>
    run(async () => {
      await api('PATCH', `/webhooks/${webhook.id}`, { status: next });
      await client.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[0]).startsWith('webhook') });
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
      <Button look="main" onClick={() => setOpened('edit')}>
        <Pencil aria-hidden className="size-4" />
        {texts.edit}
      </Button>
      <Button onClick={() => setOpened('replay')}>{texts.replayTitle}</Button>
      <Button onClick={() => setIsRotating(true)}>{words.deliveries.rotate}</Button>
      <Button look={next === 'disabled' ? 'danger' : 'plain'} busy={busy} onClick={() => void turn()}>
        {words.deliveries.turn[next]}
      </Button>
      {error ? <Alert>{error}</Alert> : null}
      {opened === 'edit' ? <EditWebhook webhook={webhook} onClose={() => setOpened(undefined)} /> : null}
      {opened === 'replay' ? <ReplayFailed webhook={webhook} onClose={() => setOpened(undefined)} /> : null}
      {isRotating ? (
        <Modal open onClose={() => setIsRotating(false)} title={`${words.deliveries.rotate}: ${webhook.url}`}>
          <form onSubmit={(event) => void rotate(event)} className="space-y-4">
            <p className="text-muted">{words.deliveries.rotateHelp}</p>
            <SelectField label={words.deliveries.grace} name="hours" defaultValue="24">
              {[0, 1, 24, 168].map((hours) => (
                <option key={hours} value={hours}>
                  {hours === 0 ? words.keys.atOnce : words.keys.hours(hours)}
                </option>
              ))}
            </SelectField>
            <FormEnd action={words.deliveries.rotate} onClose={() => setIsRotating(false)} busy={busy} />
          </form>
        </Modal>
      ) : null}
      {secret ? (
        <SecretDialog
          title={words.webhooks.secret}
          lead={words.webhooks.once}
          label={words.webhooks.secret}
          text={secret}
          also={{ lead: texts.standardSecret, text: secret.replace(/^wzb_/, '') }}
          onClose={() => setSecret(undefined)}
        />
      ) : null}
    </div>
  );
}

/** Which of the two published formats a webhook speaks. */
const useFormat = (webhookId: string): 'bridges' | 'lines' =>
  useQuery(endpointsQuery(mode.use())).data?.webhooks.find(({ id }) => id === webhookId)?.format ?? 'lines';

function EditWebhook({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const words = useWords();
  const texts = useTexts(webhooksTexts);
  const client = useQueryClient();
  const action = useAction();
  const format = useFormat(webhook.id);
  const save = async (settings: WebhookSettings) => {
    const done = await action.run(async () => {
      const { url, events } = settings;
      // The Bridges API knows nothing of filters, headers and order.
      await (format === 'bridges'
        ? api('PATCH', `/endpoints/${webhook.id}`, { url, events })
        : api('PATCH', `/webhooks/${webhook.id}`, settings));
      await client.invalidateQueries({ predicate: ({ queryKey }) => String(queryKey[0]).startsWith('webhook') });
    });
    if (!done) return;
    notify('good', words.saved);
    onClose();
  };
  return (
    <Modal open onClose={onClose} title={`${texts.editTitle}: ${webhook.url}`} wide>
      <WebhookForm
        webhook={webhook}
        format={format}
        action={action}
        submitName={words.save}
        onClose={onClose}
        onSubmit={(settings) => void save(settings)}
      />
    </Modal>
  );
}

/** What failed for good since a moment goes out again. */
function ReplayFailed({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const words = useWords();
  const texts = useTexts(webhooksTexts);
  const client = useQueryClient();
  const { busy, run, error } = useAction();
  const replay = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const since = new Date(String(new FormData(event.currentTarget).get('since'))).toISOString();
    const done = await run(async () => {
      const { replayed } = await api<{ replayed: number }>('POST', `/webhooks/${webhook.id}/replay`, { since });
      notify('good', words.deliveries.replayedCount(number(replayed)));
      await client.invalidateQueries({ queryKey: ['deliveries'] });
    });
    if (done) onClose();
  };
  return (
    <Modal open onClose={onClose} title={`${texts.replayTitle}: ${webhook.url}`}>
      <form onSubmit={(event) => void replay(event)} className="space-y-4">
        <p className="text-muted">{texts.replayHint}</p>
        <TextField
          label={texts.replaySince}
          name="since"
          type="datetime-local"
          required
          defaultValue={localMinute(Date.now() - DAY_MS)}
        />
        <FormEnd action={texts.replayAction} onClose={onClose} busy={busy} error={error} />
      </form>
    </Modal>
  );
}

/** `2026-01-31T09:05`, in the time of this browser, as date fields write it. */
const localMinute = (ms: number): string =>
  new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
