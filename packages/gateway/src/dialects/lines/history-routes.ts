import { SERVER_PN } from '@ponte/engine';
import { json, type Route, route } from '../../http/route.ts';
import * as answers from './answers.ts';
import * as schemas from './history-schemas.ts';

/** The schema lets exactly one of the two through. */
const chatOf = ({ jid, phone }: { jid?: string; phone?: string }): string => jid ?? `${phone}@${SERVER_PN}`;

/** Reading what was written, and what waits to be sent. */
export const historyRoutes: Route[] = [
  route({
    method: 'GET',
    path: '/v1/chats',
    operation: 'listChats',
    summary: 'List chats',
    description:
      'The chat with the newest message first. Chats that get a message while you page go to the front; no other is left out or repeated.',
    tag: 'Chats',
    auth: 'key',
    limit: 'api',
    query: schemas.chatsQuery,
    answers: { 200: { description: 'One page of chats.', schema: schemas.chats } },
    command: 'chats.all',
    in: ({ query }) => ({
      line: { id: query.line_id },
      archived: query.archived,
      after: query.cursor,
      limit: query.limit,
    }),
    out: (page) => json(200, answers.chats(page)),
  }),
  route({
    method: 'POST',
    path: '/v1/chats/archive',
    operation: 'archiveChat',
    summary: 'Archive a chat, or take it out of the archive',
    description: 'On the phone too, not only here.',
    tag: 'Chats',
    auth: 'key',
    limit: 'api',
    body: schemas.archiveBody,
    requestExample: { line_id: 'line_xxx', phone: '+34600000000', archive: true },
    answers: { 200: { description: 'Where it is now.', schema: schemas.archived } },
    command: 'chats.archive',
    in: ({ body }) => ({ line: { id: body.line_id }, chat: chatOf(body), archived: body.archive }),
    out: ({ archived }, { body }) => json(200, { ok: true, line_id: body.line_id, jid: chatOf(body), archived }),
  }),
  route({
    method: 'POST',
    path: '/v1/chats/history',
    operation: 'askOlderMessages',
    summary: 'Ask the phone for older messages of a chat',
    description:
      'They come by themselves while the phone is online, usually within seconds, and are then listed by GET /v1/messages. No webhooks: it is history.',
    tag: 'Chats',
    auth: 'key',
    limit: 'api',
    body: schemas.olderBody,
    requestExample: { line_id: 'line_xxx', phone: '+34600000000', count: 100 },
    answers: {
      200: {
        description: 'The phone is asked for messages before this time.',
        schema: schemas.olderAsked,
        example: {
          ok: true,
          line_id: 'line_xxx',
          jid: '34600000000@s.whatsapp.net',
          status: 'requested',
          before: 1777180605,
        },
      },
    },
    command: 'chats.askOlder',
    in: ({ body }) => ({ line: { id: body.line_id }, chat: chatOf(body), count: body.count }),
    out: ({ chat, before }, { body }) =>
      json(200, { ok: true, line_id: body.line_id, jid: chat, status: 'requested', before }),
  }),
  route({
    method: 'GET',
    path: '/v1/messages',
    operation: 'listMessages',
    summary: 'Read messages, or search them',
    description:
      'Newest first: the messages of a chat (phone or jid), or of all chats with q. A chat without messages has none. An account whose contents are encrypted has no search: q answers `search_off`.',
    tag: 'Messages',
    auth: 'key',
    limit: 'api',
    query: schemas.messagesQuery,
    answers: { 200: { description: 'One page of messages.', schema: schemas.messages } },
    command: 'messages.all',
    in: ({ query }) => ({
      line: { id: query.line_id },
      chat: query.jid ?? (query.phone === undefined ? undefined : `${query.phone}@${SERVER_PN}`),
      query: query.q,
      before: query.before,
      limit: query.limit,
    }),
    out: (page, { query }) => json(200, answers.messages(query.line_id, page)),
  }),
  route({
    method: 'GET',
    path: '/v1/messages/reply',
    operation: 'waitForReply',
    summary: 'Wait for a reply',
    description:
      'What the other side wrote after a message, oldest first: at once when there is something, else as soon as there is, and nothing when the wait is over. At most 20 calls of a key wait at once.',
    tag: 'Messages',
    auth: 'key',
    limit: 'api',
    query: schemas.replyQuery,
    answers: { 200: { description: 'The reply, or none yet.', schema: schemas.replies } },
    command: 'messages.reply',
    in: ({ query }) => ({
      line: { id: query.line_id },
      chat: chatOf(query),
      afterId: query.after,
      waitMs: query.wait * 1_000,
    }),
    out: ({ messages, publicUrl }, { query }) =>
      json(200, {
        ok: true,
        line_id: query.line_id,
        messages: messages.map((message) => answers.listedMessage(message, query.line_id, publicUrl)),
        timed_out: messages.length === 0,
      }),
  }),
  route({
    method: 'GET',
    path: '/v1/messages/:id',
    operation: 'getMessage',
    summary: 'A message and how far it came',
    description:
      'The timeline says what really happened: accepted and queued here, sent, acknowledged by WhatsApp (server_ack), delivered, read, played; or failed, with code and reason.',
    tag: 'Messages',
    auth: 'key',
    limit: 'api',
    params: schemas.messageParams,
    query: schemas.lineQuery,
    answers: { 200: { description: 'The message.', schema: schemas.oneMessage } },
    command: 'messages.get',
    in: ({ params, query }) => ({ line: { id: query.line_id }, messageId: params.id }),
    out: (report, { query }) => json(200, answers.oneMessage(query.line_id, report)),
  }),
  route({
    method: 'GET',
    path: '/v1/lines/:line_id/queue',
    operation: 'lineQueue',
    summary: 'What waits to be sent',
    description: 'In the order in which it leaves: what is due, by priority and age, then what is scheduled.',
    tag: 'Lines',
    auth: 'key',
    limit: 'api',
    params: schemas.lineParams,
    query: schemas.queueQuery,
    answers: { 200: { description: 'The queue as it stands.', schema: schemas.queue } },
    command: 'lines.queue',
    in: ({ params, query }) => ({ line: { id: params.line_id }, limit: query.limit }),
    out: (queue, { params }) => json(200, answers.queue(params.line_id, queue)),
  }),
  route({
    method: 'DELETE',
    path: '/v1/lines/:line_id/queue/:message_id',
    operation: 'cancelMessage',
    summary: 'Cancel a message that has not left',
    description:
      'It will not be sent and does not count; a call that waits for it gets message_cancelled. Once it is on its way: message_left.',
    tag: 'Lines',
    auth: 'key',
    limit: 'api',
    params: schemas.queueItemParams,
    answers: { 200: { description: 'It will not be sent.', schema: schemas.cancelled } },
    command: 'messages.cancel',
    in: ({ params }) => ({ line: { id: params.line_id }, messageId: params.message_id }),
    out: ({ messageId }, { params }) =>
      json(200, { ok: true, line_id: params.line_id, message_id: messageId, status: 'cancelled' }),
  }),
];
