import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { api } from '../../api.ts';
import { mode } from '../../mode.ts';
import { Button, buttonClass } from '../../parts/button.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { Failure } from '../../parts/failure.tsx';
import { Alert, Badge, Empty, Loading, PageHead } from '../../parts/layout.tsx';
import { Modal } from '../../parts/modal.tsx';
import { SecretDialog } from '../../parts/secret-dialog.tsx';
import { dateTime, number } from '../../parts/time.ts';
import { useAction } from '../../parts/use-action.ts';
import { linesQuery } from '../../queries/lines.ts';
import { endpointsQuery } from '../../queries/webhooks.ts';
import { useMay } from '../../session.ts';
import type { TestedWebhook, Webhook } from '../../shapes.ts';
import { useTexts } from '../../words/texts.ts';
import { webhooksTexts } from '../../words/webhooks.ts';
import { useWords } from '../../words/words.ts';
import { WebhookForm, type WebhookSettings } from './webhook-form.tsx';

export function Webhooks() {
  const words = useWords();
  const shownMode = mode.use();
  const mayChange = useMay('developer');
  const client = useQueryClient();
  const { data, error } = useQuery(endpointsQuery(shownMode));
  const webhooks = data?.webhooks;
  const [isCreating, setIsCreating] = useState(false);
  const texts = useTexts(webhooksTexts);
  const [secret, setSecret] = useState<string>();
  const create = mayChange ? (
    <Button look="main" onClick={() => setIsCreating(true)}>
      <Plus aria-hidden className="size-4" />
      {words.webhooks.create}
    </Button>
  ) : null;
  return (
    <>
      <PageHead title={words.nav.webhooks} lead={words.webhooks.lead}>
        {webhooks && webhooks.length > 0 ? create : null}
      </PageHead>
      {error ? <Failure error={error} /> : null}
      {!webhooks && !error ? <Loading label={words.loading} /> : null}
      {webhooks?.length === 0 ? (
        <Empty title={words.webhooks.none}>
          <p className="mb-5">{words.webhooks.noneLead}</p>
          {create}
        </Empty>
      ) : null}
      <ul className="space-y-4">
        {webhooks?.map((webhook) => (
          <WebhookCard key={webhook.id} webhook={webhook} mayChange={mayChange} />
        ))}
      </ul>
      {isCreating ? (
        <CreateWebhook
          onClose={() => setIsCreating(false)}
          onMade={(text) => {
            setIsCreating(false);
            setSecret(text);
            void client.invalidateQueries({ queryKey: ['webhooks'] });
          }}
        />
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
    </>
  );
}

function WebhookCard({ webhook, mayChange }: { webhook: Webhook; mayChange: boolean }) {
  const words = useWords();
  const client = useQueryClient();
  const test = useAction();
  const removal = useAction();
  const [result, setResult] = useState<TestedWebhook>();
  const [isRemoving, setIsRemoving] = useState(false);
  const { data: lines } = useQuery(linesQuery(mode.use()));
  const line = lines?.find(({ line_id }) => line_id === webhook.line_id);
  const remove = async () => {
    const done = await removal.run(() => api('DELETE', `/webhooks/${webhook.id}`));
    setIsRemoving(false);
    if (done) await client.invalidateQueries({ queryKey: ['webhooks'] });
  };
  return (
    <li className="rounded-xl border border-edge bg-panel p-4">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0">
          <p className="flex flex-wrap items-center gap-2">
            <span className="font-mono text-sm font-semibold break-all">{webhook.url}</span>
            <Badge tone={webhook.status === 'enabled' ? 'good' : 'bad'}>{words.webhooks.states[webhook.status]}</Badge>
            {webhook.format === 'bridges' ? <Badge tone="off">{words.webhooks.bridgesFormat}</Badge> : null}
          </p>
          <p className="mt-1 text-sm text-muted">
            {webhook.description ? `${webhook.description} · ` : ''}
            {webhook.line_id ? (line?.label ?? line?.customer_ref ?? webhook.line_id) : words.webhooks.allLines} ·{' '}
            {dateTime(webhook.created_at)}
          </p>
          <p className="mt-1 text-sm text-muted">
            {webhook.events.includes('*') ? words.webhooks.allEvents : webhook.events.join(', ')}
          </p>
          {webhook.disabled_reason ? (
            <p className="mt-1 text-sm text-danger">
              {words.webhooks.reasons[webhook.disabled_reason] ?? webhook.disabled_reason}
            </p>
          ) : null}
        </div>
        <div className="flex flex-wrap gap-2">
          <Link to="/webhooks/$webhookId" params={{ webhookId: webhook.id }} className={buttonClass('plain', true)}>
            {words.deliveries.title}
          </Link>
          {mayChange ? (
            <>
              <Button
                small
                busy={test.busy}
                onClick={() =>
                  void test.run(async () => setResult(await api<TestedWebhook>('POST', `/webhooks/${webhook.id}/test`)))
                }
              >
                {words.webhooks.test}
              </Button>
              <Button small look="danger" onClick={() => setIsRemoving(true)}>
                {words.remove}
              </Button>
            </>
          ) : null}
        </div>
      </div>
      <div className="mt-3 space-y-2 empty:hidden">
        {test.error ? <Alert>{test.error}</Alert> : null}
        {removal.error ? <Alert>{removal.error}</Alert> : null}
        {result ? (
          <Alert tone={result.ok ? 'good' : 'bad'}>
            <p className="font-medium">
              {result.status_code === null
                ? words.webhooks.noAnswer(result.error ?? '')
                : words.webhooks.answered(result.status_code, number(result.duration_ms))}
            </p>
            {result.response_excerpt ? (
              <pre className="mt-1 font-mono text-sm break-all whitespace-pre-wrap">{result.response_excerpt}</pre>
            ) : null}
          </Alert>
        ) : null}
      </div>
      <Confirm
        open={isRemoving}
        title={words.webhooks.removal}
        action={words.remove}
        busy={removal.busy}
        onClose={() => setIsRemoving(false)}
        onConfirm={() => void remove()}
      >
        <p className="font-mono text-sm break-all">{webhook.url}</p>
        <p className="mt-2">{words.webhooks.removalHelp}</p>
      </Confirm>
    </li>
  );
}

function CreateWebhook({ onClose, onMade }: { onClose: () => void; onMade: (secret: string) => void }) {
  const words = useWords();
  const action = useAction();
  const create = (settings: WebhookSettings) =>
    action.run(async () => onMade((await api<{ secret: string }>('POST', '/webhooks', settings)).secret));
  return (
    <Modal open onClose={onClose} title={words.webhooks.create} wide>
      <WebhookForm
        action={action}
        submitName={words.create}
        onClose={onClose}
        onSubmit={(settings) => void create(settings)}
      />
    </Modal>
  );
}
