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
import { bridge, PROXY, SENT } from './row-parts.ts';
import { bridgeParams, messageParams, sendContext, waitQuery } from './schemas.ts';

const mediaBody = z.object({
  chat: chatSchema,
  url: urlSchema.optional(),
  ...fileFields,
  ...wishFields,
  ...sendContext,
});
const stickerBody = z.object({ chat: chatSchema, url: urlSchema.optional(), ...fileFields, ...sendContext });
const statusBody = z.object({ url: urlSchema.optional(), ...fileFields, ...statusFields });

const STICKER = { kind: 'sticker' } as const;

const SEND = {
  method: 'POST',
  tag: 'Messaging',
  auth: 'key',
  limit: 'proxy',
  idempotent: true,
  takesFile: true,
  params: bridgeParams,
  query: waitQuery,
  answers: SENT,
} as const satisfies Partial<RouteFacts>;

const HOW =
  'The file comes from url (public addresses), as base64 in data, or as multipart/form-data with the field file. It is streamed, never held in memory.';

/** Files in both directions. */
export const mediaRoutes: Route[] = [
  route({
    ...SEND,
    path: `${PROXY}/send/media`,
    operation: 'bridgeSendMedia',
    summary: 'Send an image, video, audio file or document',
    description: `What it is sent as follows from its type, or is said in kind. ${HOW}`,
    body: mediaBody,
    requestExample: { chat: '15550001234', url: 'https://example.com/photo.jpg', caption: 'check this out' },
    command: 'messages.sendFile',
    in: ({ params, query, body }) => ({
      ...bridge({ params }),
      to: body.chat,
      waitMs: query.wait * 1_000,
      source: sourceOf(body),
      wish: wishOf(body),
      context: contextOf(body),
    }),
    out: answers.sent,
  }),
  route({
    ...SEND,
    path: `${PROXY}/send/sticker`,
    operation: 'bridgeSendSticker',
    summary: 'Send a sticker: WebP, or a PNG or JPEG that is made one',
    description: HOW,
    body: stickerBody,
    requestExample: { chat: '15550001234', url: 'https://example.com/wave.webp' },
    command: 'messages.sendFile',
    in: ({ params, query, body }) => ({
      ...bridge({ params }),
      to: body.chat,
      waitMs: query.wait * 1_000,
      source: sourceOf(body),
      wish: STICKER,
      context: contextOf(body),
    }),
    out: answers.sent,
  }),
  route({
    ...SEND,
    path: `${PROXY}/send/status`,
    operation: 'bridgeSendStatus',
    summary: 'Publish a status: a text, a picture or a video',
    description: `Those see it whom the privacy settings of the phone name. ${HOW}`,
    body: statusBody,
    requestExample: { body: 'Open until nine today' },
    command: 'messages.sendStatus',
    in: ({ params, query, body }) => ({
      ...bridge({ params }),
      waitMs: query.wait * 1_000,
      content: statusContentOf(body),
    }),
    out: answers.sent,
  }),
  route({
    method: 'GET',
    path: `${PROXY}/messages/:id/media`,
    operation: 'bridgeGetMedia',
    contentExpires: true,
    summary: 'Download the file of a message',
    description:
      'Cached for three hours (MEDIA_CACHE_HOURS), later fetched again from WhatsApp while it has it. Takes Range.',
    tag: 'Messaging',
    auth: 'key',
    limit: 'proxy',
    params: messageParams,
    answers: {
      200: { description: 'The file, under the type its message says.', contentTypes: ['*/*'] },
      206: { description: 'The range of it that was asked for.', contentTypes: ['*/*'] },
    },
    command: 'messages.media',
    in: ({ params }) => ({ ...bridge({ params }), messageId: params.id }),
    out: ({ file, mimeType, fileName }) => ({ status: 200, file: { file, contentType: mimeType, fileName } }),
  }),
];
