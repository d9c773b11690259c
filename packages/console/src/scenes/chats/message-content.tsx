import { dateTime } from '../../parts/time.ts';
import type { ListedMessage, MessageContent } from '../../shapes.ts';
import { contentTexts } from '../../words/message-content.ts';
import { useTexts } from '../../words/texts.ts';

const DAY_S = 86_400;

/** What the kind of a message adds to its text: places, cards, polls, invitations, links. */
export function MessageDetails({ message }: { message: ListedMessage }) {
  const { content } = message;
  if (!content) return null;
  if (content.location) return <Place {...content.location} />;
  if (content.contacts) return <Cards cards={content.contacts} />;
  if (content.poll) return <Poll {...content.poll} />;
  if (content.event) return <Invitation {...content.event} />;
  if (content.link_preview) return <LinkCard {...content.link_preview} />;
  return null;
}

/** How a message travelled and what became of it. */
export function MessageMarks({ message }: { message: ListedMessage }) {
  const texts = useTexts(contentTexts);
  const { expires_in_seconds: seconds } = message;
  const days = seconds === null ? 0 : Math.round(seconds / DAY_S);
  const marks = [
    message.forwarded && texts.forwarded,
    message.view_once && texts.viewOnce,
    message.edited && !message.revoked && texts.edited,
    message.content?.sticker?.animated && texts.animated,
    seconds !== null && (days < 1 ? texts.disappearsSoon : texts.disappears(days)),
  ].filter((mark) => typeof mark === 'string');
  return marks.map((mark) => <span key={mark}>{mark}</span>);
}

/** Only what leads to a web page is a link: senders write what they like. */
function Outside({ href, children }: { href: string; children: string }) {
  if (!/^https:\/\//i.test(href)) return <span className="break-all">{children}</span>;
  return (
    <a href={href} target="_blank" rel="noreferrer noopener" className="break-all text-accent underline">
      {children}
    </a>
  );
}

function Place({ lat, lng, name, address, live }: NonNullable<MessageContent['location']>) {
  const texts = useTexts(contentTexts);
  const at = `${lat}, ${lng}`;
  return (
    <div className="text-sm">
      {live ? <p className="font-semibold">{texts.live}</p> : null}
      {name ? <p className="font-semibold">{name}</p> : null}
      {address ? <p>{address}</p> : null}
      <p className="text-muted">{at}</p>
      <Outside href={`https://www.openstreetmap.org/?mlat=${lat}&mlon=${lng}#map=16/${lat}/${lng}`}>
        {texts.map}
      </Outside>
    </div>
  );
}

function Cards({ cards }: { cards: NonNullable<MessageContent['contacts']> }) {
  return (
    <ul className="text-sm">
      {cards.map(({ name, phones, vcard }) => (
        <li key={vcard}>
          <span className="font-semibold">{name}</span>
          {phones.map((phone) => (
            <span key={phone} className="block text-muted">
              {phone}
            </span>
          ))}
        </li>
      ))}
    </ul>
  );
}

function Poll({ options, max_answers: most }: NonNullable<MessageContent['poll']>) {
  const texts = useTexts(contentTexts);
  return (
    <div className="text-sm">
      <ul className="list-disc pl-5">
        {options.map((option) => (
          <li key={option} className="break-words">
            {option}
          </li>
        ))}
      </ul>
      <p className="text-muted">{most === 0 ? texts.anyNumber : texts.answers(most)}</p>
    </div>
  );
}

const time = (unixSeconds: number): string => dateTime(new Date(unixSeconds * 1_000).toISOString());

function Invitation(event: NonNullable<MessageContent['event']>) {
  const texts = useTexts(contentTexts);
  const { start_time: start, end_time: end, location, address, description, join_link: link, canceled } = event;
  return (
    <div className="text-sm">
      {canceled ? <p className="font-semibold text-danger">{texts.canceled}</p> : null}
      <p>{end === null ? time(start) : `${time(start)} – ${time(end)}`}</p>
      {location ? <p className="font-semibold">{location}</p> : null}
      {address ? <p>{address}</p> : null}
      {description ? <p className="break-words whitespace-pre-wrap">{description}</p> : null}
      {link ? <Outside href={link}>{texts.join}</Outside> : null}
    </div>
  );
}

function LinkCard({ url, title, description }: NonNullable<MessageContent['link_preview']>) {
  return (
    <div className="my-1 border-l-2 border-accent pl-2 text-sm">
      {title ? <p className="font-semibold break-words">{title}</p> : null}
      {description ? <p className="break-words text-muted">{description}</p> : null}
      <Outside href={url}>{url}</Outside>
    </div>
  );
}
