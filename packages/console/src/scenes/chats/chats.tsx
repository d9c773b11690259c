import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import { useItsMode } from '../../its-mode.ts';
import { Button } from '../../parts/button.tsx';
import { Failure } from '../../parts/failure.tsx';
import { TextField } from '../../parts/field.tsx';
import { Empty, Loading } from '../../parts/layout.tsx';
import { usePageTitle } from '../../parts/page-title.ts';
import { clockTime } from '../../parts/time.ts';
import { chatsQuery, nameOf } from '../../queries/chats.ts';
import { lineQuery } from '../../queries/line.ts';
import type { Chat } from '../../shapes.ts';
import { inboxTexts } from '../../words/inbox.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';
import { Conversation } from './conversation.tsx';
import { MessageSearch } from './message-search.tsx';

/** What a line's chats say: to check what an integration did, and to answer by hand. */
export function Chats() {
  const words = useWords();
  const texts = useTexts(inboxTexts);
  const { lineId } = useParams({ from: '/inside/lines/$lineId/chats' });
  const { chat: chosen } = useSearch({ from: '/inside/lines/$lineId/chats' });
  const { data: line, error } = useQuery(lineQuery(lineId));
  const isShown = useItsMode(line);
  usePageTitle(`${words.chats.title} · ${line?.label ?? line?.customer_ref ?? words.lines.unnamed}`);
  const chats = useInfiniteQuery({ ...chatsQuery(lineId), enabled: isShown });
  const all = chats.data?.pages.flatMap((page) => page.chats) ?? [];
  const shown = all.find(({ jid }) => jid === chosen);
  const [filter, setFilter] = useState('');
  const wanted = useDeferredValue(filter.trim());
  const listed = all.filter((chat) => matches(chat, wanted.toLowerCase()));
  return (
    <>
      <Link
        to="/lines/$lineId"
        params={{ lineId }}
        className="mb-4 inline-flex items-center gap-1 text-accent hover:underline"
      >
        <ArrowLeft aria-hidden className="size-4 shrink-0" />
        <bdi className="line-clamp-2">{line?.label ?? line?.customer_ref ?? words.lines.unnamed}</bdi>
      </Link>
      <h1 className="mb-4 text-2xl font-semibold tracking-tight">{words.chats.title}</h1>
      {error ? <Failure error={error} /> : null}
      {chats.error ? <Failure error={chats.error} /> : null}
      {chats.isPending && !error ? <Loading label={words.loading} /> : null}
      {chats.data && all.length === 0 ? <Empty title={words.chats.none}>{words.chats.noneLead}</Empty> : null}
      {all.length > 0 ? (
        <div className="grid grid-cols-[minmax(0,1fr)] gap-4 md:grid-cols-[20rem_minmax(0,1fr)]">
          <nav aria-label={words.chats.title} className={`min-w-0 ${shown ? 'hidden md:block' : ''}`}>
            <div className="mb-3">
              <TextField
                label={texts.search}
                hideLabel
                type="search"
                placeholder={texts.search}
                value={filter}
                maxLength={256}
                onChange={(event) => setFilter(event.target.value)}
              />
            </div>
            <ul className="relative max-h-[75dvh] divide-y divide-edge overflow-y-auto rounded-xl border border-edge bg-panel">
              {listed.map((chat) => (
                <ChatRow key={chat.jid} chat={chat} lineId={lineId} isChosen={chat.jid === chosen} />
              ))}
            </ul>
            {wanted.length >= 2 ? <MessageSearch lineId={lineId} wanted={wanted} chats={all} /> : null}
            {chats.hasNextPage ? (
              <Button className="mt-3" busy={chats.isFetchingNextPage} onClick={() => void chats.fetchNextPage()}>
                {words.more}
              </Button>
            ) : null}
          </nav>
          {shown ? (
            <Conversation key={shown.jid} lineId={lineId} chat={shown} />
          ) : (
            <p className="hidden self-center text-center text-muted md:block">{words.chats.choose}</p>
          )}
        </div>
      ) : null}
    </>
  );
}

const matches = (chat: Chat, wanted: string): boolean =>
  wanted === '' || [nameOf(chat), chat.phone ?? '', chat.jid].some((text) => text.toLowerCase().includes(wanted));

function ChatRow({ chat, lineId, isChosen }: { chat: Chat; lineId: string; isChosen: boolean }) {
  const words = useWords();
  const last = chat.last_message;
  return (
    <li>
      <Link
        to="/lines/$lineId/chats"
        params={{ lineId }}
        search={{ chat: chat.jid }}
        aria-current={isChosen ? 'page' : undefined}
        className={`block px-4 py-2.5 ${isChosen ? 'bg-soft' : 'hover:bg-inset'}`}
      >
        <span className="flex items-baseline justify-between gap-2">
          <span className="min-w-0 truncate font-semibold">
            <bdi>{nameOf(chat)}</bdi>
          </span>
          {last ? <span className="text-xs whitespace-nowrap text-muted">{clockTime(last.timestamp)}</span> : null}
        </span>
        <span className="flex items-center justify-between gap-2 text-sm text-muted">
          <span className="min-w-0 truncate">
            {last ? `${last.from_me ? '→ ' : ''}${last.body || `[${last.type}]`}` : words.chats.empty}
          </span>
          {chat.unread_count > 0 ? (
            <span className="shrink-0 rounded-full bg-accent px-2 text-xs font-semibold whitespace-nowrap text-on-accent">
              {chat.unread_count}
              <span className="sr-only"> {words.chats.unread}</span>
            </span>
          ) : null}
        </span>
      </Link>
    </li>
  );
}
