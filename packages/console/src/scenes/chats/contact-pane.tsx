import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { ApiError } from '../../api.ts';
import { mode } from '../../mode.ts';
import { Failure } from '../../parts/failure.tsx';
import { Facts, Loading } from '../../parts/layout.tsx';
import { number } from '../../parts/time.ts';
import { nameOf } from '../../queries/chats.ts';
import { contactQuery, groupQuery } from '../../queries/contact.ts';
import type { Chat } from '../../shapes.ts';
import { contactTexts } from '../../words/contact-pane.ts';
import { useTexts } from '../../words/texts.ts';
import { useWords } from '../../words/words.ts';

interface PaneProps {
  lineId: string;
  chat: Chat;
}

/** Who is on the other side of a chat, as WhatsApp shows them to the line. */
export function ContactPane({ lineId, chat }: PaneProps) {
  const texts = useTexts(contactTexts);
  return (
    <aside
      aria-label={texts.open}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
      tabIndex={0}
      className="absolute inset-0 z-1 overflow-y-auto bg-panel p-4 lg:static lg:w-72 lg:shrink-0 lg:border-l lg:border-edge"
    >
      <Picture key={chat.jid} lineId={lineId} chat={chat} />
      {chat.is_group ? <GroupFacts lineId={lineId} chat={chat} /> : <PersonFacts lineId={lineId} chat={chat} />}
    </aside>
  );
}

/** Nothing where there is none, or it is hidden. */
function Picture({ lineId, chat }: PaneProps) {
  const texts = useTexts(contactTexts);
  const [isGone, setIsGone] = useState(false);
  if (isGone) return null;
  return (
    <img
      src={`/api/console/v1/contacts/${encodeURIComponent(chat.jid)}/avatar?line_id=${lineId}&mode=${mode.get()}`}
      alt={texts.picture(nameOf(chat))}
      onError={() => setIsGone(true)}
      className="mx-auto mb-4 size-32 rounded-full bg-inset object-cover"
    />
  );
}

function PersonFacts({ lineId, chat }: PaneProps) {
  const texts = useTexts(contactTexts);
  const { data, error } = useQuery(contactQuery(lineId, chat.jid));
  const facts: [string, ReactNode][] = [
    [texts.name, <bdi key="name">{nameOf(chat)}</bdi>],
    [texts.number, data?.phone ?? chat.phone ?? '—'],
  ];
  if (data?.username) facts.push([texts.username, `@${data.username}`]);
  if (data?.about) facts.push([texts.about, <bdi key="about">{data.about}</bdi>]);
  if (data?.is_business) facts.push([texts.business, texts.yes]);
  facts.push([texts.jid, <code key="jid">{chat.jid}</code>]);
  return (
    <>
      <Facts facts={facts} />
      <Unknown isPending={!data && !error} error={error} />
    </>
  );
}

function GroupFacts({ lineId, chat }: PaneProps) {
  const texts = useTexts(contactTexts);
  const { data, error } = useQuery(groupQuery(lineId, chat.jid));
  const facts: [string, ReactNode][] = [[texts.name, <bdi key="name">{data?.subject ?? nameOf(chat)}</bdi>]];
  if (data?.description) facts.push([texts.description, <bdi key="description">{data.description}</bdi>]);
  facts.push([texts.jid, <code key="jid">{chat.jid}</code>]);
  return (
    <>
      <Facts facts={facts} />
      {data ? (
        <>
          <h3 className="mt-5 mb-2 font-semibold">{texts.members(number(data.participants.length))}</h3>
          <ul className="space-y-1 text-sm">
            {data.participants.map((one) => (
              <li key={one.jid} className="flex justify-between gap-2">
                <span className="min-w-0 wrap-anywhere">{one.phone ?? one.jid}</span>
                {one.role === 'member' ? null : <span className="text-muted">{texts.admin}</span>}
              </li>
            ))}
          </ul>
        </>
      ) : null}
      <Unknown isPending={!data && !error} error={error} />
    </>
  );
}

/** Why there is no more to show. */
function Unknown({ isPending, error }: { isPending: boolean; error: Error | null }) {
  const words = useWords();
  const texts = useTexts(contactTexts);
  if (isPending) return <Loading label={words.loading} />;
  if (!error) return null;
  const isAway = error instanceof ApiError && error.code === 'line_not_connected';
  return (
    <div className="mt-4">
      {isAway ? <p className="text-sm text-muted">{texts.away}</p> : <Failure error={error} />}
    </div>
  );
}
