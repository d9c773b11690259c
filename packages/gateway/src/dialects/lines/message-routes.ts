import type { OutboundMessage } from '@ponte/engine';
import { contactContent, contextOf, eventContent, locationContent, pollContent } from '../../http/content-schema.ts';
import { type Route, type RouteFacts, route } from '../../http/route.ts';
import * as answers from './answers.ts';
import * as schemas from './message-schemas.ts';
import { SENT } from './row-parts.ts';
import { type Queueing, queueingOf, replyBody, waitQuery } from './schemas.ts';

/** What every send has in common. */
const SEND = {
  method: 'POST',
  tag: 'Messages',
  auth: 'key',
  limit: 'api',
  idempotent: true,
  query: waitQuery,
  answers: SENT,
} as const satisfies Partial<RouteFacts>;

interface SendParts {
  query: { wait: number };
  body: { line_id: string } & Queueing;
}

const sendOf = ({ query, body }: SendParts, to: string) => ({
  line: { id: body.line_id },
  to,
  ...queueingOf(query, body),
});

/** A message of its own. */
const messageOf = (parts: SendParts, to: string, content: OutboundMessage) => ({ ...sendOf(parts, to), content });

/** Sends of structured messages, and changes to messages. */
export const messageRoutes: Route[] = [
  route({
    ...SEND,
    path: '/v1/messages/reply',
    operation: 'replyToMessage',
    summary: 'Respond by quoting',
    description: 'Leaves before what else waits on the line (priority high), unless you say otherwise.',
    body: replyBody,
    requestExample: {
      line_id: 'line_xxx',
      to: '+34600000000',
      message: 'Pedido confirmado',
      quoted_message_id: '3EB0A1B2C3D4E5F6071829',
    },
    command: 'messages.send',
    in: ({ query, body }) =>
      // A person waits for this answer: it goes before unsolicited messages.
      messageOf({ query, body: { ...body, priority: body.priority ?? 'high' } }, body.to, {
        kind: 'text',
        body: body.message,
        context: contextOf(body),
      }),
    out: answers.sent,
  }),
  route({
    ...SEND,
    path: '/v1/messages/react',
    operation: 'reactToMessage',
    summary: 'React with emoji; an empty emoji takes the reaction back',
    body: schemas.reactBody,
    requestExample: {
      line_id: 'line_xxx',
      jid: '34600000000@s.whatsapp.net',
      message_id: '3EB0A1B2C3D4E5F6071829',
      emoji: '👍',
    },
    command: 'messages.react',
    in: ({ query, body }) => ({
      ...sendOf({ query, body }, body.jid),
      messageId: body.message_id,
      emoji: body.emoji,
    }),
    out: answers.sent,
  }),
  route({
    ...SEND,
    path: '/v1/messages/edit',
    operation: 'editMessage',
    summary: 'Edit a sent text or caption, within 20 minutes',
    body: schemas.editBody,
    requestExample: {
      line_id: 'line_xxx',
      jid: '34600000000@s.whatsapp.net',
      message_id: '3EB0A1B2C3D4E5F6071829',
      message: 'Pedido enviado',
    },
    command: 'messages.edit',
    in: ({ query, body }) => ({
      ...sendOf({ query, body }, body.jid),
      messageId: body.message_id,
      body: body.message,
    }),
    out: answers.sent,
  }),
  route({
    ...SEND,
    path: '/v1/messages/revoke',
    operation: 'revokeMessage',
    summary: 'Delete a message for everyone',
    description: 'An own message, or another’s in a group where this number is admin.',
    body: schemas.revokeBody,
    requestExample: {
      line_id: 'line_xxx',
      jid: '34600000000@s.whatsapp.net',
      message_id: '3EB0A1B2C3D4E5F6071829',
    },
    command: 'messages.revoke',
    in: ({ query, body }) => ({
      ...sendOf({ query, body }, body.jid),
      messageId: body.message_id,
      sender: body.sender,
    }),
    out: answers.sent,
  }),
  route({
    ...SEND,
    path: '/v1/messages/location',
    operation: 'sendLocation',
    summary: 'Send a location pin',
    body: schemas.locationBody,
    requestExample: { line_id: 'line_xxx', to: '+34600000000', lat: 40.4168, lng: -3.7038, name: 'Puerta del Sol' },
    command: 'messages.send',
    in: ({ query, body }) => messageOf({ query, body }, body.to, locationContent(body, contextOf(body))),
    out: answers.sent,
  }),
  route({
    ...SEND,
    path: '/v1/messages/contact',
    operation: 'sendContact',
    summary: 'Send one or several contact cards',
    body: schemas.contactBody,
    requestExample: {
      line_id: 'line_xxx',
      to: '+34600000000',
      contacts: [{ name: 'Alice', phone: '+34600000001' }],
    },
    command: 'messages.send',
    in: ({ query, body }) => messageOf({ query, body }, body.to, contactContent(body, contextOf(body))),
    out: answers.sent,
  }),
  route({
    ...SEND,
    path: '/v1/messages/poll',
    operation: 'sendPoll',
    summary: 'Send a poll; votes arrive as poll.vote events',
    body: schemas.pollBody,
    requestExample: {
      line_id: 'line_xxx',
      to: '+34600000000',
      question: '¿Cuándo?',
      options: ['Lunes', 'Martes'],
      max_answers: 1,
    },
    command: 'messages.send',
    in: ({ query, body }) => messageOf({ query, body }, body.to, pollContent(body, contextOf(body))),
    out: answers.sent,
  }),
  route({
    ...SEND,
    path: '/v1/messages/event',
    operation: 'sendEvent',
    summary: 'Send an invitation; answers arrive as event.response events',
    body: schemas.eventBody,
    requestExample: {
      line_id: 'line_xxx',
      to: '+34600000000',
      name: 'Reunión',
      start_time: 1777334400,
      end_time: 1777338000,
    },
    command: 'messages.send',
    in: ({ query, body }) => messageOf({ query, body }, body.to, eventContent(body, contextOf(body))),
    out: answers.sent,
  }),
];
