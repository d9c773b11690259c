import { z } from 'zod';
import { content } from './message-rows.ts';
import { ALICE, BOB, GROUP, jidParams, person, phoneParams, type SandboxRow, WRITTEN } from './row.ts';

const CAROL = '15550003333';
const CHANNEL = '120363099887766554@newsletter';
const INVITE = 'AbCdEfGhIjKlMnOpQrStUv';

const by = person.optional().describe('Whose phone does it; default: the owner’s.');
const settings = {
  description: z.string().optional(),
  announce: z.boolean().optional().describe('Only admins write.'),
  locked: z.boolean().optional().describe('Only admins change subject, description and picture.'),
  ephemeral_seconds: z.int().optional().describe('0, 86400, 604800 or 7776000.'),
  membership_approval: z.boolean().optional(),
  member_add: z.enum(['all', 'admins']).optional(),
  addressing_mode: z.enum(['lid', 'pn']).optional(),
};
const group = z.looseObject({
  jid: z.string(),
  subject: z.string(),
  owner: z.string().optional(),
  addressing_mode: z.enum(['lid', 'pn']),
  announce: z.boolean(),
  locked: z.boolean(),
  ephemeral_seconds: z.int(),
  invite_code: z.string(),
  participants: z.array(
    z.looseObject({
      phone: z.string(),
      jid: z.string(),
      lid: z.string(),
      role: z.enum(['member', 'admin', 'superadmin']),
    }),
  ),
  requests: z.array(z.string()),
});
const PARTICIPANTS = [
  { phone: ALICE, jid: `${ALICE}@s.whatsapp.net`, lid: '402917364518203@lid', role: 'superadmin' },
  { phone: BOB, jid: `${BOB}@s.whatsapp.net`, lid: '518203402917364@lid', role: 'member' },
];
const GROUP_EXAMPLE = {
  jid: GROUP,
  subject: 'Team',
  owner: ALICE,
  addressing_mode: 'lid',
  announce: false,
  locked: false,
  ephemeral_seconds: 0,
  membership_approval: false,
  member_add: 'admins',
  invite_code: INVITE,
  participants: PARTICIPANTS,
  requests: [],
};
const outcomes = z.looseObject({
  jid: z.string(),
  participants: z.array(z.looseObject({ jid: z.string(), status: z.int() })),
});
const OUTCOMES = { jid: GROUP, participants: [{ jid: `${CAROL}@s.whatsapp.net`, status: 200 }] };

const channel = z.looseObject({
  jid: z.string(),
  name: z.string(),
  description: z.string(),
  owner: z.string(),
  invite_code: z.string(),
  followers: z.array(z.string()),
});
const CHANNEL_EXAMPLE = {
  jid: CHANNEL,
  name: 'News',
  description: '',
  owner: ALICE,
  invite_code: INVITE,
  followers: [BOB],
};

