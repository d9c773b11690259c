import { useQuery, useQueryClient } from '@tanstack/react-query';
import { PhoneOff, Phone as PhoneSign, Power, Send, Video, X } from 'lucide-react';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { IconButton, PhoneFrame } from '../../parts/phone-frame.tsx';
import { TextBox } from '../../parts/text-box.tsx';
import { useAction } from '../../parts/use-action.ts';
import type { InboxItem, Phone, PhoneCall } from '../../shapes.ts';
import { phonesTexts } from '../../words/phones.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';
import { PhoneAttach } from './phone-attach.tsx';
import { type BubbleActions, PhoneBubble } from './phone-bubble.tsx';
import {
  changeAs,
  changeSettings,
  hangUp,
  listCalls,
  placeCall,
  readChat,
  typeAs,
  writeAs,
} from './virtual-phone-calls.ts';

/**
 * The stream tells of activity at the gateway; receipts and the phone's own changes it does not
 * know.
 */
const LOOK_EVERY_MS = 2_000;
/** Phones repeat the typing state while typing goes on, and end it soon after. */
const TYPING_AGAIN_MS = 4_000;
const TYPING_OVER_MS = 5_000;

interface PhoneScreenProps {
  phone: Phone;
  linePhone: string;
  mayChange: boolean;
}

/** A virtual phone with its chat with the line: what it decrypted, and everything it can do. */
export function PhoneScreen({ phone, linePhone, mayChange }: PhoneScreenProps) {
  const words = useWords();
  const texts = useTexts(phonesTexts);
  const client = useQueryClient();
  const { run, error } = useAction();
  const [quoted, setQuoted] = useState<InboxItem>();
  const [edited, setEdited] = useState<InboxItem>();
  const { data: items = [] } = useQuery({
    queryKey: ['inbox', phone.phone, linePhone],
    queryFn: () => readChat(phone.phone, linePhone),
    refetchInterval: LOOK_EVERY_MS,
  });
  const isOnline = phone.settings?.online !== false;
  const act = (work: () => Promise<unknown>) =>
    run(async () => {
      await work();
      await client.invalidateQueries({ queryKey: ['inbox', phone.phone] });
    });
  const change = (what: string, body: Record<string, unknown>) =>
    void act(() => changeAs(phone.phone, linePhone, what, body));
  const actions: BubbleActions = {
    react: (item, emoji) => change('reactions', { message_id: item.message_id, emoji }),
    reply: setQuoted,
    edit: setEdited,
    revoke: (item) => change('revokes', { message_id: item.message_id }),
    vote: (item, option) => change('votes', { poll_id: item.message_id, options: [option] }),
    answer: (item, response) => change('rsvps', { event_id: item.message_id, response, extra_guest_count: 0 }),
  };
  const isOwn = (from: string) => [phone.phone, phone.lid.split('@')[0]].includes(from.split('@')[0]?.split(':')[0]);
  const turn = () =>
    run(async () => {
      await changeSettings(phone.phone, { online: !isOnline });
      await client.invalidateQueries({ queryKey: ['phones'] });
    });
  const send = (text: string) =>
    act(async () => {
      if (edited) {
        await changeAs(phone.phone, linePhone, 'edits', { message_id: edited.message_id, body: text });
      } else {
        const quote = quoted ? { quoted_message_id: quoted.message_id } : {};
        await writeAs(phone.phone, linePhone, { type: 'text', body: text, ...quote });
      }
      setQuoted(undefined);
      setEdited(undefined);
    });
  const isActive = mayChange && isOnline;
  return (
    <PhoneFrame
      label={texts.theirPhone(phone.name)}
      title={phone.name}
      lead={isOnline ? `+${phone.phone}` : words.phones.offline}
      actions={
        mayChange ? (
          <>
            <Calls phone={phone} linePhone={linePhone} isOnline={isOnline} />
            <IconButton label={isOnline ? texts.turnOff : texts.turnOn} pressed={isOnline} onClick={() => void turn()}>
              <Power aria-hidden className="size-5" />
            </IconButton>
          </>
        ) : null
      }
    >
      <ActiveCalls phone={phone} mayChange={mayChange} />
      <Bubbles items={items} isOwn={isOwn} actions={isActive ? actions : undefined} />
      {isOnline ? null : <p className="bg-warn-soft px-4 py-2 text-sm text-warn">{texts.offline}</p>}
      {error ? (
        <p role="alert" className="bg-danger-soft px-4 py-2 text-sm text-danger">
          {error}
        </p>
      ) : null}
      {isActive ? (
        <Composer
          key={edited?.message_id}
          label={words.phones.writeAs(phone.name)}
          start={edited?.body ?? ''}
          about={(edited ?? quoted)?.body ?? (quoted ? `[${quoted.type}]` : undefined)}
          onAbandon={() => {
            setQuoted(undefined);
            setEdited(undefined);
          }}
          onTyping={(state) => void typeAs(phone.phone, linePhone, state).catch(() => {})}
          onSend={send}
          onAttach={(message) => void act(() => writeAs(phone.phone, linePhone, message))}
        />
      ) : null}
    </PhoneFrame>
  );
}

