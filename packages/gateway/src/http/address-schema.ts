import { type Jid, parseChat, parseHandle, parsePhone } from '@ponte/engine';
import { z } from 'zod';

const NUMBER =
  'Use digits in international form, with an optional leading +. Leave out what is dialled inside the country only: +44 20 7946 0958, not +44 (0)20.';
const TOO_LONG = 'That is too long to be an address.';

const addressOf = (parse: (value: string) => Jid | undefined, forms: string) =>
  z
    .string('Give a phone number or a full JID, as a string.')
    .max(128, TOO_LONG)
    .transform((value, context) => {
      const jid = parse(value);
      if (jid !== undefined) return jid;
      context.addIssue({ code: 'custom', message: `Use ${forms}.` });
      return z.NEVER;
    });

/** One of several chats or people as callers write them, parsed to a JID. */
export const memberSchema = addressOf(
  parseChat,
  'a phone number in international form (15550001234) or a full JID (…@s.whatsapp.net, …@g.us)',
).meta({ description: 'A phone number in international form, or a full JID.', examples: ['15550001234'] });

/**
 * A chat as callers write it, parsed to a JID. A username stays one: commands ask WhatsApp whose it
 * is (known-numbers.ts).
 */
export const chatSchema = addressOf(
  (value) => parseHandle(value) ?? parseChat(value),
  'a phone number in international form (15550001234), a full JID (…@s.whatsapp.net, …@g.us) or a username (@name, or @name#1234 with its key)',
).meta({
  description:
    'A phone number in international form, a full JID, or a username as @name (@name#1234 where the person has set a key): WhatsApp is asked whose it is.',
  examples: ['15550001234'],
});

/** A phone number as people write it, parsed to digits. */
export const phoneSchema = z
  .string('Give a phone number, as a string.')
  .max(64, TOO_LONG)
  .transform((value, context) => {
    const phone = parsePhone(value);
    if (phone !== undefined) return phone;
    context.addIssue({
      code: 'custom',
      message: 'Use a phone number in international form, for example +34600000000.',
    });
    return z.NEVER;
  })
  .meta({ description: 'A phone number in international form.', examples: ['+34600000000'] });

/** Seconds to wait for WhatsApp's acknowledgement. */
export const waitSchema = z.coerce
  .number('Use whole seconds from 0 to 60.')
  .int('Use whole seconds from 0 to 60.')
  .min(0, 'Use whole seconds from 0 to 60.')
  .max(60, 'Use whole seconds from 0 to 60.')
  .default(30)
  .meta({ description: 'Seconds to wait for WhatsApp’s acknowledgement before answering 202.' });

/**
 * Something that people write as a phone number; whether it can be one is answered, not refused.
 */
const askedNumber = z
  .string('Give phone numbers as strings.')
  .max(64, 'That is too long to be a phone number.')
  .transform((value, context) => {
    const phone = parsePhone(value);
    if (phone !== undefined) return { digits: phone, isPossible: true };
    if (/^\+?[\d\s.-]*\d[\d\s.-]*$/.test(value)) return { digits: value.replace(/\D/g, ''), isPossible: false };
    context.addIssue({ code: 'custom', message: NUMBER });
    return z.NEVER;
  });

/** Phone numbers to ask WhatsApp about. */
export const askedNumbers = z
  .array(askedNumber, 'phones must be an array of phone numbers.')
  .min(1, 'Name at least one phone number.')
  .max(100, 'At most 100 phone numbers in one call.');
