import { useQueryClient } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { KeyRound } from 'lucide-react';
import type { FormEvent } from 'react';
import { api } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { TextField } from '../../parts/field.tsx';
import { Alert } from '../../parts/layout.tsx';
import { useAction } from '../../parts/use-action.ts';
import { mayUsePasskeys, signInWithPasskey } from '../../passkey-calls.ts';
import { stateQuery } from '../../queries/account.ts';
import { passkeysTexts } from '../../words/passkeys.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';
import { Gate } from './gate.tsx';

/** Refusals that mean something else here than elsewhere. */
const PASSKEY_REFUSALS: Record<string, 'cancelled' | 'wrongPasskey'> = {
  passkey_not_given: 'cancelled',
  unauthorized: 'wrongPasskey',
};

export function SignIn() {
  const words = useWords();
  const texts = useTexts(passkeysTexts);
  const router = useRouter();
  const client = useQueryClient();
  const { to } = useSearch({ from: '/sign-in' });
  const byPassword = useAction();
  const byPasskey = useAction();

  const enter = async () => {
    await client.refetchQueries(stateQuery);
    if (to) router.history.push(to);
    else await router.navigate({ to: '/' });
  };
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    byPasskey.clear();
    const done = await byPassword.run(() =>
      api('POST', '/session', { email: String(form.get('email')), password: String(form.get('password')) }),
    );
    if (done) await enter();
  };
  const enterByPasskey = async () => {
    byPassword.clear();
    if (await byPasskey.run(signInWithPasskey)) await enter();
  };

  const refusal = PASSKEY_REFUSALS[byPasskey.code ?? ''];
  return (
    <Gate title={words.signIn.title} lead={words.signIn.lead}>
      <form onSubmit={(event) => void submit(event)} className="space-y-4">
        <TextField label={words.email} name="email" type="email" autoComplete="username" required />
        <TextField label={words.password} name="password" type="password" autoComplete="current-password" required />
        {byPassword.error ? (
          <Alert>{byPassword.code === 'unauthorized' ? texts.wrongPassword : byPassword.error}</Alert>
        ) : null}
        <Button type="submit" look="main" busy={byPassword.busy} className="w-full">
          {words.signIn.title}
        </Button>
      </form>
      {mayUsePasskeys() ? (
        <div className="mt-4 space-y-4">
          <p className="flex items-center gap-3 text-sm text-muted before:h-px before:flex-1 before:bg-edge after:h-px after:flex-1 after:bg-edge">
            {texts.or}
          </p>
          <Button busy={byPasskey.busy} className="w-full" onClick={() => void enterByPasskey()}>
            <KeyRound aria-hidden className="size-4" />
            {texts.signIn}
          </Button>
          {byPasskey.error ? <Alert>{refusal ? texts[refusal] : byPasskey.error}</Alert> : null}
        </div>
      ) : null}
      <p className="mt-6 border-t border-edge pt-4 text-sm text-muted">
        {words.signIn.lost}
        <code className="mt-1 block rounded bg-inset px-2 py-1 font-mono wrap-anywhere text-text">
          npm run -s ponte -- people reset E-MAIL
        </code>
      </p>
    </Gate>
  );
}
