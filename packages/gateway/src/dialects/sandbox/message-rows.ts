import { z } from 'zod';
import { ALICE, BOB, chat, done, MESSAGE_ID, person, phoneParams, type SandboxRow, WRITTEN } from './row.ts';

const card = z.object({
  name: z.string(),
  phone: person.optional(),
  phones: z.array(person).optional(),
  vcard: z.string().optional().describe('A whole card instead of phone.'),
});

const item = z.looseObject({
  cursor: z.int(),
  message_id: z.string(),
  chat: z.string(),
  from: z.string(),
  from_me: z.boolean(),
  timestamp: z.int(),
  type: z.string(),
  body: z.string().optional(),
  status: z.enum(['received', 'pending', 'sent', 'delivered', 'read', 'played', 'failed']),
  edited: z.boolean(),
  revoked: z.boolean(),
  reactions: z.array(z.looseObject({ from: z.string(), emoji: z.string() })),
  copies: z.int(),
});
const ITEM = {
  cursor: 1,
  message_id: '3EB0C0FFEE0123456789',
  chat: `${ALICE}@s.whatsapp.net`,
  from: `${ALICE}@s.whatsapp.net`,
  from_me: false,
  timestamp: 1777334400,
  push_name: 'Alice',
  type: 'text',
  body: 'Hi',
  status: 'received',
  edited: false,
  revoked: false,
  reactions: [],
  copies: 1,
};

/** What a phone can put into a message, a status or a post; which of it depends on the type. */
export const content = {
  type: z.enum([
    ...['text', 'image', 'video', 'audio', 'voice', 'document', 'sticker', 'location', 'contact', 'poll', 'event'],
  ] as const),
  body: z.string().optional(),
  link_preview: z
    .object({ url: z.string(), title: z.string().optional(), description: z.string().optional() })
    .optional()
    .describe('The card of a link in the body.'),
  url: z.string().optional().describe('Where the file is fetched, by the gateway.'),
  data: z.string().optional().describe('A file as base64.'),
  fixture: z.string().optional().describe('A file that the sandbox brings: the name of the type, like image.'),
  caption: z.string().optional(),
  filename: z.string().optional(),
  animated: z.boolean().optional().describe('A sticker that moves.'),
  mime_type: z.string().optional(),
  gif: z.boolean().optional().describe('Of a video: plays like a GIF.'),
  seconds: z.number().optional().describe('How long a sound or a video plays.'),
  lat: z.number().optional(),
  lng: z.number().optional(),
  live: z.boolean().optional().describe('A place that the phone goes on sharing; it takes a caption.'),
  name: z.string().optional(),
  address: z.string().optional(),
  phone: person.optional(),
  phones: z.array(person).optional().describe('Several numbers on one card.'),
  vcard: z.string().optional().describe('A whole card instead of phone.'),
  contacts: z.array(card).optional().describe('Several cards in one message, instead of name and phone.'),
  question: z.string().optional(),
  options: z.array(z.string()).optional(),
  max_answers: z.int().optional().describe('How many options one person may choose; 0 = any number.'),
  start_time: z.int().optional(),
  end_time: z.int().optional(),
  description: z.string().optional(),
  location: z.string().optional(),
  call: z.enum(['voice', 'video']).optional().describe('Of an event: a link to a call of this kind.'),
  canceled: z.boolean().optional().describe('Of an event: it does not take place.'),
  extra_guests_allowed: z.boolean().optional().describe('Of an event: people may bring others.'),
  view_once: z.boolean().optional(),
  to_companions: z
    .boolean()
    .optional()
    .describe('With view_once: linked lines get the file, too. WhatsApp keeps it from them.'),
};

const message = z.object({
  to: chat,
  ...content,
  quoted_message_id: z.string().optional(),
  mentions: z.array(z.union([person, z.literal('all')])).optional(),
  forwarded: z.boolean().optional(),
  ephemeral_seconds: z.int().optional(),
});

const target = z.object({ to: chat, message_id: z.string() });

