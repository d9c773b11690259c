import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { FormEvent } from 'react';
import { api } from '../api.ts';
import { Button } from '../parts/button.tsx';
import { TextField } from '../parts/field.tsx';
import { Alert } from '../parts/layout.tsx';
import { useAction } from '../parts/use-action.ts';
import { stateQuery } from '../session.ts';
import { useWords } from '../words/words.ts';
import { Gate } from './gate.tsx';

export function SignIn() {
  const words = useWords();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { to } = useSearch({ from: '/sign-in' });
  const { busy, run, error } = useAction();

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const done = await run(() =>
      api('POST', '/session', { email: String(form.get('email')), password: String(form.get('password')) }),
    );
    if (!done) return;
    await client.refetchQueries(stateQuery);
    await navigate({ to: to ?? '/lines' });
  };

  return (
    <Gate title={words.signIn.title} lead={words.signIn.lead}>
      <form onSubmit={(event) => void submit(event)} className="space-y-4">
        <TextField label={words.email} name="email" type="email" autoComplete="username" required />
        <TextField label={words.password} name="password" type="password" autoComplete="current-password" required />
        {error ? <Alert>{error}</Alert> : null}
        <Button type="submit" look="main" busy={busy} className="w-full">
          {words.signIn.title}
        </Button>
      </form>
    </Gate>
  );
}
