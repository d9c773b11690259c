import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Plus, Send, Smartphone } from 'lucide-react';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { api } from '../api.ts';
import { Button } from '../parts/button.tsx';
import { SelectField } from '../parts/field.tsx';
import { Alert, Panel } from '../parts/layout.tsx';
import { notify } from '../parts/notices.tsx';
import { clockTime } from '../parts/time.ts';
import { useAction } from '../parts/use-action.ts';
import type { InboxItem, Line, Phone } from '../shapes.ts';
import { useWords } from '../words/words.ts';
import {
  changeSettings,
  createPhone,
  FAULTS,
  type FaultName,
  injectFault,
  listPhones,
  readChat,
  scanWithVirtualPhone,
  writeAs,
} from './virtual-phone-calls.ts';

/** The stream tells of activity at the gateway; receipts and the phone's own changes it does not know. */
const LOOK_EVERY_MS = 2_000;

/** The other side of a test line: phones that scan, read and write, and a network that can misbehave. */
export function VirtualPhones({ line, mayChange }: { line: Line; mayChange: boolean }) {
  const words = useWords();
  const { busy, run, error } = useAction();
  const isPaired = line.phone !== null && line.status !== 'unpaired' && line.status !== 'logged_out';
  if (!isPaired) {
    return (
      <Panel title={words.phones.title}>
        <p className="mb-4 text-muted">{words.phones.unpaired}</p>
        {mayChange ? (
          <Button look="main" busy={busy} onClick={() => void run(() => scanWithVirtualPhone(line))}>
            <Smartphone aria-hidden className="size-4" />
            {words.pair.virtual}
          </Button>
        ) : null}
        {error ? (
          <div className="mt-3">
            <Alert>{error}</Alert>
          </div>
        ) : null}
      </Panel>
    );
  }
  return (
    <>
      <ChatPanel line={line} linePhone={line.phone ?? ''} mayChange={mayChange} />
      {mayChange ? <Faults line={line} /> : null}
    </>
  );
}

function ChatPanel({ line, linePhone, mayChange }: { line: Line; linePhone: string; mayChange: boolean }) {
  const words = useWords();
  const [chosen, setChosen] = useState<string>();
  const { busy, run, error } = useAction();
  const { data: phones } = useQuery({ queryKey: ['phones'], queryFn: listPhones });
  const others = phones?.filter(({ phone }) => `+${phone}` !== linePhone) ?? [];
  const phone = others.find((one) => one.phone === chosen) ?? others.find(({ name }) => !name.endsWith('(owner)'));
  const add = () => run(async () => setChosen((await createPhone(phones ?? [])).phone));
  return (
    <Panel
      title={words.phones.title}
      actions={
        mayChange ? (
          <Button small busy={busy} onClick={() => void add()}>
            <Plus aria-hidden className="size-4" />
            {words.phones.add}
          </Button>
        ) : null
      }
    >
      {error ? <Alert>{error}</Alert> : null}
      {phone ? (
        <div className="space-y-4">
          <SelectField label={words.phones.who} value={phone.phone} onChange={(event) => setChosen(event.target.value)}>
            {others.map((one) => (
              <option key={one.phone} value={one.phone}>
                {one.name} · +{one.phone}
              </option>
            ))}
          </SelectField>
          <Chat key={phone.phone} line={line} linePhone={linePhone} phone={phone} mayChange={mayChange} />
        </div>
      ) : (
        <p className="text-muted">{words.phones.none}</p>
      )}
    </Panel>
  );
}

function Chat(props: { line: Line; linePhone: string; phone: Phone; mayChange: boolean }) {
  const { line, linePhone, phone, mayChange } = props;
  const words = useWords();
  const client = useQueryClient();
  const { run, error } = useAction();
  const { data: items = [] } = useQuery({
    queryKey: ['inbox', phone.phone, linePhone],
    queryFn: () => readChat(phone.phone, linePhone),
    refetchInterval: LOOK_EVERY_MS,
  });
  const refresh = () => client.invalidateQueries({ queryKey: ['inbox', phone.phone] });
  const settings = phone.settings;
  const set = (change: Parameters<typeof changeSettings>[1]) =>
    run(async () => {
      await changeSettings(phone.phone, change);
      await client.invalidateQueries({ queryKey: ['phones'] });
    });
  return (
    <>
      <div className="overflow-hidden rounded-2xl border border-field">
        <p className="flex items-center justify-between gap-2 bg-inset px-3 py-2 text-sm">
          <span className="font-semibold">{words.phones.screenOf(phone.name)}</span>
          <span className="text-muted">{settings?.online === false ? words.phones.offline : words.phones.online}</span>
        </p>
        <Bubbles items={items} />
        {mayChange ? (
          <div className="space-y-2 border-t border-edge bg-inset p-2">
            <Composer
              label={words.phones.writeAs(phone.name)}
              onSend={(text) => run(() => writeAs(phone.phone, linePhone, text).then(refresh))}
            />
            <Composer
              label={words.phones.writeLine}
              onSend={(text) =>
                run(() =>
                  api('POST', '/messages/send', { line_id: line.line_id, to: `+${phone.phone}`, message: text }).then(
                    refresh,
                  ),
                )
              }
            />
          </div>
        ) : null}
      </div>
      {error ? <Alert>{error}</Alert> : null}
      {mayChange && settings ? (
        <div className="flex flex-wrap items-end gap-3">
          <label className="flex min-h-10 items-center gap-2">
            <input
              type="checkbox"
              className="size-4 accent-accent"
              checked={settings.online}
              onChange={(event) => void set({ online: event.target.checked })}
            />
            {words.phones.online}
          </label>
          <div className="min-w-40 flex-1">
            <SelectField
              label={words.phones.receipts}
              value={settings.auto_receipts}
              onChange={(event) => void set({ auto_receipts: event.target.value as typeof settings.auto_receipts })}
            >
              {(['none', 'delivered', 'read'] as const).map((one) => (
                <option key={one} value={one}>
                  {words.phones.receiptKinds[one]}
                </option>
              ))}
            </SelectField>
          </div>
        </div>
      ) : null}
    </>
  );
}

