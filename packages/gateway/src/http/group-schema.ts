import { isGroup, isLid, isPn, parseChat } from '@ponte/engine';
import { z } from 'zod';
import { memberSchema } from './address-schema.ts';
import { text } from './route.ts';
import { shownText } from './shown-schema.ts';

/** WhatsApp's limit of a group's members, the line itself included (2022). */
const MEMBERS_MAX = 1_024;
const LINK = /^(?:https:\/\/)?chat\.whatsapp\.com\/(?:invite\/)?/;

/** A group, by its JID or the digits of it. */
export const groupSchema = z
  .string('Give the group’s JID, as a string.')
  .max(128, 'That is too long to be a group.')
  .transform((value, context) => {
    const jid = parseChat(value.includes('@') ? value : `${value.trim()}@g.us`);
    if (jid !== undefined && isGroup(jid)) return jid;
    context.addIssue({ code: 'custom', message: 'Use the JID of a group (120363…@g.us).' });
    return z.NEVER;
  })
  .meta({ description: 'The JID of a group.', examples: ['120363041234567890@g.us'] });

const person = memberSchema.refine(
  (jid) => isPn(jid) || isLid(jid),
  'Name people: a phone number in international form, or a JID (…@s.whatsapp.net, …@lid).',
);

export const people = z
  .array(person, 'participants must be an array of phone numbers or JIDs.')
  .min(1, 'Name at least one participant.')
  .max(MEMBERS_MAX - 1, `At most ${MEMBERS_MAX - 1} participants in one call.`)
  .meta({ examples: [['15550001234']] });

/** What `POST groups` takes. WhatsApp takes 100 characters of subject. */
export const creation = { subject: shownText(100, 'subject'), participants: people };

export const memberChange = {
  action: z.enum(['add', 'remove', 'promote', 'demote'], 'Use add, remove, promote or demote.'),
  participants: people,
};
export const decision = {
  action: z.enum(['approve', 'reject'], 'Use approve or reject.'),
  participants: people,
};

/** What `PATCH groups/{jid}` takes: any of it, in this order. */
export const groupChanges = {
  subject: shownText(100, 'subject').optional(),
  description: text(0, 2_048, 'description').optional().meta({ description: 'Empty takes it away.' }),
  announce: z.boolean('announce is true or false.').optional().meta({ description: 'Only admins write.' }),
  locked: z
    .boolean('locked is true or false.')
    .optional()
    .meta({ description: 'Only admins change subject, description and picture.' }),
  join_approval: z
    .boolean('join_approval is true or false.')
    .optional()
    .meta({ description: 'People who join by the link must be approved by an admin.' }),
  member_add: z.enum(['all', 'admins'], 'Use all or admins.').optional().meta({ description: 'Who adds members.' }),
  ephemeral_seconds: z
    .union(
      [z.literal(0), z.literal(86_400), z.literal(604_800), z.literal(7_776_000)],
      'Use 0 (off), 86400 (a day), 604800 (a week) or 7776000 (90 days).',
    )
    .optional()
    .meta({ description: 'Seconds until messages disappear; 0 = off.' }),
};

type Changes = z.output<z.ZodObject<typeof groupChanges>>;

/** True when there is something to change. */
export const hasChange = (body: Changes): boolean =>
  Object.keys(groupChanges).some((name) => Reflect.get(body, name) !== undefined);
export const NO_CHANGE = `Give at least one of ${Object.keys(groupChanges).join(', ')}.`;

/** The changes as the command takes them. */
export function changesOf(body: Changes) {
  const { subject, description, announce, locked, join_approval: approval, member_add: who } = body;
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(description === undefined ? {} : { description }),
    settings: [
      ...(announce === undefined ? [] : [{ name: 'announce', isOn: announce } as const]),
      ...(locked === undefined ? [] : [{ name: 'locked', isOn: locked } as const]),
      ...(approval === undefined ? [] : [{ name: 'approval', isOn: approval } as const]),
      ...(who === undefined ? [] : [{ name: 'memberAdd', who } as const]),
      ...(body.ephemeral_seconds === undefined
        ? []
        : [{ name: 'ephemeral', seconds: body.ephemeral_seconds } as const]),
    ],
  };
}

/** An invite link or its code, parsed to the code. */
export const inviteLink = z
  .string('Give the invite link, as a string.')
  .max(128, 'That is too long to be an invite link.')
  .transform((value, context) => {
    const code = value
      .trim()
      .replace(LINK, '')
      .replace(/[?#].*$/, '');
    if (/^[A-Za-z0-9_-]{8,64}$/.test(code)) return code;
    context.addIssue({ code: 'custom', message: 'Use an invite link (https://chat.whatsapp.com/…) or its code.' });
    return z.NEVER;
  })
  .meta({
    description: 'An invite link, or its code.',
    examples: ['https://chat.whatsapp.com/AbCdEfGhIjKlMnOpQrStUv'],
  });

/** The outcome for one member, for documents. */
export const RESULTS = [
  'ok',
  'invite_needed',
  'not_found',
  'not_possible',
  'recently_left',
  'already_member',
  'unknown',
  'failed',
] as const;
