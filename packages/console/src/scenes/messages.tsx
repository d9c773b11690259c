import { useInfiniteQuery } from '@tanstack/react-query';
import { Reply } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { api } from '../api.ts';
import { Button } from '../parts/button.tsx';
import { Failure } from '../parts/failure.tsx';
import { Loading } from '../parts/layout.tsx';
import { notify } from '../parts/notices.tsx';
import { clockTime } from '../parts/time.ts';
import { useAction } from '../parts/use-action.ts';
import type { Chat, ListedMessage } from '../shapes.ts';
import { mediaTexts } from '../words/media.ts';
import { contentTexts } from '../words/message-content.ts';
import { useTexts } from '../words/texts.ts';
import { useWords } from '../words/words.ts';
import { MessageDetails, MessageMarks } from './message-content.tsx';
import { MessageFile } from './message-file.tsx';

const PAGE = 50;
const EMOJI = ['👍', '❤️', '😂', '😮', '🙏'];

interface MessagesProps {
  lineId: string;
  chat: Chat;
  mayChange: boolean;
  className: string;
  /** The ground is coloured, as on a phone. */
  onWall?: boolean;
  /** Absent: nobody can answer here. */
  onReply?: (message: ListedMessage) => void;
}

/** What was written in one chat of a line, newest at the bottom. */
export function Messages({ lineId, chat, mayChange, className, onWall = false, onReply }: MessagesProps) {
  const words = useWords();
  const place = useRef<HTMLDivElement>(null);
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
    // The list alone scrolls, not the page it stands on.
    if (newest) place.current?.scrollTo({ top: place.current.scrollHeight });
  }, [newest]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a list that scrolls has to be reachable by keyboard
    <div ref={place} tabIndex={0} className={`relative overflow-y-auto p-4 ${className}`}>
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
            mayChange={mayChange}
            onWall={onWall}
            onReply={onReply}
          />
        ))}
      </ol>
    </div>
  );
}

interface BubbleProps extends Pick<MessagesProps, 'lineId' | 'chat' | 'mayChange' | 'onReply' | 'onWall'> {
  message: ListedMessage;
  quoted: ListedMessage | undefined;
}

function Bubble({ message, quoted, lineId, chat, mayChange, onWall, onReply }: BubbleProps) {
  const words = useWords();
  const texts = useTexts(mediaTexts);
  const marks = useTexts(contentTexts);
  const kind = texts.kinds[message.type];
  return (
    <li
      className={`group relative w-fit max-w-[85%] rounded-xl px-3 py-2 shadow-xs ${message.from_me ? 'self-end bg-bubble' : onWall ? 'self-start bg-incoming' : 'self-start bg-inset'}`}
    >
      {chat.is_group && !message.from_me ? (
        <p className="text-sm font-semibold text-accent">{message.name || message.from}</p>
      ) : null}
      {quoted ? (
        <p className="mb-1 truncate border-l-2 border-accent pl-2 text-sm text-muted">
          {quoted.body || `[${texts.kinds[quoted.type] ?? quoted.type}]`}
        </p>
      ) : null}
      <MessageFile lineId={lineId} message={message} />
      {kind ? <p className="text-xs font-semibold tracking-wide text-muted uppercase">{kind}</p> : null}
      {message.revoked ? <p className="text-muted italic">{marks.deleted}</p> : null}
      {message.body ? (
        <p dir="auto" className="wrap-anywhere whitespace-pre-wrap">
          {message.body}
        </p>
      ) : null}
      <MessageDetails message={message} />
      {!message.body && !message.media && !kind && !message.revoked ? (
        <p className="text-muted">[{message.type}]</p>
      ) : null}
      <p className="mt-0.5 flex flex-wrap items-center gap-x-3 text-xs text-muted">
        {clockTime(message.timestamp)}
        <MessageMarks message={message} />
        {message.from_me ? (
          <span className={message.status === 'failed' ? 'text-danger' : ''}>{words.chats.states[message.status]}</span>
        ) : null}
        {mayChange ? <Answers {...{ message, lineId, chat, onReply }} /> : null}
      </p>
    </li>
  );
}

/** Reply and react. */
function Answers({ message, lineId, chat, onReply }: Omit<BubbleProps, 'quoted' | 'mayChange' | 'onWall'>) {
  const words = useWords();
  const { run, busy, error } = useAction();
  const react = (emoji: string) =>
    run(async () => {
      await api('POST', '/messages/react', { line_id: lineId, jid: chat.jid, message_id: message.message_id, emoji });
      notify('good', words.chats.reacted(emoji));
    });
  const shown = 'inline-flex size-7 items-center justify-center rounded-full text-base hover:bg-inset';
  return (
    <>
      <span className="flex items-center gap-0.5">
        {onReply ? (
          <button type="button" onClick={() => onReply(message)} aria-label={words.chats.reply} className={shown}>
            <Reply aria-hidden className="size-4" />
          </button>
        ) : null}
        <span
          className={`absolute -top-4 flex rounded-full border border-edge bg-panel px-1 opacity-0 shadow-md transition-opacity group-hover:opacity-100 focus-within:opacity-100 ${
            message.from_me ? 'right-2' : 'left-2'
          }`}
        >
          {EMOJI.map((emoji) => (
            <button
              key={emoji}
              type="button"
              disabled={busy}
              onClick={() => void react(emoji)}
              aria-label={words.chats.reactWith(emoji)}
              className={shown}
            >
              <span aria-hidden>{emoji}</span>
            </button>
          ))}
        </span>
      </span>
      {error ? <span className="w-full text-sm text-danger">{error}</span> : null}
    </>
  );
}
