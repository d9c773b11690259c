import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Plus } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { api } from '../../api.ts';
import { mode } from '../../mode.ts';
import { Button } from '../../parts/button.tsx';
import { Confirm } from '../../parts/confirm.tsx';
import { Failure } from '../../parts/failure.tsx';
import { SelectField, TextField } from '../../parts/field.tsx';
import { FormEnd } from '../../parts/form-end.tsx';
import { Alert, Badge, Empty, Loading, PageHead } from '../../parts/layout.tsx';
import { Modal } from '../../parts/modal.tsx';
import { Moment } from '../../parts/moment.tsx';
import { SecretDialog } from '../../parts/secret-dialog.tsx';
import { ago, date } from '../../parts/time.ts';
import { useAction } from '../../parts/use-action.ts';
import { keysQuery } from '../../queries/account.ts';
import { useMay } from '../../session.ts';
import type { Key, MadeKey } from '../../shapes.ts';
import { approvalTexts } from '../../words/approvals.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';
import { KeyLimits, limitsOf, ShownLimits } from './key-limits.tsx';

const SCOPES = [
  'account:read',
  'lines:read',
  'lines:write',
  'messages:send',
  'messages:read',
  'contacts:read',
  'webhooks:read',
  'webhooks:write',
  'events:read',
  'sandbox:read',
  'sandbox:write',
] as const;

export function Keys() {
  const words = useWords();
  const shownMode = mode.use();
  const mayChange = useMay('developer');
  const client = useQueryClient();
  const { data: keys, error } = useQuery(keysQuery(shownMode));
  const [dialog, setDialog] = useState<{ kind: 'create' } | { kind: 'rotate' | 'revoke'; key: Key }>();
  const [made, setMade] = useState<MadeKey>();
  const refresh = () => client.invalidateQueries({ queryKey: ['keys'] });
  const onMade = (key: MadeKey) => {
    setDialog(undefined);
    setMade(key);
    void refresh();
  };
  const create = mayChange ? (
    <Button look="main" onClick={() => setDialog({ kind: 'create' })}>
      <Plus aria-hidden className="size-4" />
      {words.keys.create}
    </Button>
  ) : null;
  return (
    <>
      <PageHead title={words.nav.keys} lead={words.keys.lead[shownMode]}>
        {keys && keys.length > 0 ? create : null}
      </PageHead>
      {error ? <Failure error={error} /> : null}
      {!keys && !error ? <Loading label={words.loading} /> : null}
      {keys?.length === 0 ? (
        <Empty title={words.keys.none}>
          <p className="mb-5">{words.keys.noneLead}</p>
          {create}
        </Empty>
      ) : null}
      {keys && keys.length > 0 ? (
        <ul className="divide-y divide-edge rounded-xl border border-edge bg-panel">
          {keys.map((key) => (
            <KeyRow key={key.id} apiKey={key} mayChange={mayChange} onAct={(kind) => setDialog({ kind, key })} />
          ))}
        </ul>
      ) : null}
      {dialog?.kind === 'create' ? <CreateKey onClose={() => setDialog(undefined)} onMade={onMade} /> : null}
      {dialog?.kind === 'rotate' ? (
        <RotateKey apiKey={dialog.key} onClose={() => setDialog(undefined)} onMade={onMade} />
      ) : null}
      {dialog?.kind === 'revoke' ? (
        <RevokeKey apiKey={dialog.key} onClose={() => setDialog(undefined)} onDone={refresh} />
      ) : null}
      {made ? (
        <SecretDialog
          title={words.keys.made}
          lead={words.keys.once}
          label={words.keys.made}
          text={made.key}
          onClose={() => setMade(undefined)}
        />
      ) : null}
    </>
  );
}

function KeyRow({
  apiKey: key,
  mayChange,
  onAct,
}: {
  apiKey: Key;
  mayChange: boolean;
  onAct: (kind: 'rotate' | 'revoke') => void;
}) {
  const words = useWords();
  const texts = useTexts(approvalTexts);
  const now = Date.now();
  const end = [key.revoked_at, key.expires_at].flatMap((at) => (at ? [Date.parse(at)] : []));
  const isOver = end.some((at) => at <= now);
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 px-4 py-3">
      <div className="min-w-0">
        <p className="flex flex-wrap items-center gap-2">
          <span className="font-semibold">{key.name}</span>
          <Badge tone={isOver ? 'off' : key.revoked_at ? 'busy' : 'good'}>
            {isOver
              ? key.revoked_at
                ? words.keys.revoked
                : words.keys.expired
              : key.revoked_at
                ? words.keys.ending
                : words.keys.valid}
          </Badge>
        </p>
        <p className="text-sm text-muted">
          <code className="font-mono">{key.prefix}</code> · {words.keys.made_at(date(key.created_at))} ·{' '}
          {key.last_used_at ? (
            <Moment at={key.last_used_at}>{words.keys.used(ago(key.last_used_at))}</Moment>
          ) : (
            words.keys.neverUsed
          )}
          {key.expires_at && !isOver ? ` · ${words.keys.until(date(key.expires_at))}` : ''}
        </p>
        {key.approval === 'required' ? <Badge tone="busy">{texts.badge}</Badge> : null}
        <p className="text-sm text-muted">{key.scopes.includes('*') ? words.keys.everything : key.scopes.join(', ')}</p>
        <ShownLimits of={key} />
      </div>
      {mayChange && !isOver ? (
        <div className="flex gap-2">
          {key.revoked_at ? null : (
            <Button small onClick={() => onAct('rotate')} aria-label={`${words.keys.rotate}: ${key.name}`}>
              {words.keys.rotate}
            </Button>
          )}
          <Button small look="danger" onClick={() => onAct('revoke')} aria-label={`${words.keys.revoke}: ${key.name}`}>
            {words.keys.revoke}
          </Button>
        </div>
      ) : null}
    </li>
  );
}

