import { CalendarDays, FileText, Image, MapPin, Mic, Pencil, Reply, Sticker, Trash2, User, Video } from 'lucide-react';
import type { ReactNode } from 'react';
import { clockTime } from '../../parts/time.ts';
import type { InboxItem } from '../../shapes.ts';
import { phonesTexts } from '../../words/phones.ts';
import { useTexts } from '../../words/texts.ts';
import { locale, useWords } from '../../words/words.ts';

const EMOJI = ['👍', '❤️', '😂'];
const TICKS: Record<string, string> = { pending: '🕓', sent: '✓', delivered: '✓✓', read: '✓✓', played: '✓✓' };
const SIGNS = { image: Image, video: Video, voice: Mic, audio: Mic, document: FileText, sticker: Sticker } as const;

/** What files are called in a bubble; one that has a name of its own goes by that. */
const NAMES: Record<string, 'image' | 'video' | 'voice' | 'sticker'> = {
  image: 'image',
  video: 'video',
  voice: 'voice',
  audio: 'voice',
  sticker: 'sticker',
};

/** True when an address is the phone's own. */
export type IsOwn = (from: string) => boolean;

/** What a phone can do with a message; undefined for viewers. */
export interface BubbleActions {
  react(item: InboxItem, emoji: string): void;
  reply(item: InboxItem): void;
  edit(item: InboxItem): void;
  revoke(item: InboxItem): void;
  vote(item: InboxItem, option: string): void;
  answer(item: InboxItem, response: string): void;
}

/** One message on the screen of a virtual phone: what it decrypted, and what it can do with it. */
export function PhoneBubble({ item, isOwn, actions }: { item: InboxItem; isOwn: IsOwn; actions?: BubbleActions }) {
  const words = useWords();
  const texts = useTexts(phonesTexts);
  return (
    <li
      className={`group relative w-fit max-w-[85%] rounded-xl px-3 py-1.5 shadow-xs ${
        item.from_me ? 'self-end bg-bubble' : 'self-start bg-incoming'
      }`}
    >
      <span className="sr-only">{item.from_me ? words.phones.fromPhone : words.phones.fromLine}: </span>
      {item.revoked ? (
        <span className="text-muted italic">{texts.revoked}</span>
      ) : (
        <Content {...{ item, isOwn, actions }} />
      )}
      <span className="flex flex-wrap items-center justify-end gap-x-2 text-xs text-muted">
        {actions && !item.revoked ? <Actions item={item} actions={actions} /> : null}
        {item.copies > 1 ? <span className="text-warn">{texts.twice(item.copies)}</span> : null}
        {item.edited ? texts.edited : null}
        {item.error_code ? <span className="text-danger">{texts.refused(item.error_code)}</span> : null}
        <span className="whitespace-nowrap">
          {clockTime(item.timestamp)}
          {item.from_me ? (
            <>
              {' '}
              <span aria-hidden className={item.status === 'read' || item.status === 'played' ? 'text-second' : ''}>
                {TICKS[item.status] ?? ''}
              </span>
              <span className="sr-only">{item.status}</span>
            </>
          ) : null}
        </span>
      </span>
      {item.reactions.length > 0 ? (
        <span className="absolute right-2 -bottom-3 rounded-full border border-edge bg-panel px-1.5 text-sm">
          {[...new Set(item.reactions.map(({ emoji }) => emoji))].join(' ')}
        </span>
      ) : null}
    </li>
  );
}

function Content({ item, isOwn, actions }: { item: InboxItem; isOwn: IsOwn; actions?: BubbleActions }) {
  const texts = useTexts(phonesTexts);
  switch (item.type) {
    case 'poll':
      return <Poll item={item} isOwn={isOwn} onVote={actions && ((option) => actions.vote(item, option))} />;
    case 'event':
      return (
        <Invitation item={item} isOwn={isOwn} onAnswer={actions && ((response) => actions.answer(item, response))} />
      );
    case 'location':
      return (
        <Signed sign={<MapPin aria-hidden className="size-5 text-accent" />}>
          {item.name ?? `${item.lat}, ${item.lng}`}
        </Signed>
      );
    case 'contact':
      return (
        <Signed sign={<User aria-hidden className="size-5 text-accent" />}>{item.body ?? item.name ?? '…'}</Signed>
      );
    case 'undecryptable':
      return <span className="text-muted italic">{texts.undecryptable}</span>;
  }
  const Sign = SIGNS[item.type as keyof typeof SIGNS];
  return (
    <>
      {Sign ? (
        <Signed sign={<Sign aria-hidden className="size-5 text-accent" />}>
          {item.filename ?? texts.attachments[NAMES[item.type] ?? 'document']}
        </Signed>
      ) : null}
      {item.body || !Sign ? (
        <span className="break-words whitespace-pre-wrap">{item.body ?? `[${item.type}]`}</span>
      ) : null}
    </>
  );
}

