import { type MessageContent, vcardPhones } from '@ponte/engine';
import { z } from 'zod';

const nullable = <T extends z.ZodType>(schema: T, description: string) => schema.nullable().meta({ description });
const seconds = nullable(z.int(), 'Length in seconds.');
const pixels = nullable(z.int(), 'Pixels.');

/**
 * What a message of each kind says beyond type, body and media: one member, named after the kind.
 * The same in every answer, event and dialect.
 */
export const messageContent = z
  .object({
    link_preview: z
      .object({ url: z.string(), title: z.string().nullable(), description: z.string().nullable() })
      .meta({ description: 'Texts with the card of a link, as the sender’s client made it.' }),
    image: z.object({ width: pixels, height: pixels }).meta({ description: 'Pictures.' }),
    video: z
      .object({
        width: pixels,
        height: pixels,
        duration_seconds: seconds,
        gif: z.boolean().meta({ description: 'Plays without sound, again and again.' }),
        note: z.boolean().meta({ description: 'A round video note.' }),
      })
      .meta({ description: 'Films.' }),
    audio: z.object({ duration_seconds: seconds }).meta({ description: 'Sound files.' }),
    voice: z.object({ duration_seconds: seconds }).meta({ description: 'Voice messages.' }),
    document: z
      .object({ filename: z.string().nullable(), pages: nullable(z.int(), 'How many pages, if its sender said.') })
      .meta({ description: 'Documents.' }),
    sticker: z
      .object({ animated: z.boolean().meta({ description: 'It moves.' }), width: pixels, height: pixels })
      .meta({ description: 'Stickers.' }),
    location: z
      .object({
        lat: z.number(),
        lng: z.number(),
        name: z.string().nullable(),
        address: z.string().nullable(),
        live: z.boolean().meta({ description: 'A phone that shares where it is; this is where it was then.' }),
      })
      .meta({ description: 'Places.' }),
    contacts: z
      .object({
        name: z.string(),
        phones: z.string().array().meta({ description: 'International where the card says the country.' }),
        vcard: z.string().meta({ description: 'The card itself (RFC 6350).' }),
      })
      .array()
      .meta({ description: 'Contact cards.' }),
    poll: z
      .object({
        question: z.string(),
        options: z.string().array(),
        max_answers: z.int().meta({ description: '0 = any number.' }),
      })
      .meta({ description: 'Polls.' }),
    event: z
      .object({
        name: z.string(),
        start_time: z.int().meta({ description: 'When it begins, in Unix seconds.' }),
        end_time: nullable(z.int(), 'When it ends, in Unix seconds.'),
        description: z.string().nullable(),
        location: nullable(z.string(), 'What the place is called.'),
        address: z.string().nullable(),
        lat: z.number().nullable(),
        lng: z.number().nullable(),
        join_link: nullable(z.string(), 'Where its WhatsApp call is joined.'),
        canceled: z.boolean().meta({ description: 'Its author called it off.' }),
      })
      .meta({ description: 'Invitations to an event.' }),
  })
  .partial()
  .meta({ id: 'MessageContent', description: 'What the kind of the message adds; one member, named after the kind.' });

export type ContentAnswer = z.infer<typeof messageContent>;

/** The content of a message in the words of the API; null when its kind adds nothing. */
export function contentAnswer(content: MessageContent): ContentAnswer | null {
  return structured(content) ?? ofFile(content) ?? linkPreview(content);
}

/** The same for kinds that are neither text nor file. */
export function structuredContent(content: MessageContent): ContentAnswer | null {
  return structured(content) ?? null;
}

function structured({ body, location, contacts, poll, event }: MessageContent): ContentAnswer | undefined {
  if (location) {
    const { latitude: lat, longitude: lng, name = null, address = null, isLive = false } = location;
    return { location: { lat, lng, name, address, live: isLive } };
  }
  if (contacts) {
    return { contacts: contacts.map(({ name, vcard }) => ({ name, phones: vcardPhones(vcard), vcard })) };
  }
  if (poll) return { poll: { question: body, options: poll.options, max_answers: poll.maxAnswers } };
  if (!event) return undefined;
  return {
    event: {
      name: body,
      start_time: event.startAt,
      end_time: event.endAt ?? null,
      description: event.description ?? null,
      location: event.location ?? null,
      address: event.place?.address ?? null,
      lat: event.place?.latitude ?? null,
      lng: event.place?.longitude ?? null,
      join_link: event.joinLink ?? null,
      canceled: event.isCanceled ?? false,
    },
  };
}

function ofFile({ kind, media }: MessageContent): ContentAnswer | undefined {
  if (!media) return undefined;
  const { width = null, height = null, durationSeconds: duration_seconds = null } = media;
  const { isGif: gif = false, isNote: note = false, isAnimated: animated = false } = media;
  switch (kind) {
    case 'image':
      return { image: { width, height } };
    case 'video':
      return { video: { width, height, duration_seconds, gif, note } };
    case 'audio':
      return { audio: { duration_seconds } };
    case 'voice':
      return { voice: { duration_seconds } };
    case 'document':
      return { document: { filename: media.fileName ?? null, pages: media.pages ?? null } };
    case 'sticker':
      return { sticker: { animated, width, height } };
    default:
      return undefined;
  }
}

function linkPreview({ linkPreview: card }: MessageContent): ContentAnswer | null {
  if (!card) return null;
  return { link_preview: { url: card.url, title: card.title ?? null, description: card.description ?? null } };
}
