import { contactContent, contextOf, eventContent, locationContent, pollContent } from '../../http/content-schema.ts';
import { json, type Route, type RouteFacts, route } from '../../http/route.ts';
import * as answers from './answers.ts';
import * as schemas from './message-schemas.ts';
import { PROXY, SENT } from './row-parts.ts';
import { bridgeParams, messageParams, waitQuery } from './schemas.ts';

/** What every send has in common. */
const SEND = {
  tag: 'Messaging',
  auth: 'key',
  limit: 'proxy',
  idempotent: true,
  answers: SENT,
} as const satisfies Partial<RouteFacts>;

/** Line, address and patience of a send. */
const sendOf = (bridge: string, chat: string, wait: number) => ({ line: { bridge }, to: chat, waitMs: wait * 1_000 });

/** Sends of structured messages, reading one, and changes to messages. */
export const messageRoutes: Route[] = [
  route({
    method: 'GET',
    path: `${PROXY}/messages/:id`,
    operation: 'bridgeGetMessage',
    summary: 'A message, whole, and how far it came',
    tag: 'Messaging',
    auth: 'key',
    limit: 'proxy',
    params: messageParams,
    answers: { 200: { description: 'The message.', schema: schemas.oneMessage } },
    command: 'messages.get',
    in: ({ params }) => ({ line: { bridge: params.bridge }, messageId: params.id }),
    out: (report) => json(200, answers.oneMessage(report)),
  }),
  route({
    ...SEND,
    method: 'POST',
    path: `${PROXY}/send/reaction`,
    operation: 'bridgeSendReaction',
    summary: 'React to a message; an empty emoji takes the reaction back',
    params: bridgeParams,
    query: waitQuery,
    body: schemas.reactionBody,
    requestExample: { chat: '15550001234', message_id: 'ACE41E...', emoji: '👍' },
    command: 'messages.react',
    in: ({ params, query, body }) => ({
      ...sendOf(params.bridge, body.chat, query.wait),
      messageId: body.message_id,
      emoji: body.emoji,
    }),
    out: answers.sent,
  }),
  route({
    ...SEND,
    method: 'POST',
    path: `${PROXY}/send/poll`,
    operation: 'bridgeSendPoll',
    summary: 'Send a poll; votes arrive as poll_vote events',
    params: bridgeParams,
    query: waitQuery,
    body: schemas.pollBody,
    requestExample: {
      chat: '15550001234',
      question: 'Favorite color?',
      options: ['Red', 'Green', 'Blue'],
      max_answers: 1,
    },
    command: 'messages.send',
    in: ({ params, query, body }) => ({
      ...sendOf(params.bridge, body.chat, query.wait),
      content: pollContent(body, contextOf(body)),
    }),
    out: answers.sent,
  }),
  route({
    ...SEND,
    method: 'POST',
    path: `${PROXY}/send/location`,
    operation: 'bridgeSendLocation',
    summary: 'Send a location pin',
    params: bridgeParams,
    query: waitQuery,
    body: schemas.locationBody,
    requestExample: {
      chat: '15550001234',
      lat: 19.432608,
      lng: -99.133209,
      name: 'Zócalo',
      address: 'Plaza de la Constitución',
    },
    command: 'messages.send',
    in: ({ params, query, body }) => ({
      ...sendOf(params.bridge, body.chat, query.wait),
      content: locationContent(body, contextOf(body)),
    }),
    out: answers.sent,
  }),
  route({
    ...SEND,
    method: 'POST',
    path: `${PROXY}/send/event`,
    operation: 'bridgeSendEvent',
    summary: 'Send an invitation; answers arrive as event_response events',
    params: bridgeParams,
    query: waitQuery,
    body: schemas.eventBody,
    requestExample: { chat: '15550001234', name: 'Team sync', start_time: 1777334400, end_time: 1777338000 },
    command: 'messages.send',
    in: ({ params, query, body }) => ({
      ...sendOf(params.bridge, body.chat, query.wait),
      content: eventContent(body, contextOf(body)),
    }),
    out: answers.sent,
  }),
  route({
    ...SEND,
    method: 'POST',
    path: `${PROXY}/send/contact`,
    operation: 'bridgeSendContact',
    summary: 'Send one or several contact cards',
    params: bridgeParams,
    query: waitQuery,
    body: schemas.contactBody,
    requestExample: { chat: '15550001234', contacts: [{ name: 'Alice', phone: '15550002222' }] },
    command: 'messages.send',
    in: ({ params, query, body }) => ({
      ...sendOf(params.bridge, body.chat, query.wait),
      content: contactContent(body, contextOf(body)),
    }),
    out: answers.sent,
  }),
  route({
    ...SEND,
    method: 'DELETE',
    path: `${PROXY}/messages/:id`,
    operation: 'bridgeRevokeMessage',
    summary: 'Revoke a sent message for everyone',
    description: 'An own message, or another’s in a group where this number is admin.',
    params: messageParams,
    query: schemas.revokeQuery,
    command: 'messages.revoke',
    in: ({ params, query }) => ({
      ...sendOf(params.bridge, query.chat, query.wait),
      messageId: params.id,
      sender: query.sender,
    }),
    out: answers.sent,
  }),
  route({
    ...SEND,
    method: 'PATCH',
    path: `${PROXY}/messages/:id/edit`,
    operation: 'bridgeEditMessage',
    summary: 'Edit a sent text or caption, within 20 minutes',
    params: messageParams,
    query: waitQuery,
    body: schemas.editBody,
    requestExample: { chat: '15550001234@s.whatsapp.net', body: 'corrected text' },
    command: 'messages.edit',
    in: ({ params, query, body }) => ({
      ...sendOf(params.bridge, body.chat, query.wait),
      messageId: params.id,
      body: body.body,
    }),
    out: answers.sent,
  }),
];
