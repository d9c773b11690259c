import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { api } from '../../api.ts';
import { Failure } from '../../parts/failure.tsx';
import { dateTime } from '../../parts/time.ts';
import { nameOf } from '../../queries/chats.ts';
import type { Chat, ListedMessage } from '../../shapes.ts';
import { inboxTexts } from '../../words/inbox.ts';
import { searchAllTexts } from '../../words/search-all.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';

const SHOWN = 50;

/** Messages of a line with these words, newest first; each leads to its chat. */
export function MessageSearch({ lineId, wanted, chats }: { lineId: string; wanted: string; chats: Chat[] }) {
  const words = useWords();
  const texts = useTexts(inboxTexts);
  const all = useTexts(searchAllTexts);
  const { data, error } = useQuery({
    queryKey: ['messages', lineId, 'search', wanted],
    queryFn: async () =>
      (
        await api<{ messages: ListedMessage[] }>(
          'GET',
          `/messages?line_id=${lineId}&limit=${SHOWN}&q=${encodeURIComponent(wanted)}`,
        )
      ).messages,
    placeholderData: (before) => before,
  });
  if (error) return <Failure error={error} />;
  return (
    <section aria-label={texts.found} className="mt-4">
      <div className="mb-2 flex flex-wrap items-baseline justify-between gap-2">
        <h2 className="font-semibold">{texts.found}</h2>
        <Link to="/search" search={{ q: wanted }} className="text-sm text-accent hover:underline">
          {all.inAll}
        </Link>
      </div>
      {data?.length === 0 ? <p className="text-muted">{texts.nothing}</p> : null}
      {!data ? <p className="text-muted">{words.loading}</p> : null}
      <ul className="relative max-h-[50dvh] divide-y divide-edge overflow-y-auto rounded-xl border border-edge bg-panel empty:hidden">
        {data?.map((message) => {
          const chat = chats.find(({ jid }) => jid === message.jid);
          return (
            <li key={message.message_id}>
              <Link
                to="/lines/$lineId/chats"
                params={{ lineId }}
                search={{ chat: message.jid }}
                className="block px-4 py-2 hover:bg-inset"
              >
                <span className="flex justify-between gap-2 text-sm text-muted">
                  <bdi className="min-w-0 truncate">{chat ? nameOf(chat) : (message.jid.split('@')[0] ?? '')}</bdi>
                  <span className="shrink-0">{dateTime(new Date(message.timestamp * 1_000).toISOString())}</span>
                </span>
                <span dir="auto" className="line-clamp-2">
                  {message.body}
                </span>
              </Link>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
