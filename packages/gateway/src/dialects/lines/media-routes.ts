import { z } from 'zod';
import { chatSchema } from '../../http/address-schema.ts';
import { contextOf } from '../../http/content-schema.ts';
import {
  fileFields,
  sourceOf,
  statusContentOf,
  statusFields,
  urlSchema,
  wishFields,
  wishOf,
} from '../../http/media-schema.ts';
import { type Route, type RouteFacts, route } from '../../http/route.ts';
import * as answers from './answers.ts';
import { lineQuery, messageParams } from './history-schemas.ts';
import { SENT } from './row-parts.ts';
import { lineId, queueing, queueingOf, sendBody, sendContext, waitQuery } from './schemas.ts';

const MEDIA_TYPES = ['image', 'video', 'audio', 'document'] as const;

const sendFields = { line_id: lineId, ...queueing };
const chatFields = { to: chatSchema, ...sendContext, archive_policy: sendBody.shape.archive_policy };
const { kind: _, ...wishes } = wishFields;

const mediaBody = z.object({
  ...sendFields,
  ...chatFields,
  media_url: urlSchema.optional(),
  media_type: z
    .enum(MEDIA_TYPES, `Use one of ${MEDIA_TYPES.join(', ')}.`)
    .default('image')
    .meta({ description: 'What it is sent as; a file that is something else is refused (media_rejected).' }),
  ...fileFields,
  ...wishes,
});
const stickerBody = z.object({ ...sendFields, ...chatFields, media_url: urlSchema.optional(), ...fileFields });
const statusBody = z.object({ ...sendFields, media_url: urlSchema.optional(), ...fileFields, ...statusFields });

const STICKER = { kind: 'sticker' } as const;

const SEND = {
  method: 'POST',
  tag: 'Messages',
  auth: 'key',
  limit: 'api',
  idempotent: true,
  takesFile: true,
  query: waitQuery,
  answers: SENT,
} as const satisfies Partial<RouteFacts>;

const HOW =
  'The file comes from media_url (public addresses), as base64 in data, or as multipart/form-data with the field file. It is streamed, never held in memory.';

const fileOf = ({ media_url: url, data, file }: Pick<z.output<typeof mediaBody>, 'media_url' | 'data' | 'file'>) =>
  sourceOf({ url, data, file }, 'media_url');

/** Files in both directions. */
export const mediaRoutes: Route[] = [
  route({
    ...SEND,
    path: '/v1/messages/send-media',
    operation: 'sendMedia',
    summary: 'Send an image, video, audio file or document',
    description: HOW,
    body: mediaBody,
    requestExample: {
      line_id: 'line_xxx',
      to: '+34600000000',
      media_url: 'https://tu-cdn.com/foto.jpg',
      media_type: 'image',
      caption: 'Hello',
    },
    command: 'messages.sendFile',
    in: ({ query, body }) => ({
      line: { id: body.line_id },
      to: body.to,
      ...queueingOf(query, body),
      source: fileOf(body),
      // An audio file that is to be a voice message is asked for as audio.
      wish: { ...wishOf(body), kind: body.voice && body.media_type === 'image' ? 'audio' : body.media_type },
      context: contextOf(body),
    }),
    out: answers.sent,
  }),
  route({
    ...SEND,
    path: '/v1/messages/sticker',
    operation: 'sendSticker',
    summary: 'Send a sticker: WebP, or a PNG or JPEG that is made one',
    description: HOW,
    body: stickerBody,
    requestExample: { line_id: 'line_xxx', to: '+34600000000', media_url: 'https://tu-cdn.com/hola.webp' },
    command: 'messages.sendFile',
    in: ({ query, body }) => ({
      line: { id: body.line_id },
      to: body.to,
      ...queueingOf(query, body),
      source: fileOf(body),
      wish: STICKER,
      context: contextOf(body),
    }),
    out: answers.sent,
  }),
  route({
    ...SEND,
    path: '/v1/messages/status',
    operation: 'sendStatus',
    summary: 'Publish a status: a text, a picture or a video',
    description: `Those see it whom the privacy settings of the phone name. ${HOW}`,
    body: statusBody,
    requestExample: { line_id: 'line_xxx', body: 'Hoy abrimos hasta las nueve' },
    command: 'messages.sendStatus',
    in: ({ query, body }) => ({
      line: { id: body.line_id },
      ...queueingOf(query, body),
      content: statusContentOf({ ...body, url: body.media_url }, 'media_url'),
    }),
    out: answers.sent,
  }),
  route({
    method: 'GET',
    path: '/v1/messages/:id/media',
    operation: 'getMedia',
    contentExpires: true,
    summary: 'Download the file of a message',
    description:
      'Cached for three hours (MEDIA_CACHE_HOURS), later fetched again from WhatsApp while it has it. Takes Range.',
    tag: 'Messages',
    auth: 'key',
    limit: 'api',
    params: messageParams,
    query: lineQuery,
    answers: {
      200: { description: 'The file, under the type its message says.', contentTypes: ['*/*'] },
      206: { description: 'The range of it that was asked for.', contentTypes: ['*/*'] },
    },
    command: 'messages.media',
    in: ({ params, query }) => ({ line: { id: query.line_id }, messageId: params.id }),
    out: ({ file, mimeType, fileName }) => ({ status: 200, file: { file, contentType: mimeType, fileName } }),
  }),
];
