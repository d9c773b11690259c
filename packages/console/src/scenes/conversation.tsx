import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowLeft, Reply, Send, X } from 'lucide-react';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { api } from '../api.ts';
import { Button } from '../parts/button.tsx';
import { Failure } from '../parts/failure.tsx';
import { TextField } from '../parts/field.tsx';
import { Alert, Loading } from '../parts/layout.tsx';
import { notify } from '../parts/notices.tsx';
import { clockTime } from '../parts/time.ts';
import { useAction } from '../parts/use-action.ts';
import { useMay } from '../session.ts';
import type { Chat, ListedMessage } from '../shapes.ts';
import { useWords } from '../words/words.ts';
import { nameOf } from './chats.tsx';

const PAGE = 50;
const EMOJI = ['👍', '❤️', '😂', '😮', '🙏'];

/** One chat of a line: what was written, newest at the bottom; reply and react. */
export function Conversation({ lineId, chat }: { lineId: string; chat: Chat }) {
  const words = useWords();
  const mayChange = useMay('developer');
  const [quoted, setQuoted] = useState<ListedMessage>();
  const end = useRef<HTMLDivElement>(null);
  const messages = useInfiniteQuery({
    queryKey: ['messages', lineId, chat.jid],
    queryFn: ({ pageParam }) =>
      api<{ messages: ListedMessage[]; next_before: string | null }>(
        'GET',
        `/messages?line_id=${lineId}&jid=${encodeURIComponent(chat.jid)}&limit=${PAGE}${
          pageParam === null ? '' : `&before=${encodeURIComponent(pageParam)}`
        }`,
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_before ?? undefined,
  });
  const all = messages.data?.pages.flatMap((page) => page.messages) ?? [];
  const newest = all[0]?.message_id;
  useEffect(() => {
    if (newest) end.current?.scrollIntoView({ block: 'nearest' });
  }, [newest]);
  return (
    <section aria-label={nameOf(chat)} className="min-w-0 rounded-xl border border-edge bg-panel">
      <header className="flex items-center gap-3 border-b border-edge px-4 py-3">
        <Link to="/lines/$lineId/chats" params={{ lineId }} aria-label={words.chats.title} className="md:hidden">
          <ArrowLeft aria-hidden className="size-5" />
        </Link>
        <div className="min-w-0">
          <h2 className="truncate font-semibold">{nameOf(chat)}</h2>
          <p className="truncate text-sm text-muted">{chat.phone ?? chat.jid}</p>
        </div>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls has to be reachable by keyboard */}
      <div tabIndex={0} className="h-[50dvh] overflow-y-auto p-4">
        {messages.error ? <Failure error={messages.error} /> : null}
        {messages.isPending ? <Loading label={words.loading} /> : null}
        {messages.hasNextPage ? (
          <div className="mb-3 text-center">
            <Button small busy={messages.isFetchingNextPage} onClick={() => void messages.fetchNextPage()}>
              {words.chats.older}
            </Button>
          </div>
        ) : null}
        <ol className="flex flex-col gap-2">
          {all.toReversed().map((message) => (
            <Bubble
              key={message.message_id}
              message={message}
              quoted={all.find(({ message_id }) => message_id === message.quoted_message_id)}
              lineId={lineId}
              chat={chat}
              onReply={mayChange ? () => setQuoted(message) : undefined}
            />
          ))}
        </ol>
        <div ref={end} />
      </div>
      {mayChange ? (
        <Composer lineId={lineId} chat={chat} quoted={quoted} onQuoted={() => setQuoted(undefined)} />
      ) : null}
    </section>
  );
}