function Calls({ phone, linePhone, isOnline }: { phone: Phone; linePhone: string; isOnline: boolean }) {
  const texts = useTexts(phonesTexts);
  const client = useQueryClient();
  const { busy, run } = useAction();
  const call = (video: boolean) =>
    void run(async () => {
      await placeCall(phone.phone, linePhone, video);
      await client.invalidateQueries({ queryKey: ['calls', phone.phone] });
    });
  return (
    <>
      <IconButton label={texts.voiceCall} disabled={busy || !isOnline} onClick={() => call(false)}>
        <PhoneSign aria-hidden className="size-5" />
      </IconButton>
      <IconButton label={texts.videoCall} disabled={busy || !isOnline} onClick={() => call(true)}>
        <Video aria-hidden className="size-5" />
      </IconButton>
    </>
  );
}

/** The call that rings or goes on. */
function ActiveCalls({ phone, mayChange }: { phone: Phone; mayChange: boolean }) {
  const texts = useTexts(phonesTexts);
  const client = useQueryClient();
  const { busy, run } = useAction();
  const isOver = ({ state }: PhoneCall) => state === 'ended' || state === 'rejected';
  const { data: calls = [] } = useQuery({
    queryKey: ['calls', phone.phone],
    queryFn: () => listCalls(phone.phone),
    enabled: phone.settings?.online !== false,
    refetchInterval: ({ state }) => (state.data?.some((call) => !isOver(call)) ? LOOK_EVERY_MS : false),
  });
  const call = calls.at(-1);
  if (!call || isOver(call)) return null;
  const end = () =>
    run(async () => {
      await hangUp(phone.phone, call.call_id);
      await client.invalidateQueries({ queryKey: ['calls', phone.phone] });
    });
  return (
    <div role="status" className="flex items-center justify-between gap-3 bg-soft px-4 py-2 text-accent">
      <span className="flex items-center gap-2 font-medium">
        {call.video ? <Video aria-hidden className="size-5" /> : <PhoneSign aria-hidden className="size-5" />}
        {texts.calls[call.state]}
      </span>
      {mayChange ? (
        <IconButton label={texts.hangUp} tone="danger" disabled={busy} onClick={() => void end()}>
          <PhoneOff aria-hidden className="size-5" />
        </IconButton>
      ) : null}
    </div>
  );
}

function Bubbles(props: { items: InboxItem[]; isOwn: (from: string) => boolean; actions: BubbleActions | undefined }) {
  const { items, isOwn, actions } = props;
  const words = useWords();
  const list = useRef<HTMLOListElement>(null);
  const newest = items.at(-1)?.message_id;
  useEffect(() => {
    // The list alone scrolls, not the page it stands on.
    if (newest) list.current?.scrollTo({ top: list.current.scrollHeight });
  }, [newest]);
  return (
    <ol
      ref={list}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls has to be reachable by keyboard
      tabIndex={0}
      aria-label={words.phones.chat}
      className="relative flex min-h-0 flex-1 flex-col gap-2 overflow-y-auto bg-wall p-3"
    >
      {items.length === 0 ? <li className="m-auto text-center text-muted">{words.phones.noMessages}</li> : null}
      {items.map((item) => (
        <PhoneBubble key={item.message_id} item={item} isOwn={isOwn} actions={actions} />
      ))}
    </ol>
  );
}

interface ComposerProps {
  label: string;
  start: string;
  /** What is answered or edited. */
  about: string | undefined;
  onAbandon: () => void;
  onTyping: (state: 'composing' | 'paused') => void;
  onSend: (text: string) => Promise<boolean>;
  onAttach: (message: Record<string, unknown>) => void;
}

function Composer({ label, start, about, onAbandon, onTyping, onSend, onAttach }: ComposerProps) {
  const words = useWords();
  const [text, setText] = useState(start);
  const [busy, setBusy] = useState(false);
  const typing = useTyping(onTyping);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === '') return;
    setBusy(true);
    typing.stop();
    if (await onSend(text)) setText('');
    setBusy(false);
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="border-t border-edge bg-inset p-2">
      {about === undefined ? null : (
        <p className="mb-2 flex items-center justify-between gap-2 border-l-2 border-accent pl-2 text-sm text-muted">
          <span className="truncate">{about}</span>
          <button type="button" aria-label={words.cancel} onClick={onAbandon} className="rounded p-1 hover:bg-panel">
            <X aria-hidden className="size-4" />
          </button>
        </p>
      )}
      <div className="flex items-end gap-1.5">
        <PhoneAttach onSend={onAttach} hasFixtures />
        <div className="min-w-0 flex-1">
          <TextBox
            label={label}
            round
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              typing.go();
            }}
            onBlur={typing.stop}
          />
        </div>
        <button
          type="submit"
          disabled={busy}
          aria-label={`${words.send}: ${label}`}
          className="inline-flex size-9 shrink-0 items-center justify-center rounded-full bg-accent text-on-accent hover:bg-accent-strong disabled:opacity-60"
        >
          <Send aria-hidden className="size-4" />
        </button>
      </div>
    </form>
  );
}

/** Reports typing as phones do: at the start, now and then while it goes on, and at its end. */
function useTyping(onTyping: (state: 'composing' | 'paused') => void) {
  const told = useRef(0);
  const over = useRef<ReturnType<typeof setTimeout>>(undefined);
  const stop = () => {
    clearTimeout(over.current);
    if (told.current === 0) return;
    told.current = 0;
    onTyping('paused');
  };
  useEffect(() => () => clearTimeout(over.current), []);
  return {
    go() {
      const now = performance.now();
      if (told.current === 0 || now - told.current > TYPING_AGAIN_MS) {
        told.current = now;
        onTyping('composing');
      }
      clearTimeout(over.current);
      over.current = setTimeout(stop, TYPING_OVER_MS);
    },
    stop,
  };
}