/** What phones write, change, read and show while they write. */
export const MESSAGE_ROWS: readonly SandboxRow[] = [
  {
    method: 'POST',
    path: '/phones/:phone/messages',
    operation: 'sandboxWrite',
    summary: 'The phone writes a message',
    description:
      'Every type takes the fields that the Bridges API sends it with: location lat, lng, name, address (or live and caption); contact name and phone, phones or vcard, several as contacts; poll question, options, max_answers; event name, start_time, end_time, description, location, address, lat, lng, call.',
    params: phoneParams,
    body: message,
    requestExample: { to: BOB, type: 'text', body: 'Hi' },
    answers: WRITTEN,
  },
  {
    method: 'POST',
    path: '/phones/:phone/reactions',
    operation: 'sandboxReact',
    summary: 'The phone reacts to a message; an empty emoji takes it back',
    params: phoneParams,
    body: target.extend({ emoji: z.string() }),
    requestExample: { to: BOB, message_id: MESSAGE_ID, emoji: '👍' },
    answers: WRITTEN,
  },
  {
    method: 'POST',
    path: '/phones/:phone/edits',
    operation: 'sandboxEdit',
    summary: 'The phone edits a text it sent',
    params: phoneParams,
    body: target.extend({ body: z.string() }),
    requestExample: { to: BOB, message_id: MESSAGE_ID, body: 'Hello' },
    answers: WRITTEN,
  },
  {
    method: 'POST',
    path: '/phones/:phone/revokes',
    operation: 'sandboxRevoke',
    summary: 'The phone deletes a message for everyone',
    description: 'One of its own; as a group admin, any message of the group.',
    params: phoneParams,
    body: target,
    requestExample: { to: BOB, message_id: MESSAGE_ID },
    answers: WRITTEN,
  },
  {
    method: 'POST',
    path: '/phones/:phone/votes',
    operation: 'sandboxVote',
    summary: 'The phone votes in a poll; no options take the vote back',
    params: phoneParams,
    body: z.object({ to: chat, poll_id: z.string(), options: z.array(z.string()) }),
    requestExample: { to: BOB, poll_id: MESSAGE_ID, options: ['Red'] },
    answers: WRITTEN,
  },
  {
    method: 'POST',
    path: '/phones/:phone/rsvps',
    operation: 'sandboxRsvp',
    summary: 'The phone answers an event',
    params: phoneParams,
    body: z.object({
      to: chat,
      event_id: z.string(),
      response: z.enum(['going', 'not_going', 'maybe']),
      extra_guest_count: z.int().optional(),
    }),
    requestExample: { to: BOB, event_id: MESSAGE_ID, response: 'going', extra_guest_count: 1 },
    answers: WRITTEN,
  },
  {
    method: 'POST',
    path: '/phones/:phone/receipts',
    operation: 'sandboxReceipts',
    summary: 'The phone sends receipts for messages of others',
    params: phoneParams,
    body: z.object({ to: chat, message_ids: z.array(z.string()), type: z.enum(['delivered', 'read', 'played']) }),
    requestExample: { to: BOB, message_ids: [MESSAGE_ID], type: 'read' },
    answers: {
      200: {
        description: 'Sent.',
        schema: z.looseObject({ message_ids: z.array(z.string()), type: z.string() }),
        example: { message_ids: [MESSAGE_ID], type: 'read' },
      },
    },
  },
  {
    method: 'POST',
    path: '/phones/:phone/typing',
    operation: 'sandboxTyping',
    summary: 'The phone shows that it types, records, or stopped',
    params: phoneParams,
    body: z.object({ to: chat, state: z.enum(['composing', 'paused']), mode: z.enum(['text', 'voice']).optional() }),
    requestExample: { to: BOB, state: 'composing' },
    answers: { 200: { description: 'Shown.', schema: done, example: { ok: true } } },
  },
  {
    method: 'POST',
    path: '/phones/:phone/presence',
    operation: 'sandboxPresence',
    summary: 'The phone shows itself as online, or not',
    params: phoneParams,
    body: z.object({ state: z.enum(['available', 'unavailable']) }),
    requestExample: { state: 'available' },
    answers: { 200: { description: 'Shown.', schema: done, example: { ok: true } } },
  },
  {
    method: 'POST',
    path: '/phones/:phone/status',
    operation: 'sandboxPostStatus',
    summary: 'The phone posts a status',
    description: 'to names the audience; without it, everyone the phone has a chat with.',
    params: phoneParams,
    body: z.object({ ...content, to: z.array(person).optional() }),
    requestExample: { type: 'text', body: 'On holiday', to: [BOB] },
    answers: {
      201: {
        description: 'Posted.',
        schema: z.looseObject({ message_id: z.string(), timestamp: z.int(), audience: z.int() }),
        example: { message_id: MESSAGE_ID, timestamp: 1777334400, audience: 1 },
      },
    },
  },
  {
    method: 'GET',
    path: '/phones/:phone/inbox',
    operation: 'sandboxInbox',
    summary: 'What the phone has decrypted, in order',
    description:
      'after takes a cursor or a message_id; chat a phone number or JID; sent=true shows its own messages, too. copies: how often the same id arrived. What it could not read has the type undecryptable.',
    params: phoneParams,
    query: z.object({
      after: z.string().optional(),
      chat: z.string().optional(),
      sent: z.enum(['true', 'false']).optional(),
    }),
    answers: { 200: { description: 'The messages.', schema: item.array(), example: [ITEM] } },
  },
  {
    method: 'POST',
    path: '/phones/:phone/history',
    operation: 'sandboxAddHistory',
    summary: 'Give the phone a past, before it is linked: lines get it as history sync',
    params: phoneParams,
    body: z.object({
      chats: z.array(
        z.looseObject({
          with: chat,
          name: z.string().optional(),
          unread: z.int().optional(),
          archived: z.boolean().optional(),
          pinned: z.boolean().optional(),
          messages: z.array(
            z.looseObject({
              timestamp: z.int(),
              type: z.string().optional(),
              body: z.string().optional(),
              from_me: z.boolean().optional(),
              from: person.optional(),
              push_name: z.string().optional(),
              message_id: z.string().optional(),
            }),
          ),
        }),
      ),
    }),
    requestExample: {
      chats: [
        {
          with: BOB,
          messages: [
            { timestamp: 1777000000, body: 'Long ago' },
            { timestamp: 1777000060, body: 'Yes', from_me: true },
          ],
        },
      ],
    },
    answers: {
      201: {
        description: 'Added.',
        schema: z.looseObject({ chats: z.int(), messages: z.int() }),
        example: { chats: 1, messages: 2 },
      },
    },
  },
  {
    method: 'GET',
    path: '/phones/:phone/history',
    operation: 'sandboxHistoryParts',
    summary: 'Parts of its history that the phone gave to linked lines, and what became of them',
    params: phoneParams,
    answers: {
      200: {
        description: 'The parts.',
        schema: z
          .looseObject({
            device: z.string(),
            message_id: z.string(),
            state: z.string(),
            progress: z.number().optional(),
          })
          .array(),
        example: [
          {
            device: `${ALICE}:1@s.whatsapp.net`,
            message_id: MESSAGE_ID,
            type: 'initial_bootstrap',
            chunk: 1,
            progress: 100,
            inline: true,
            state: 'synced',
          },
        ],
      },
    },
  },
];
