import { useInfiniteQuery } from '@tanstack/react-query';
import { PhoneFrame } from '../../parts/phone-frame.tsx';
import { chatsQuery } from '../../queries/chats.ts';
import type { Line, Phone } from '../../shapes.ts';
import { phonesTexts } from '../../words/phones.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';
import { MessageComposer } from '../chats/message-composer.tsx';
import { Messages } from '../chats/messages.tsx';

/** The same chat from the line's end: what this server holds of it, and sends through its API. */
export function LineScreen({ line, phone, mayChange }: { line: Line; phone: Phone; mayChange: boolean }) {
  const words = useWords();
  const texts = useTexts(phonesTexts);
  const chats = useInfiniteQuery(chatsQuery(line.line_id));
  const chat = chats.data?.pages
    .flatMap((page) => page.chats)
    .find((one) => one.phone === `+${phone.phone}` || one.jid === phone.jid || one.jid === phone.lid);
  const title = line.label ?? line.customer_ref ?? words.lines.unnamed;
  return (
    <PhoneFrame label={texts.yourLine} title={title} lead={texts.lineLead}>
      {chat ? (
        <Messages lineId={line.line_id} chat={chat} className="min-h-0 flex-1 bg-wall" onWall mayChange={mayChange} />
      ) : (
        <p className="flex min-h-0 flex-1 items-center justify-center bg-wall p-6 text-center text-muted">
          {words.phones.noMessages}
        </p>
      )}
      {mayChange ? (
        <MessageComposer lineId={line.line_id} to={`+${phone.phone}`} label={words.phones.writeLine} isRound />
      ) : null}
    </PhoneFrame>
  );
}