const TICKS: Record<string, string> = { pending: '🕓', sent: '✓', delivered: '✓✓', read: '✓✓', played: '✓✓' };

function Bubbles({ items }: { items: InboxItem[] }) {
  const words = useWords();
  const end = useRef<HTMLLIElement>(null);
  const count = items.length;
  useEffect(() => {
    if (count > 0) end.current?.scrollIntoView({ block: 'nearest' });
  }, [count]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls has to be reachable by keyboard
    <ol tabIndex={0} aria-label={words.phones.chat} className="flex h-72 flex-col gap-1.5 overflow-y-auto p-3">
      {count === 0 ? <li className="m-auto text-center text-muted">{words.phones.noMessages}</li> : null}
      {items.map((item) => (
        <li
          key={item.message_id}
          className={`w-fit max-w-[85%] rounded-xl px-3 py-1.5 ${item.from_me ? 'self-end bg-bubble' : 'self-start bg-inset'}`}
        >
          <span className="sr-only">{item.from_me ? words.phones.fromPhone : words.phones.fromLine}: </span>
          <span className="break-words whitespace-pre-wrap">{item.body ?? `[${item.type}]`}</span>
          <span className="block text-right text-xs whitespace-nowrap text-muted">
            {clockTime(item.timestamp)}
            {item.from_me ? (
              <>
                {' '}
                <span aria-hidden>{TICKS[item.status] ?? ''}</span>
                <span className="sr-only">{item.status}</span>
              </>
            ) : null}
          </span>
        </li>
      ))}
      <li ref={end} aria-hidden />
    </ol>
  );
}

function Composer({ label, onSend }: { label: string; onSend: (text: string) => Promise<boolean> }) {
  const words = useWords();
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === '') return;
    setBusy(true);
    if (await onSend(text)) setText('');
    setBusy(false);
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="flex gap-2">
      <input
        aria-label={label}
        placeholder={label}
        value={text}
        maxLength={4_000}
        onChange={(event) => setText(event.target.value)}
        className="min-w-0 flex-1 rounded-full border border-field bg-panel px-3 py-1.5 placeholder:text-muted"
      />
      <button
        type="submit"
        disabled={busy}
        aria-label={`${words.send}: ${label}`}
        className="inline-flex size-9 shrink-0 items-center justify-center rounded-full bg-accent text-on-accent hover:bg-accent-strong disabled:opacity-60"
      >
        <Send aria-hidden className="size-4" />
      </button>
    </form>
  );
}

function Faults({ line }: { line: Line }) {
  const words = useWords();
  const [name, setName] = useState<FaultName>('cut');
  const { busy, run, error } = useAction();
  const inject = async () => {
    if (await run(() => injectFault(line.line_id, FAULTS[name]))) notify('good', words.phones.injected);
  };
  return (
    <Panel title={words.phones.faults}>
      <div className="flex flex-wrap items-end gap-3">
        <div className="min-w-48 flex-1">
          <SelectField
            label={words.phones.fault}
            value={name}
            onChange={(event) => setName(event.target.value as FaultName)}
          >
            {(Object.keys(FAULTS) as FaultName[]).map((one) => (
              <option key={one} value={one}>
                {words.phones.faultKinds[one]}
              </option>
            ))}
          </SelectField>
        </div>
        <Button look="danger" busy={busy} onClick={() => void inject()}>
          {words.phones.inject}
        </Button>
      </div>
      {error ? (
        <div className="mt-3">
          <Alert>{error}</Alert>
        </div>
      ) : null}
    </Panel>
  );
}
