import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { SelectField, TextField } from '../../parts/field.tsx';
import { FormEnd } from '../../parts/form-end.tsx';
import { Alert, Badge, Panel } from '../../parts/layout.tsx';
import { Modal } from '../../parts/modal.tsx';
import { Moment } from '../../parts/moment.tsx';
import { SecretDialog } from '../../parts/secret-dialog.tsx';
import { useAction } from '../../parts/use-action.ts';
import { stateQuery, usersQuery } from '../../queries/account.ts';
import type { Role, User } from '../../shapes.ts';
import { useWords } from '../../words/words.ts';

const ROLES: readonly Role[] = ['owner', 'developer', 'viewer'];

/** Who may sign in; for owners. */
export function People() {
  const words = useWords();
  const client = useQueryClient();
  const { run, error } = useAction();
  const [isAdding, setIsAdding] = useState(false);
  const [password, setPassword] = useState<{ of: string; text: string }>();
  const { data: state } = useQuery(stateQuery);
  const { data: users } = useQuery(usersQuery);
  const refresh = () => client.invalidateQueries({ queryKey: ['users'] });
  const change = (user: User, body: object) =>
    run(async () => {
      const made = await api<{ password?: string }>('PATCH', `/users/${user.id}`, body);
      if (made.password) setPassword({ of: user.email, text: made.password });
      await refresh();
    });
  return (
    <Panel
      title={words.people.title}
      className="lg:col-span-2"
      actions={
        <Button small onClick={() => setIsAdding(true)}>
          {words.people.add}
        </Button>
      }
    >
      {error ? <Alert>{error}</Alert> : null}
      <ul className="divide-y divide-edge">
        {users?.map((user) => (
          <li key={user.id} className="flex flex-wrap items-center justify-between gap-3 py-3">
            <div className="min-w-0">
              <p className="flex flex-wrap items-center gap-2">
                <span className="font-medium">{user.name}</span>
                {user.disabled ? <Badge tone="off">{words.people.disabled}</Badge> : null}
              </p>
              <p className="text-sm break-all text-muted">
                {user.email} · {user.signed_in_at ? <Moment at={user.signed_in_at} /> : words.people.neverSignedIn}
              </p>
            </div>
            <div className="flex flex-wrap items-center gap-2">
              <div className="w-36">
                <SelectField
                  label={`${words.people.role}: ${user.name}`}
                  hideLabel
                  value={user.role}
                  onChange={(event) => void change(user, { role: event.target.value })}
                >
                  {ROLES.map((role) => (
                    <option key={role} value={role}>
                      {words.roles[role]}
                    </option>
                  ))}
                </SelectField>
              </div>
              {user.id === state?.user?.id ? null : (
                <>
                  <Button small onClick={() => void change(user, { reset_password: true })}>
                    {words.people.reset}
                  </Button>
                  <Button small look="danger" onClick={() => void change(user, { disabled: !user.disabled })}>
                    {user.disabled ? words.people.enable : words.people.disable}
                  </Button>
                </>
              )}
            </div>
          </li>
        ))}
      </ul>
      {isAdding ? (
        <AddUser
          onClose={() => setIsAdding(false)}
          onMade={(made) => {
            setIsAdding(false);
            setPassword(made);
            void refresh();
          }}
        />
      ) : null}
      {password ? (
        <SecretDialog
          title={`${words.people.password}: ${password.of}`}
          lead={words.people.once}
          label={words.people.password}
          text={password.text}
          onClose={() => setPassword(undefined)}
        />
      ) : null}
    </Panel>
  );
}

function AddUser({ onClose, onMade }: { onClose: () => void; onMade: (made: { of: string; text: string }) => void }) {
  const words = useWords();
  const { busy, run, error, fieldError } = useAction();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    await run(async () => {
      const body = { name: String(form.get('name')), email: String(form.get('email')), role: String(form.get('role')) };
      onMade({ of: body.email, text: (await api<{ password: string }>('POST', '/users', body)).password });
    });
  };
  return (
    <Modal open onClose={onClose} title={words.people.add}>
      <form onSubmit={(event) => void submit(event)} className="space-y-4">
        <TextField label={words.name} name="name" required maxLength={100} error={fieldError('name')} autoFocus />
        <TextField label={words.email} name="email" type="email" required error={fieldError('email')} />
        <SelectField label={words.people.role} name="role" defaultValue="developer" hint={words.people.roleHelp}>
          {ROLES.map((role) => (
            <option key={role} value={role}>
              {words.roles[role]}
            </option>
          ))}
        </SelectField>
        {error && !fieldError('email') ? <Alert>{error}</Alert> : null}
        <FormEnd action={words.people.add} onClose={onClose} busy={busy} />
      </form>
    </Modal>
  );
}
