import { useQuery, useQueryClient } from '@tanstack/react-query';
import { KeyRound } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { api } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { Failure } from '../../parts/failure.tsx';
import { TextField } from '../../parts/field.tsx';
import { FormEnd } from '../../parts/form-end.tsx';
import { Alert, Panel } from '../../parts/layout.tsx';
import { Modal } from '../../parts/modal.tsx';
import { Moment } from '../../parts/moment.tsx';
import { notify } from '../../parts/notices.ts';
import { ago } from '../../parts/time.ts';
import { useAction } from '../../parts/use-action.ts';
import { addPasskey, mayUsePasskeys } from '../../passkey-calls.ts';
import { passkeysQuery } from '../../queries/account.ts';
import type { Passkey } from '../../shapes.ts';
import { passkeysTexts } from '../../words/passkeys.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';

/** The passkeys of the signed-in user: list, add, delete. */
export function Passkeys() {
  const texts = useTexts(passkeysTexts);
  const client = useQueryClient();
  const [isAdding, setIsAdding] = useState(false);
  const [removed, setRemoved] = useState<Passkey>();
  const { busy, run, error } = useAction();
  const list = useQuery(passkeysQuery);
  const refresh = () => client.invalidateQueries({ queryKey: ['passkeys'] });
  const remove = async () => {
    await run(() => api('DELETE', `/passkeys/${encodeURIComponent(removed?.id ?? '')}`).then(refresh));
    setRemoved(undefined);
  };
  const canAdd = mayUsePasskeys();
  return (
    <Panel
      title={texts.title}
      actions={
        canAdd ? (
          <Button small onClick={() => setIsAdding(true)}>
            {texts.add}
          </Button>
        ) : null
      }
    >
      <p className="mb-3 text-muted">{texts.lead}</p>
      {canAdd ? null : <p className="mb-3 text-sm text-muted">{texts.notHere}</p>}
      {list.error ? <Failure error={list.error} /> : null}
      {error ? <Alert>{error}</Alert> : null}
      {list.data?.length === 0 ? <p className="text-sm">{texts.none}</p> : null}
      <ul className="divide-y divide-edge">
        {list.data?.map((passkey) => (
          <li key={passkey.id} className="flex flex-wrap items-center justify-between gap-3 py-3">
            <div className="flex min-w-0 items-center gap-3">
              <KeyRound aria-hidden className="size-5 shrink-0 text-accent" />
              <div className="min-w-0">
                <p className="truncate font-medium">{passkey.name}</p>
                <p className="text-sm text-muted">
                  {passkey.host} · <Moment at={passkey.created_at}>{texts.made(ago(passkey.created_at))}</Moment> ·{' '}
                  {passkey.used_at ? (
                    <Moment at={passkey.used_at}>{texts.used(ago(passkey.used_at))}</Moment>
                  ) : (
                    texts.never
                  )}
                </p>
              </div>
            </div>
            <Button small look="danger" aria-label={texts.removeOf(passkey.name)} onClick={() => setRemoved(passkey)}>
              {texts.remove}
            </Button>
          </li>
        ))}
      </ul>
      {isAdding ? <AddPasskey onClose={() => setIsAdding(false)} onAdded={() => void refresh()} /> : null}
      <Confirm
        open={removed !== undefined}
        title={texts.removeTitle}
        action={texts.remove}
        busy={busy}
        onClose={() => setRemoved(undefined)}
        onConfirm={() => void remove()}
      >
        <p className="font-medium">{removed?.name}</p>
        <p className="mt-2">{texts.removeHelp}</p>
      </Confirm>
    </Panel>
  );
}

function AddPasskey({ onClose, onAdded }: { onClose: () => void; onAdded: () => void }) {
  const _words = useWords();
  const texts = useTexts(passkeysTexts);
  const { busy, run, error, code, fieldError } = useAction();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const done = await run(() => addPasskey(String(form.get('name')), String(form.get('password'))));
    if (!done) return;
    notify('good', texts.added);
    onAdded();
    onClose();
  };
  const told = code === 'passkey_known' ? texts.known : code === 'passkey_not_given' ? texts.cancelled : error;
  return (
    <Modal open onClose={onClose} title={texts.add}>
      <form onSubmit={(event) => void submit(event)} className="space-y-4">
        <TextField label={texts.name} name="name" required maxLength={100} placeholder={texts.example} autoFocus />
        <TextField
          label={texts.password}
          name="password"
          type="password"
          autoComplete="current-password"
          required
          hint={texts.passwordHint}
          error={fieldError('password')}
        />
        {told && !fieldError('password') ? <Alert>{told}</Alert> : null}
        <FormEnd action={texts.add} onClose={onClose} busy={busy} />
      </form>
    </Modal>
  );
}
