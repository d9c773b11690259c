import { z } from 'zod';
import { BOB, person, phoneParams, type SandboxRow } from './row.ts';

const chatParams = phoneParams.extend({ chat: z.string() });
const callParams = phoneParams.extend({ call_id: z.string() });

const chat = z.looseObject({
  chat: z.string(),
  name: z.string().optional(),
  last_message_at: z.int(),
  unread: z.int(),
  ephemeral_seconds: z.int().describe('How long messages of a private chat stay; 0: for good.'),
  marked_unread: z.boolean(),
  archived: z.boolean(),
  pinned: z.boolean(),
  muted_until: z.int().nullable().describe('Unix seconds; -1: for ever; null: not muted.'),
});
const CHAT = {
  chat: `${BOB}@s.whatsapp.net`,
  last_message_at: 1777334400,
  unread: 0,
  ephemeral_seconds: 0,
  marked_unread: false,
  archived: true,
  pinned: false,
  muted_until: null,
};

const appState = z.looseObject({
  versions: z.record(z.string(), z.int()),
  keys: z.array(z.string()),
  problems: z.array(z.unknown()),
});
const APP_STATE = { versions: { regular_low: 2 }, keys: ['00010203'], problems: [] };

const call = z.looseObject({
  call_id: z.string(),
  with: z.string(),
  incoming: z.boolean(),
  video: z.boolean(),
  state: z.enum(['ringing', 'accepted', 'rejected', 'ended']),
  reason: z.string().optional(),
});
const CALL = { call_id: 'A1B2C3D4', with: `${BOB}@s.whatsapp.net`, incoming: false, video: false, state: 'ringing' };

/** What the owner of a phone does with chats, contacts and calls. */
export const CHAT_ROWS: readonly SandboxRow[] = [
  {
    method: 'GET',
    path: '/phones/:phone/chats',
    operation: 'sandboxChats',
    summary: 'The chats of the phone, as it and its linked lines left them',
    params: phoneParams,
    answers: { 200: { description: 'The chats.', schema: chat.array(), example: [CHAT] } },
  },
  {
    method: 'PATCH',
    path: '/phones/:phone/chats/:chat',
    operation: 'sandboxChangeChat',
    summary: 'Archive, pin, mute, mark as unread, name, disappearing messages: linked lines learn it',
    params: chatParams,
    body: z.object({
      archived: z.boolean().optional(),
      pinned: z.boolean().optional(),
      muted_until: z.int().optional(),
      unread: z.boolean().optional(),
      name: z.string().optional(),
      ephemeral_seconds: z
        .int()
        .optional()
        .describe('Of a private chat: seconds until messages disappear, for both sides; 0: for good.'),
    }),
    requestExample: { archived: true },
    answers: { 200: { description: 'The chat.', schema: chat, example: CHAT } },
  },
  {
    method: 'POST',
    path: '/phones/:phone/contacts',
    operation: 'sandboxNameContacts',
    summary: 'Names in the phone’s address book',
    params: phoneParams,
    body: z.object({ contacts: z.array(z.object({ phone: person, name: z.string() })) }),
    requestExample: { contacts: [{ phone: BOB, name: 'Bob from work' }] },
    answers: {
      200: { description: 'Named.', schema: z.looseObject({ contacts: z.int() }), example: { contacts: 1 } },
    },
  },
  {
    method: 'GET',
    path: '/phones/:phone/app-state',
    operation: 'sandboxAppState',
    summary: 'Versions and keys of the settings it shares with linked lines',
    params: phoneParams,
    answers: { 200: { description: 'As the phone has it.', schema: appState, example: APP_STATE } },
  },
  {
    method: 'POST',
    path: '/phones/:phone/app-state/rotate-key',
    operation: 'sandboxRotateAppStateKey',
    summary: 'The phone makes a new app-state key and shares it',
    params: phoneParams,
    answers: { 200: { description: 'As the phone has it now.', schema: appState, example: APP_STATE } },
  },
  {
    method: 'POST',
    path: '/phones/:phone/lid-migration',
    operation: 'sandboxMigrateToLids',
    summary: 'The phone moves its chats from numbers to LIDs and tells its linked lines',
    params: phoneParams,
    answers: {
      200: {
        description: 'Told.',
        schema: z.looseObject({ companions: z.int(), mappings: z.int() }),
        example: { companions: 1, mappings: 2 },
      },
    },
  },
  {
    method: 'POST',
    path: '/phones/:phone/calls',
    operation: 'sandboxCall',
    summary: 'The phone calls a number',
    params: phoneParams,
    body: z.object({ to: person, video: z.boolean().optional(), platform: z.string().optional() }),
    requestExample: { to: BOB, video: false },
    answers: { 201: { description: 'It rings.', schema: call, example: CALL } },
  },
  {
    method: 'GET',
    path: '/phones/:phone/calls',
    operation: 'sandboxCalls',
    summary: 'Calls of the phone, the oldest first',
    params: phoneParams,
    answers: { 200: { description: 'The calls.', schema: call.array(), example: [CALL] } },
  },
  {
    method: 'POST',
    path: '/phones/:phone/calls/:call_id/accept',
    operation: 'sandboxAcceptCall',
    summary: 'The phone takes an incoming call up: its linked lines stop ringing',
    params: callParams,
    answers: {
      200: { description: 'Taken up.', schema: call, example: { ...CALL, incoming: true, state: 'accepted' } },
    },
  },
  {
    method: 'DELETE',
    path: '/phones/:phone/calls/:call_id',
    operation: 'sandboxEndCall',
    summary: 'End, decline or give up a call',
    params: callParams,
    body: z.object({ reason: z.enum(['timeout', 'hangup', 'decline', 'busy']).optional() }).optional(),
    requestExample: { reason: 'timeout' },
    answers: {
      200: { description: 'Over.', schema: call, example: { ...CALL, state: 'ended', reason: 'timeout' } },
    },
  },
];
