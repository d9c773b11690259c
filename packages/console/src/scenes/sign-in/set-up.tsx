import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type FormEvent, useSyncExternalStore } from 'react';
import { api } from '../../api.ts';
import { Button, buttonClass } from '../../parts/button.tsx';
import { TextField } from '../../parts/field.tsx';
import { Alert } from '../../parts/layout.tsx';
import { useAction } from '../../parts/use-action.ts';
import { stateQuery } from '../../queries/account.ts';
import { useWords } from '../../words/words.ts';
import { Gate } from './gate.tsx';

const onHashChange = (listener: () => void) => {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
};
/** What stands behind the `#`; a link pasted into this very tab changes nothing else. */
const useHash = () => useSyncExternalStore(onHashChange, () => location.hash.slice(1));

/** The first run: the visitor with the link that the server printed becomes the owner. */
export function SetUp() {
  const words = useWords();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { data: state } = useQuery(stateQuery);
  const token = useHash();
  const { busy, run, error, fieldError } = useAction();

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const field = (name: string) => String(form.get(name) ?? '');
    const done = await run(() =>
      api('POST', '/set-up', { token, name: field('name'), email: field('email'), password: field('password') }),
    );
    if (!done) return;
    history.replaceState(null, '', '/set-up');
    await client.refetchQueries(stateQuery);
    await navigate({ to: '/' });
  };

  if (state?.set_up) {
    return (
      <Gate title={words.setUp.done} lead={words.setUp.doneLead}>
        <Link to="/sign-in" className={buttonClass('main')}>
          {words.signIn.title}
        </Link>
      </Gate>
    );
  }
  if (token === '') {
    return (
      <Gate title={words.setUp.title} lead={words.setUp.noToken}>
        <p className="text-muted">{words.setUp.noTokenHelp}</p>
      </Gate>
    );
  }
  return (
    <Gate title={words.setUp.title} lead={words.setUp.lead}>
      <form onSubmit={(event) => void submit(event)} className="space-y-4">
        <TextField label={words.name} name="name" autoComplete="name" required error={fieldError('name')} />
        <TextField
          label={words.email}
          name="email"
          type="email"
          autoComplete="username"
          required
          error={fieldError('email')}
        />
        <TextField
          label={words.password}
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={10}
          required
          hint={words.passwordHint}
          error={fieldError('password')}
        />
        {error ? <Alert>{error}</Alert> : null}
        <Button type="submit" look="main" busy={busy} className="w-full">
          {words.setUp.action}
        </Button>
      </form>
    </Gate>
  );
}
