import { useInfiniteQuery } from '@tanstack/react-query';
import { Fragment, useEffect, useRef, useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { Failure } from '../../parts/failure.tsx';
import { Loading } from '../../parts/layout.tsx';
import { RichText } from '../../parts/rich-text.tsx';
import { clockTime, dayOf } from '../../parts/time.ts';
import { messagesQuery } from '../../queries/messages.ts';
import type { Chat, ListedMessage } from '../../shapes.ts';
import { inboxTexts } from '../../words/inbox.ts';
import { mediaTexts } from '../../words/media.ts';
import { contentTexts } from '../../words/message-content.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';
import { Answers, EditMessage } from './message-answers.tsx';
import { MessageDetails, MessageMarks } from './message-content.tsx';
import { MessageFile } from './message-file.tsx';

interface MessagesProps {
  lineId: string;
  chat: Chat;
  mayChange: boolean;
  className: string;
  /** The ground is coloured, as on a phone. */
  onWall?: boolean;
  /** Absent: replies are not offered here. */
  onReply?: (message: ListedMessage) => void;
}

/** What was written in one chat of a line, newest at the bottom. */
export function Messages({ lineId, chat, mayChange, className, onWall = false, onReply }: MessagesProps) {
  const words = useWords();
  const place = useRef<HTMLDivElement>(null);
  const messages = useInfiniteQuery(messagesQuery(lineId, chat.jid));
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
        {all.toReversed().map((message, at, ordered) => (
          <Fragment key={message.message_id}>
            <Day of={message.timestamp} before={ordered[at - 1]?.timestamp} />
            <Bubble
              message={message}
              quoted={all.find(({ message_id }) => message_id === message.quoted_message_id)}
              lineId={lineId}
              chat={chat}
              mayChange={mayChange}
              onWall={onWall}
              onReply={onReply}
            />
          </Fragment>
        ))}
      </ol>
    </div>
  );
}

/** Where a new day begins. */
function Day({ of, before }: { of: number; before: number | undefined }) {
  const texts = useTexts(inboxTexts);
  const day = dayOf(of, texts);
  if (before !== undefined && dayOf(before, texts) === day) return null;
  return (
    <li className="my-1 self-center rounded-full bg-panel px-3 py-0.5 text-xs font-medium text-muted shadow-xs">
      {day}
    </li>
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
  const [isEditing, setIsEditing] = useState(false);
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
      {isEditing ? <EditMessage {...{ lineId, chat, message }} onClose={() => setIsEditing(false)} /> : null}
      {message.body && !isEditing ? (
        <p dir="auto" className="wrap-anywhere whitespace-pre-wrap">
          <RichText text={message.body} />
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
        {mayChange ? <Answers {...{ message, lineId, chat, onReply }} onEdit={() => setIsEditing(true)} /> : null}
      </p>
    </li>
  );
}
