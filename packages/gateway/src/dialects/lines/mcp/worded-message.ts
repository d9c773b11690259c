import type { ContentAnswer } from '../../../http/message-content.ts';

/** A listed message, as far as its words need it. */
interface Said {
  type: string;
  body: string;
  content: ContentAnswer | null;
  forwarded: boolean;
  view_once: boolean;
  edited: boolean;
  revoked: boolean;
  media: { filename: string | null } | null;
}

/** What a message says, in a line of text: marks in angle brackets, then its words. */
export function wordedMessage(message: Said): string {
  const { type, body } = message;
  if (message.revoked) return `<deleted ${type}>`;
  const marks = [
    ...(type === 'text' ? [] : [type]),
    ...(message.content?.location?.live ? ['live'] : []),
    ...(message.content?.sticker?.animated ? ['animated'] : []),
    ...(message.forwarded ? ['forwarded'] : []),
    ...(message.view_once ? ['view once'] : []),
    ...(message.edited ? ['edited'] : []),
  ];
  const details = detailsOf(message);
  return [...(marks.length > 0 ? [`<${marks.join(', ')}>`] : []), body, ...(details === '' ? [] : [`(${details})`])]
    .filter((part) => part !== '')
    .join(' ');
}

const listed = (parts: (string | null | undefined | false)[]): string => parts.filter((part) => part).join('; ');
const at = (seconds: number): string => new Date(seconds * 1_000).toISOString();

function detailsOf({ content, media }: Said): string {
  if (!content) return media?.filename ?? '';
  const { location, contacts, poll, event, link_preview: link, voice, audio } = content;
  if (location) return listed([`${location.lat}, ${location.lng}`, location.address]);
  if (contacts) return listed(contacts.map(({ name, phones }) => [name, ...phones].join(' ')));
  if (poll) return listed([`options: ${poll.options.join(' | ')}`, `max_answers: ${poll.max_answers}`]);
  if (event) {
    return listed([
      `from ${at(event.start_time)}`,
      event.end_time !== null && `to ${at(event.end_time)}`,
      event.location,
      event.address,
      event.description,
      event.join_link,
      event.canceled && 'canceled',
    ]);
  }
  if (link) return listed([link.title, link.description]);
  const seconds = (voice ?? audio)?.duration_seconds;
  return seconds ? `${seconds} s` : (media?.filename ?? '');
}
