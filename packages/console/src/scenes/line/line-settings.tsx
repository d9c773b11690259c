import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { api } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { TextField } from '../../parts/field.tsx';
import { Alert, Panel } from '../../parts/layout.tsx';
import { lineName } from '../../parts/line-name.ts';
import { notify } from '../../parts/notices.ts';
import { useAction } from '../../parts/use-action.ts';
import { processQuery } from '../../queries/line.ts';
import type { Line } from '../../shapes.ts';
import { useWords } from '../../words/words.ts';
import { Pacing } from './pacing.tsx';

/** Name, webhook, log out, delete. */
export function LineSettings({ line }: { line: Line }) {
  const words = useWords();
  return (
    <Panel title={words.settingsOfLine}>
      <div className="space-y-6">
        <Rename line={line} />
        <WebhookUrl line={line} />
        <Pacing line={line} />
        <Endings line={line} />
      </div>
    </Panel>
  );
}

function Rename({ line }: { line: Line }) {
  const words = useWords();
  const client = useQueryClient();
  const { busy, run, error, fieldError } = useAction();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const label = String(new FormData(event.currentTarget).get('label')).trim() || null;
    const done = await run(async () => {
      await api('PATCH', `/lines/${line.line_id}`, { label });
      await client.invalidateQueries({
        predicate: ({ queryKey }) => queryKey[0] === 'line' || queryKey[0] === 'lines',
      });
    });
    if (done) notify('good', words.saved);
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="flex flex-wrap items-end gap-2">
      <div className="min-w-52 flex-1">
        <TextField
          label={words.lines.label}
          name="label"
          defaultValue={line.label ?? ''}
          maxLength={128}
          error={fieldError('label')}
        />
      </div>
      <Button type="submit" busy={busy}>
        {words.save}
      </Button>
      {error && !fieldError('label') ? <Alert>{error}</Alert> : null}
    </form>
  );
}

function WebhookUrl({ line }: { line: Line }) {
  const words = useWords();
  const client = useQueryClient();
  const { busy, run, error } = useAction();
  const { data } = useQuery(processQuery(line.line_id));
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const url = String(new FormData(event.currentTarget).get('url')).trim() || null;
    const done = await run(async () => {
      await api('PUT', `/lines/${line.line_id}/webhook-url`, { url });
      await client.invalidateQueries({ queryKey: ['process', line.line_id] });
    });
    if (done) notify('good', words.saved);
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="space-y-2">
      <div className="flex flex-wrap items-end gap-2">
        <div className="min-w-52 flex-1">
          <TextField
            key={data?.webhook_url}
            label={words.line.webhookUrl}
            name="url"
            type="url"
            placeholder="https://example.com/hook"
            defaultValue={data?.webhook_url ?? ''}
          />
        </div>
        <Button type="submit" busy={busy}>
          {words.save}
        </Button>
      </div>
      <p className="text-sm text-muted">{words.line.webhookHint}</p>
      {error ? <Alert>{error}</Alert> : null}
    </form>
  );
}

function Endings({ line }: { line: Line }) {
  const words = useWords();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [asked, setAsked] = useState<'logout' | 'restore' | 'delete'>();
  const { busy, run, error } = useAction();
  const logOut = async () => {
    await run(async () => {
      await api('POST', `/lines/${line.line_id}/logout`);
      await client.invalidateQueries({ queryKey: ['line', line.line_id] });
    });
    setAsked(undefined);
  };
  const restore = async () => {
    await run(async () => {
      await api('POST', `/lines/${line.line_id}/restore`);
      await client.invalidateQueries({ queryKey: ['line', line.line_id] });
    });
    setAsked(undefined);
  };
  const remove = async () => {
    const done = await run(() => api('DELETE', `/lines/${line.line_id}`));
    setAsked(undefined);
    if (!done) return;
    await navigate({ to: '/lines' });
    client.removeQueries({ queryKey: ['line', line.line_id] });
    await client.invalidateQueries({ queryKey: ['lines'] });
  };
  return (
    <div className="flex flex-wrap gap-2 border-t border-edge pt-4">
      {line.phone ? <Button onClick={() => setAsked('logout')}>{words.line.logout}</Button> : null}
      {line.credentials_kept_until ? <Button onClick={() => setAsked('restore')}>{words.line.restore}</Button> : null}
      <Button look="danger" onClick={() => setAsked('delete')}>
        {words.line.remove}
      </Button>
      {error ? <Alert>{error}</Alert> : null}
      <Confirm
        open={asked === 'logout'}
        title={`${words.line.logout}: ${lineName(line, words)}`}
        action={words.line.logout}
        busy={busy}
        onClose={() => setAsked(undefined)}
        onConfirm={() => void logOut()}
      >
        {words.line.logoutHelp}
      </Confirm>
      <Confirm
        open={asked === 'restore'}
        title={`${words.line.restore}: ${lineName(line, words)}`}
        action={words.line.restore}
        busy={busy}
        onClose={() => setAsked(undefined)}
        onConfirm={() => void restore()}
      >
        {words.line.restoreHelp}
      </Confirm>
      <Confirm
        open={asked === 'delete'}
        title={`${words.line.remove}: ${lineName(line, words)}`}
        action={words.line.remove}
        busy={busy}
        onClose={() => setAsked(undefined)}
        onConfirm={() => void remove()}
      >
        {words.line.removeHelp}
      </Confirm>
    </div>
  );
}
