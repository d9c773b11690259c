import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { Failure } from '../../parts/failure.tsx';
import { TextField } from '../../parts/field.tsx';
import { Alert, Panel } from '../../parts/layout.tsx';
import { notify } from '../../parts/notices.ts';
import { SecretDialog } from '../../parts/secret-dialog.tsx';
import { useAction } from '../../parts/use-action.ts';
import { alertsQuery, stateQuery } from '../../queries/account.ts';
import type { Answer } from '../../shapes.ts';
import { alertTexts } from '../../words/alerts.ts';
import { useTexts } from '../../words/texts.ts';

/** Where the signed-in user is told of problems, also with no page of the console open. */
export function AlertSettings() {
  const texts = useTexts(alertTexts);
  const client = useQueryClient();
  const { data: state } = useQuery(stateQuery);
  const { data, error: failure } = useQuery(alertsQuery);
  const { busy, run, error, fieldError } = useAction();
  const [secret, setSecret] = useState<string>();
  const save = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const url = String(form.get('url') ?? '').trim();
    const body = { email: form.get('email') === 'on', url: url === '' ? null : url, texts: form.get('texts') === 'on' };
    const done = await run(async () => {
      const changed = await api<Answer<'changeAlerts'>>('PATCH', '/alerts', body);
      if (changed.secret) setSecret(changed.secret);
      await client.invalidateQueries({ queryKey: ['alerts'] });
    });
    if (done) notify('good', texts.saved);
  };
  const test = async () => {
    if (await run(() => api('POST', '/alerts/test'))) notify('good', texts.tested);
  };
  return (
    <Panel title={texts.title}>
      <p className="mb-4 text-muted">{texts.lead}</p>
      {failure ? <Failure error={failure} /> : null}
      {data ? (
        <form onSubmit={(event) => void save(event)} className="space-y-4">
          <Choice
            name="email"
            label={texts.email(state?.user?.email ?? '')}
            hint={data.can_mail ? undefined : texts.noMail}
            isOn={data.email}
            disabled={!data.can_mail && !data.email}
          />
          <TextField
            label={texts.url}
            name="url"
            type="url"
            maxLength={2_048}
            placeholder="https://"
            defaultValue={data.url ?? ''}
            hint={texts.urlHint}
            error={fieldError('url')}
          />
          <Choice name="texts" label={texts.texts} hint={texts.textsHint} isOn={data.texts} />
          {error && !fieldError('url') ? <Alert>{error}</Alert> : null}
          <div className="flex flex-wrap gap-2">
            <Button type="submit" busy={busy}>
              {texts.save}
            </Button>
            {data.email || data.url !== null ? <Button onClick={() => void test()}>{texts.test}</Button> : null}
          </div>
        </form>
      ) : null}
      {secret ? (
        <SecretDialog
          title={texts.secret}
          lead={texts.once}
          label={texts.secret}
          text={secret}
          onClose={() => setSecret(undefined)}
        />
      ) : null}
    </Panel>
  );
}

function Choice(of: { name: string; label: string; hint?: string; isOn: boolean; disabled?: boolean }) {
  return (
    <div>
      <label className="flex items-start gap-2">
        <input type="checkbox" name={of.name} defaultChecked={of.isOn} disabled={of.disabled} className="mt-1" />
        <span className="min-w-0 break-words">{of.label}</span>
      </label>
      {of.hint ? <p className="mt-1 text-sm text-muted">{of.hint}</p> : null}
    </div>
  );
}