function Bubble(props: {
  message: ListedMessage;
  quoted: ListedMessage | undefined;
  lineId: string;
  chat: Chat;
  onReply: (() => void) | undefined;
}) {
  const { message, quoted, lineId, chat, onReply } = props;
  const words = useWords();
  const { run, busy, error } = useAction();
  const react = (emoji: string) =>
    run(async () => {
      await api('POST', '/messages/react', { line_id: lineId, jid: chat.jid, message_id: message.message_id, emoji });
      notify('good', words.chats.reacted(emoji));
    });
  return (
    <li
      className={`group max-w-[85%] rounded-xl px-3 py-2 ${message.from_me ? 'self-end bg-bubble' : 'self-start bg-inset'}`}
    >
      {chat.is_group && !message.from_me ? <p className="text-sm font-semibold text-accent">{message.from}</p> : null}
      {quoted ? (
        <p className="mb-1 truncate border-l-2 border-accent pl-2 text-sm text-muted">
          {quoted.body || `[${quoted.type}]`}
        </p>
      ) : null}
      <Media message={message} />
      {message.body ? <p className="break-words whitespace-pre-wrap">{message.body}</p> : null}
      {!message.body && !message.media ? <p className="text-muted">[{message.type}]</p> : null}
      <p className="mt-0.5 flex flex-wrap items-center gap-x-3 text-xs text-muted">
        {clockTime(message.timestamp)}
        {message.from_me ? (
          <span className={message.status === 'failed' ? 'text-danger' : ''}>{words.chats.states[message.status]}</span>
        ) : null}
        {onReply ? (
          <span className="flex items-center gap-0.5">
            <button
              type="button"
              onClick={onReply}
              aria-label={words.chats.reply}
              className="inline-flex size-6 items-center justify-center rounded hover:bg-panel"
            >
              <Reply aria-hidden className="size-4" />
            </button>
            {EMOJI.map((emoji) => (
              <button
                key={emoji}
                type="button"
                disabled={busy}
                onClick={() => void react(emoji)}
                aria-label={words.chats.reactWith(emoji)}
                className="hidden size-6 items-center justify-center rounded group-focus-within:inline-flex group-hover:inline-flex hover:bg-panel"
              >
                <span aria-hidden>{emoji}</span>
              </button>
            ))}
          </span>
        ) : null}
      </p>
      {error ? <p className="text-sm text-danger">{error}</p> : null}
    </li>
  );
}

/** Files as their name and size; pictures of this very server are shown. */
function Media({ message: { media, type } }: { message: ListedMessage }) {
  if (!media) return null;
  const name = media.filename ?? `${type} · ${media.mime_type}`;
  if (media.url === null) return <p className="text-sm text-muted">[{name}]</p>;
  return (
    <a href={media.url} target="_blank" rel="noreferrer" className="text-accent underline">
      {name}
    </a>
  );
}

function Composer(props: { lineId: string; chat: Chat; quoted: ListedMessage | undefined; onQuoted: () => void }) {
  const { lineId, chat, quoted, onQuoted } = props;
  const words = useWords();
  const client = useQueryClient();
  const [text, setText] = useState('');
  const { busy, run, error } = useAction();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === '') return;
    const body = { line_id: lineId, to: chat.jid, message: text };
    const done = await run(() =>
      quoted
        ? api('POST', '/messages/reply', { ...body, quoted_message_id: quoted.message_id })
        : api('POST', '/messages/send', body),
    );
    if (!done) return;
    setText('');
    onQuoted();
    await client.invalidateQueries({ queryKey: ['messages', lineId] });
  };
  return (
    <form onSubmit={(event) => void submit(event)} className="space-y-2 border-t border-edge p-3">
      {quoted ? (
        <p className="flex items-center justify-between gap-2 border-l-2 border-accent pl-2 text-sm text-muted">
          <span className="truncate">{quoted.body || `[${quoted.type}]`}</span>
          <button type="button" onClick={onQuoted} aria-label={words.cancel} className="rounded p-1 hover:bg-inset">
            <X aria-hidden className="size-4" />
          </button>
        </p>
      ) : null}
      {error ? <Alert>{error}</Alert> : null}
      <div className="flex gap-2">
        <div className="min-w-0 flex-1">
          <TextField
            label={words.sendTest.message}
            hideLabel
            placeholder={words.sendTest.message}
            value={text}
            maxLength={4_000}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
        <Button type="submit" look="main" busy={busy}>
          <Send aria-hidden className="size-4" />
          {words.send}
        </Button>
      </div>
    </form>
  );
}