function CreateKey({ onClose, onMade }: { onClose: () => void; onMade: (key: MadeKey) => void }) {
  const words = useWords();
  const texts = useTexts(approvalTexts);
  const { busy, run, error, fieldError } = useAction();
  const [isLimited, setIsLimited] = useState(false);
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const days = Number(form.get('days'));
    const scopes = isLimited ? form.getAll('scope').map(String) : ['*'];
    await run(async () =>
      onMade(
        await api<MadeKey>('POST', '/keys', {
          name: String(form.get('name')),
          scopes,
          ...(days > 0 ? { expires_in_days: days } : {}),
          ...(form.get('approval') === 'on' ? { approval: 'required' } : {}),
          ...limitsOf(form),
        }),
      ),
    );
  };
  return (
    <Modal open onClose={onClose} title={words.keys.create}>
      <form onSubmit={(event) => void submit(event)} className="space-y-4">
        <TextField
          label={words.name}
          name="name"
          required
          maxLength={100}
          placeholder={words.keys.nameExample}
          error={fieldError('name')}
          autoFocus
        />
        <SelectField label={words.keys.expiry} name="days" defaultValue="0">
          <option value="0">{words.keys.never}</option>
          {[30, 90, 365].map((days) => (
            <option key={days} value={days}>
              {words.keys.days(days)}
            </option>
          ))}
        </SelectField>
        <label className="flex items-center gap-2">
          <input
            type="checkbox"
            className="size-4 accent-accent"
            checked={isLimited}
            onChange={(event) => setIsLimited(event.target.checked)}
          />
          {words.keys.limit}
        </label>
        {isLimited ? (
          <fieldset className="grid gap-2 rounded-lg border border-edge p-3 sm:grid-cols-2">
            <legend className="px-1 text-sm font-medium">{words.keys.scopes}</legend>
            {SCOPES.map((scope) => (
              <label key={scope} className="flex items-center gap-2">
                <input type="checkbox" name="scope" value={scope} className="size-4 accent-accent" />
                <code className="font-mono text-sm">{scope}</code>
              </label>
            ))}
          </fieldset>
        ) : null}
        <KeyLimits linesError={fieldError('line_ids')} networksError={fieldError('networks')} />
        <label className="flex items-start gap-2">
          <input type="checkbox" name="approval" className="mt-1 size-4 accent-accent" />
          <span>
            {texts.keyNeeds}
            <span className="block text-sm text-muted">{texts.keyNeedsHint}</span>
          </span>
        </label>
        <FormEnd action={words.create} onClose={onClose} busy={busy} error={error} />
      </form>
    </Modal>
  );
}

function RotateKey({ apiKey, onClose, onMade }: { apiKey: Key; onClose: () => void; onMade: (key: MadeKey) => void }) {
  const words = useWords();
  const { busy, run, error } = useAction();
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const hours = Number(new FormData(event.currentTarget).get('hours'));
    await run(async () => onMade(await api<MadeKey>('POST', `/keys/${apiKey.id}/rotate`, { grace_hours: hours })));
  };
  return (
    <Modal open onClose={onClose} title={`${words.keys.rotate}: ${apiKey.name}`}>
      <form onSubmit={(event) => void submit(event)} className="space-y-4">
        <p className="text-muted">{words.keys.rotateHelp}</p>
        <SelectField label={words.keys.grace} name="hours" defaultValue="24">
          {[0, 1, 24, 168].map((hours) => (
            <option key={hours} value={hours}>
              {hours === 0 ? words.keys.atOnce : words.keys.hours(hours)}
            </option>
          ))}
        </SelectField>
        <FormEnd action={words.keys.rotate} onClose={onClose} busy={busy} error={error} />
      </form>
    </Modal>
  );
}

function RevokeKey({ apiKey, onClose, onDone }: { apiKey: Key; onClose: () => void; onDone: () => void }) {
  const words = useWords();
  const { busy, run, error } = useAction();
  const revoke = async () => {
    if (!(await run(() => api('DELETE', `/keys/${apiKey.id}`)))) return;
    onDone();
    onClose();
  };
  return (
    <Confirm
      open
      title={`${words.keys.revoke}: ${apiKey.name}`}
      action={words.keys.revoke}
      busy={busy}
      onClose={onClose}
      onConfirm={() => void revoke()}
    >
      <p>{words.keys.revokeHelp}</p>
      {error ? <Alert>{error}</Alert> : null}
    </Confirm>
  );
}