const Signed = ({ sign, children }: { sign: ReactNode; children: ReactNode }) => (
  <span className="flex items-center gap-2 py-1 break-all">
    <span className="inline-flex size-9 shrink-0 items-center justify-center rounded-lg bg-inset">{sign}</span>
    {children}
  </span>
);

function Poll({ item, isOwn, onVote }: { item: InboxItem; isOwn: IsOwn; onVote?: (option: string) => void }) {
  const texts = useTexts(phonesTexts);
  const votes = item.votes ?? [];
  const most = Math.max(1, votes.length);
  return (
    <div className="min-w-52 py-1">
      <p className="font-semibold">{item.body}</p>
      <ul className="mt-1.5 space-y-1.5">
        {item.options?.map((option) => {
          const count = votes.filter(({ options }) => options.includes(option)).length;
          const isMine = votes.some(({ from, options }) => isOwn(from) && options.includes(option));
          return (
            <li key={option}>
              <button
                type="button"
                disabled={!onVote}
                aria-label={texts.vote(option)}
                aria-pressed={isMine}
                onClick={() => onVote?.(option)}
                className="w-full rounded-lg border border-field px-2.5 py-1 text-left hover:bg-inset aria-pressed:border-accent aria-pressed:font-semibold"
              >
                <span className="flex justify-between gap-3">
                  {option} <span className="tabular-nums">{count}</span>
                </span>
                <svg aria-hidden viewBox="0 0 100 2" preserveAspectRatio="none" className="h-1 w-full rounded bg-inset">
                  <rect width={(count / most) * 100} height="2" className="fill-accent" />
                </svg>
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

function Invitation({
  item,
  isOwn,
  onAnswer,
}: {
  item: InboxItem;
  isOwn: IsOwn;
  onAnswer?: (response: string) => void;
}) {
  const texts = useTexts(phonesTexts);
  const mine = item.responses?.findLast(({ from }) => isOwn(from))?.response;
  const when = new Intl.DateTimeFormat(locale.get(), { dateStyle: 'medium', timeStyle: 'short' });
  return (
    <div className="min-w-52 py-1">
      <p className="flex items-center gap-2 font-semibold">
        <CalendarDays aria-hidden className="size-5 text-accent" />
        {item.name ?? item.body}
      </p>
      <p className="text-sm text-muted">
        {item.start_time ? when.format(new Date(item.start_time * 1_000)) : null}
        {item.location ? ` · ${item.location}` : ''}
        {item.canceled ? ` · ${texts.canceled}` : ''}
      </p>
      <div className="mt-2 flex flex-wrap gap-1.5">
        {(['going', 'maybe', 'not_going'] as const).map((response) => (
          <button
            key={response}
            type="button"
            disabled={!onAnswer || item.from_me}
            aria-pressed={mine === response}
            onClick={() => onAnswer?.(response)}
            className="rounded-full border border-field px-2.5 py-0.5 text-sm hover:bg-inset disabled:hidden aria-pressed:border-accent aria-pressed:bg-soft aria-pressed:font-semibold"
          >
            {texts.rsvp[response]}
          </button>
        ))}
      </div>
    </div>
  );
}

function Actions({ item, actions }: { item: InboxItem; actions: BubbleActions }) {
  const texts = useTexts(phonesTexts);
  const shown = 'inline-flex size-7 items-center justify-center rounded-full text-base text-text hover:bg-inset';
  return (
    <span
      className={`absolute -top-4 flex rounded-full border border-edge bg-panel px-1 opacity-0 shadow-md transition-opacity group-hover:opacity-100 focus-within:opacity-100 ${
        item.from_me ? 'right-2' : 'left-2'
      }`}
    >
      {EMOJI.map((emoji) => (
        <button
          key={emoji}
          type="button"
          className={shown}
          aria-label={texts.react(emoji)}
          onClick={() => actions.react(item, emoji)}
        >
          <span aria-hidden>{emoji}</span>
        </button>
      ))}
      <button type="button" className={shown} aria-label={texts.reply} onClick={() => actions.reply(item)}>
        <Reply aria-hidden className="size-4" />
      </button>
      {item.from_me && item.type === 'text' ? (
        <button type="button" className={shown} aria-label={texts.edit} onClick={() => actions.edit(item)}>
          <Pencil aria-hidden className="size-4" />
        </button>
      ) : null}
      {item.from_me ? (
        <button type="button" className={shown} aria-label={texts.revoke} onClick={() => actions.revoke(item)}>
          <Trash2 aria-hidden className="size-4" />
        </button>
      ) : null}
    </span>
  );
}