/** Groups and channels. */
export const GROUP_ROWS: readonly SandboxRow[] = [
  {
    method: 'POST',
    path: '/groups',
    operation: 'sandboxCreateGroup',
    summary: 'A phone makes a group',
    description: 'refused lists people who do not want to be added, with WhatsApp’s codes.',
    body: z.object({ subject: z.string(), owner: person, participants: z.array(person).optional(), ...settings }),
    requestExample: { subject: 'Team', owner: ALICE, participants: [BOB] },
    answers: { 201: { description: 'The group.', schema: group, example: GROUP_EXAMPLE } },
  },
  {
    method: 'GET',
    path: '/groups',
    operation: 'sandboxListGroups',
    summary: 'List groups',
    answers: { 200: { description: 'The groups.', schema: group.array(), example: [GROUP_EXAMPLE] } },
  },
  {
    method: 'GET',
    path: '/groups/:jid',
    operation: 'sandboxGetGroup',
    summary: 'One group',
    params: jidParams,
    answers: { 200: { description: 'The group.', schema: group, example: GROUP_EXAMPLE } },
  },
  {
    method: 'PATCH',
    path: '/groups/:jid',
    operation: 'sandboxChangeGroup',
    summary: 'A member changes a group; all members are notified',
    params: jidParams,
    body: z.object({ by, subject: z.string().optional(), ...settings }),
    requestExample: { subject: 'Team 2', announce: true },
    answers: {
      200: {
        description: 'The group.',
        schema: group,
        example: { ...GROUP_EXAMPLE, subject: 'Team 2', announce: true },
      },
    },
  },
  {
    method: 'POST',
    path: '/groups/:jid/participants',
    operation: 'sandboxChangeParticipants',
    summary: 'Add, remove, promote or demote members',
    params: jidParams,
    body: z.object({
      by,
      action: z.enum(['add', 'remove', 'promote', 'demote']).optional(),
      participants: z.array(person),
    }),
    requestExample: { action: 'add', participants: [CAROL] },
    answers: { 200: { description: 'What became of each.', schema: outcomes, example: OUTCOMES } },
  },
  {
    method: 'POST',
    path: '/groups/:jid/requests',
    operation: 'sandboxDecideRequests',
    summary: 'Let people in who asked, or not',
    params: jidParams,
    body: z.object({ by, action: z.enum(['approve', 'reject']), participants: z.array(person) }),
    requestExample: { action: 'approve', participants: [CAROL] },
    answers: { 200: { description: 'What became of each.', schema: outcomes, example: OUTCOMES } },
  },
  {
    method: 'POST',
    path: '/groups/:jid/invite',
    operation: 'sandboxRevokeInvite',
    summary: 'Make the old invite link useless',
    params: jidParams,
    body: z.object({ by }).optional(),
    requestExample: { by: ALICE },
    answers: {
      200: {
        description: 'The new code.',
        schema: z.looseObject({ jid: z.string(), invite_code: z.string() }),
        example: { jid: GROUP, invite_code: INVITE },
      },
    },
  },
  {
    method: 'POST',
    path: '/groups/:jid/leave',
    operation: 'sandboxLeaveGroup',
    summary: 'A phone leaves a group',
    params: jidParams,
    body: z.object({ phone: person }),
    requestExample: { phone: BOB },
    answers: { 200: { description: 'Left.', schema: z.looseObject({ jid: z.string() }), example: { jid: GROUP } } },
  },
  {
    method: 'POST',
    path: '/phones/:phone/join',
    operation: 'sandboxJoinGroup',
    summary: 'A phone follows an invite link',
    params: phoneParams,
    body: z.object({ invite_code: z.string() }),
    requestExample: { invite_code: INVITE },
    answers: {
      200: {
        description: 'It is a member, or has asked to be one.',
        schema: z.looseObject({ jid: z.string(), state: z.enum(['member', 'requested']) }),
        example: { jid: GROUP, state: 'member' },
      },
    },
  },
  {
    method: 'POST',
    path: '/channels',
    operation: 'sandboxCreateChannel',
    summary: 'A phone makes a channel',
    body: z.object({ owner: person, name: z.string(), description: z.string().optional() }),
    requestExample: { owner: ALICE, name: 'News' },
    answers: { 201: { description: 'The channel.', schema: channel, example: { ...CHANNEL_EXAMPLE, followers: [] } } },
  },
  {
    method: 'GET',
    path: '/channels/:jid',
    operation: 'sandboxGetChannel',
    summary: 'One channel',
    params: jidParams,
    answers: { 200: { description: 'The channel.', schema: channel, example: CHANNEL_EXAMPLE } },
  },
  {
    method: 'POST',
    path: '/channels/:jid/messages',
    operation: 'sandboxPostToChannel',
    summary: 'The owner posts to a channel',
    params: jidParams,
    body: z.object(content),
    requestExample: { type: 'text', body: 'Read all about it' },
    answers: WRITTEN,
  },
  {
    method: 'POST',
    path: '/channels/:jid/followers',
    operation: 'sandboxFollowChannel',
    summary: 'A phone follows a channel',
    params: jidParams,
    body: z.object({ phone: person }),
    requestExample: { phone: BOB },
    answers: { 200: { description: 'The channel.', schema: channel, example: CHANNEL_EXAMPLE } },
  },
  {
    method: 'DELETE',
    path: '/channels/:jid/followers',
    operation: 'sandboxUnfollowChannel',
    summary: 'A phone follows a channel no more',
    params: jidParams,
    body: z.object({ phone: person }),
    requestExample: { phone: BOB },
    answers: { 200: { description: 'The channel.', schema: channel, example: { ...CHANNEL_EXAMPLE, followers: [] } } },
  },
];
