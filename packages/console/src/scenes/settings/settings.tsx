import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { FormEvent } from 'react';
import { api } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { TextField } from '../../parts/field.tsx';
import { Alert, Badge, PageHead, Panel } from '../../parts/layout.tsx';
import { Moment } from '../../parts/moment.tsx';
import { notify } from '../../parts/notices.ts';
import { useAction } from '../../parts/use-action.ts';
import { sessionsQuery, stateQuery } from '../../queries/account.ts';
import { useMay } from '../../session.ts';
import { useWords } from '../../words/words.ts';
import { AlertSettings } from './alert-settings.tsx';
import { AuditLog } from './audit-log.tsx';
import { NotificationSettings } from './notification-settings.tsx';
import { Passkeys } from './passkeys.tsx';
import { People } from './people.tsx';
import { WhatsappVersion } from './whatsapp-version.tsx';

export function Settings() {
  const words = useWords();
  const isOwner = useMay('owner');
  const { data: state } = useQuery(stateQuery);
  return (
    <>
      <PageHead
        title={words.nav.settings}
        lead={state?.user ? `${state.user.name} · ${state.user.email}` : undefined}
      />
      <div className="grid items-start gap-6 lg:grid-cols-2">
        <div className="space-y-6">
          <Password />
          <Passkeys />
          <NotificationSettings />
          <AlertSettings />
        </div>
        <Sessions />
        {state?.whatsapp_version ? <WhatsappVersion of={state.whatsapp_version} /> : null}
        {isOwner ? <People /> : null}
        {isOwner ? <AuditLog /> : null}
      </div>
    </>
  );
}

function Password() {
  const words = useWords();
  const { busy, run, error, fieldError } = useAction();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const element = event.currentTarget;
    const form = new FormData(element);
    const done = await run(() =>
      api('POST', '/password', { current: String(form.get('current')), next: String(form.get('next')) }),
    );
    if (!done) return;
    element.reset();
    notify('good', words.settings.passwordChanged);
  };
  return (
    <Panel title={words.settings.password}>
      <form onSubmit={(event) => void submit(event)} className="space-y-4">
        <TextField
          label={words.settings.current}
          name="current"
          type="password"
          autoComplete="current-password"
          required
          error={fieldError('current')}
        />
        <TextField
          label={words.settings.next}
          name="next"
          type="password"
          autoComplete="new-password"
          minLength={10}
          required
          hint={words.passwordHint}
          error={fieldError('next')}
        />
        {error && !fieldError('current') && !fieldError('next') ? <Alert>{error}</Alert> : null}
        <Button type="submit" busy={busy}>
          {words.settings.change}
        </Button>
      </form>
    </Panel>
  );
}

function Sessions() {
  const words = useWords();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { busy, run, error } = useAction();
  const { data } = useQuery(sessionsQuery);
  const end = (id: string) =>
    run(async () => {
      await api('DELETE', `/sessions/${id}`);
      await client.invalidateQueries({ queryKey: ['sessions'] });
    });
  const endAll = () =>
    run(async () => {
      await api('DELETE', '/sessions');
      client.clear();
      await navigate({ to: '/sign-in' });
    });
  return (
    <Panel title={words.settings.sessions}>
      {error ? <Alert>{error}</Alert> : null}
      <ul className="divide-y divide-edge">
        {data?.map((session) => (
          <li key={session.id} className="flex items-center justify-between gap-3 py-2">
            <div className="min-w-0">
              <p className="truncate">{browserOf(session.user_agent)}</p>
              <p className="text-sm text-muted">
                {session.address} · <Moment at={session.seen_at} />
              </p>
            </div>
            {session.current ? (
              <Badge tone="good">{words.settings.here}</Badge>
            ) : (
              <Button small onClick={() => void end(session.id)}>
                {words.settings.end}
              </Button>
            )}
          </li>
        ))}
      </ul>
      <Button look="danger" className="mt-4" busy={busy} onClick={() => void endAll()}>
        {words.settings.endAll}
      </Button>
    </Panel>
  );
}

/** Browser and system of a user agent, as far as it says. */
function browserOf(userAgent: string): string {
  const browser =
    /(Edg|OPR|Firefox|Chrome|Safari)\/\d+/.exec(userAgent)?.[0]?.replace('/', ' ') ?? userAgent.slice(0, 40);
  const system = /Windows|Android|iPhone|iPad|Mac OS X|Linux/.exec(userAgent)?.[0];
  return system ? `${browser} · ${system}` : browser || '—';
}
