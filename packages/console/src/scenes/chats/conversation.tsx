import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowLeft, Info } from 'lucide-react';
import { useEffect, useState } from 'react';
import { api } from '../../api.ts';
import { Button } from '../../parts/button.tsx';
import { Export } from '../../parts/export.tsx';
import { nameOf } from '../../queries/chats.ts';
import { messagesQuery } from '../../queries/messages.ts';
import { useMay } from '../../session.ts';
import type { Chat, ListedMessage } from '../../shapes.ts';
import { contactTexts } from '../../words/contact-pane.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';
import { ContactPane } from './contact-pane.tsx';
import { MessageComposer } from './message-composer.tsx';
import { Messages } from './messages.tsx';

/** Marks an open chat as read: the count goes, and the other side gets receipts as from a phone. */
function useReading(lineId: string, { jid, unread_count: unread, last_message: last }: Chat, mayChange: boolean): void {
  const client = useQueryClient();
  const lastId = last?.id;
  useEffect(() => {
    if (!mayChange || unread === 0 || lastId === undefined || document.visibilityState !== 'visible') return;
    api('POST', '/messages/read', { line_id: lineId, jid }).then(
      () => void client.invalidateQueries({ queryKey: ['chats', lineId] }),
      // The line may be away: the count stays, and the next look tries again.
      () => {},
    );
  }, [lineId, jid, unread, lastId, mayChange, client]);
}

/** One chat of a line: what was written, newest at the bottom; reply and react. */
export function Conversation({ lineId, chat }: { lineId: string; chat: Chat }) {
  const words = useWords();
  const mayChange = useMay('developer');
  const texts = useTexts(contactTexts);
  const [isAbout, setIsAbout] = useState(false);
  const [quoted, setQuoted] = useState<ListedMessage>();
  const client = useQueryClient();
  const listed = () =>
    client.getQueryData(messagesQuery(lineId, chat.jid).queryKey)?.pages.flatMap((page) => page.messages) ?? [];
  useReading(lineId, chat, mayChange);
  return (
    <section
      aria-label={nameOf(chat)}
      className="flex h-[75dvh] min-w-0 flex-col overflow-hidden rounded-xl border border-edge bg-panel"
    >
      <header className="flex items-center gap-3 border-b border-edge px-4 py-3">
        <Link to="/lines/$lineId/chats" params={{ lineId }} aria-label={words.chats.title} className="md:hidden">
          <ArrowLeft aria-hidden className="size-5" />
        </Link>
        <div className="min-w-0">
          <h2 className="truncate font-semibold">{nameOf(chat)}</h2>
          <p className="truncate text-sm text-muted">{chat.phone ?? chat.jid}</p>
        </div>
        <div className="ml-auto flex shrink-0 items-center gap-1">
          <Export name="messages" rows={listed} />
          <Button small aria-label={texts.open} aria-expanded={isAbout} onClick={() => setIsAbout(!isAbout)}>
            <Info aria-hidden className="size-4" />
          </Button>
        </div>
      </header>
      <div className="relative flex min-h-0 flex-1">
        <Messages
          lineId={lineId}
          chat={chat}
          mayChange={mayChange}
          className="min-w-0 flex-1"
          onReply={mayChange ? setQuoted : undefined}
        />
        {isAbout ? <ContactPane lineId={lineId} chat={chat} /> : null}
      </div>
      {mayChange ? (
        <MessageComposer
          lineId={lineId}
          to={chat.jid}
          label={words.sendTest.message}
          quoted={quoted}
          onQuoted={() => setQuoted(undefined)}
        />
      ) : null}
    </section>
  );
}
