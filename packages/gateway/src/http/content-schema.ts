import { type OutboundContext, type OutboundMessage, parsePhone } from '@ponte/engine';
import { z } from 'zod';
import { ALL_MEMBERS } from '../core/message-facts.ts';
import { memberSchema, phoneSchema } from './address-schema.ts';
import { text } from './route.ts';
import { shownText, vcardSchema } from './shown-schema.ts';

/** Fields of structured messages, the same in every dialect, and the content they make. */
type Of<K extends OutboundMessage['kind']> = Extract<OutboundMessage, { kind: K }>;

/** Seconds of the year 9999: beyond it no calendar goes. */
const MAX_SECONDS = 253_402_300_799;
const seconds = (name: string) =>
  z
    .int(`${name} must be a time in whole Unix seconds.`)
    .min(1, `${name} must be a time in whole Unix seconds.`)
    .max(MAX_SECONDS, `${name} is given in seconds, not in milliseconds.`);
const degrees = (name: string, most: number) =>
  z
    .number(`${name} must be a number of degrees.`)
    .min(-most, `${name} goes from -${most} to ${most}.`)
    .max(most, `${name} goes from -${most} to ${most}.`);

export const locationFields = {
  lat: degrees('lat', 90),
  lng: degrees('lng', 180),
  name: shownText(1_000, 'name').optional(),
  address: shownText(1_000, 'address').optional(),
};

export function locationContent(
  { lat, lng, name, address }: z.output<z.ZodObject<typeof locationFields>>,
  context?: OutboundContext,
): Of<'location'> {
  return { kind: 'location', latitude: lat, longitude: lng, name, address, context };
}

/** What WhatsApp's own clients let people enter. */
export const pollFields = {
  question: shownText(255, 'question'),
  options: z
    .array(shownText(100, 'An option'), 'options must be an array of texts.')
    .min(2, 'A poll has at least 2 options.')
    .max(12, 'A poll has at most 12 options.')
    .refine(
      (options) => new Set(options.map((option) => option.trim())).size === options.length,
      'The options must differ from each other.',
    ),
  max_answers: z
    .int('max_answers must be a whole number.')
    .min(0, 'max_answers is 0 (any number) or more.')
    .max(12, 'max_answers is at most the number of options.')
    .default(1)
    .meta({ description: 'How many options one person may choose; 0 = any number.' }),
};
type PollFields = z.output<z.ZodObject<typeof pollFields>>;

export function checkPoll(poll: PollFields, context: z.core.$RefinementCtx): void {
  if (poll.max_answers <= poll.options.length) return;
  const message = 'max_answers is at most the number of options.';
  context.addIssue({ code: 'custom', path: ['max_answers'], message });
}

export function pollContent(poll: PollFields, context?: OutboundContext): Of<'poll'> {
  return { kind: 'poll', question: poll.question, options: poll.options, maxAnswers: poll.max_answers, context };
}

export const eventFields = {
  name: shownText(255, 'name'),
  start_time: seconds('start_time'),
  end_time: seconds('end_time').optional(),
  description: text(1, 4_096, 'description').optional(),
  location: text(1, 1_000, 'location').optional(),
  call: z
    .enum(['voice', 'video'], 'Use voice or video.')
    .optional()
    .meta({ description: 'Adds a link to a WhatsApp call.' }),
};
type EventFields = z.output<z.ZodObject<typeof eventFields>>;

export function checkEvent(event: EventFields, context: z.core.$RefinementCtx): void {
  if (event.end_time === undefined || event.end_time >= event.start_time) return;
  context.addIssue({ code: 'custom', path: ['end_time'], message: 'end_time must not be before start_time.' });
}

export function eventContent(event: EventFields, context?: OutboundContext): Of<'event'> {
  const { name, start_time: startAt, end_time: endAt, description, location, call } = event;
  return { kind: 'event', name, startAt, endAt, description, location, call, context };
}

const MAX_CARDS = 50;
const card = z
  .object({
    name: shownText(200, 'name'),
    phone: phoneSchema.optional(),
    vcard: vcardSchema.optional().meta({ description: 'A whole vCard instead of phone.' }),
  })
  .refine(({ phone, vcard }) => (phone === undefined) !== (vcard === undefined), {
    path: ['phone'],
    message: 'Give either phone or vcard.',
  });

export const contactFields = {
  contacts: z
    .array(card, 'contacts must be an array of {name, phone} or {name, vcard}.')
    .min(1, 'Name at least one contact.')
    .max(MAX_CARDS, `At most ${MAX_CARDS} contacts in one message.`),
};

export function contactContent(
  { contacts }: z.output<z.ZodObject<typeof contactFields>>,
  context?: OutboundContext,
): Of<'contact'> {
  const cards = contacts.map(({ name, phone, vcard }) => ({ name, vcard: vcard ?? vcardOf(name, phone ?? '') }));
  return { kind: 'contact', contacts: cards, context };
}

/** A card that leads to a chat: `waid` is what WhatsApp's clients look for. */
function vcardOf(name: string, phone: string): string {
  const digits = parsePhone(phone) ?? phone;
  const escaped = name.replace(/[\\,;]/g, '\\$&').replace(/\r?\n|\r/g, '\\n');
  const lines = ['BEGIN:VCARD', 'VERSION:3.0', `N:;${escaped};;;`, `FN:${escaped}`];
  return [...lines, `TEL;type=CELL;type=VOICE;waid=${digits}:+${digits}`, 'END:VCARD'].join('\n');
}

/** People named in a text. */
export const mentionsField = z
  .array(z.union([z.literal(ALL_MEMBERS), memberSchema]), 'mentions must be an array of phone numbers or JIDs.')
  .max(256, 'At most 256 people can be mentioned.')
  .optional()
  .meta({ description: 'People named in the text, by phone number or JID; all stands for all members of a group.' });

/** The answered message and the people named, of the fields that hang on any send. */
export function contextOf(of: { quoted_message_id?: string; mentions?: string[] }): OutboundContext {
  const mentions = of.mentions?.filter((one) => one !== ALL_MEMBERS);
  const isAll = of.mentions?.includes(ALL_MEMBERS) === true;
  return { quotedId: of.quoted_message_id, mentions, ...(isAll ? { mentionsAll: true } : {}) };
}
