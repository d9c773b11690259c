import { z } from 'zod';
import { ALICE, BOB, phoneParams, type SandboxRow } from './row.ts';

const settings = z.looseObject({
  auto_receipts: z.enum(['none', 'delivered', 'read']),
  online: z.boolean(),
  addressing: z.enum(['lid', 'pn']),
  reply_echo: z.boolean(),
});
const phone = z.looseObject({
  phone: z.string(),
  jid: z.string(),
  lid: z.string(),
  name: z.string(),
  about: z.string().optional(),
  business: z.boolean().optional(),
  lid_only: z.boolean().optional(),
  settings: settings.optional(),
});
const linked = z.looseObject({ device_jid: z.string() });
const LINKED = { device_jid: `${ALICE}:1@s.whatsapp.net` };
const SETTINGS = { auto_receipts: 'delivered', online: true, addressing: 'lid', reply_echo: false };
const PHONE = {
  phone: ALICE,
  jid: `${ALICE}@s.whatsapp.net`,
  lid: '402917364518203@lid',
  name: 'Alice',
  about: '',
  business: false,
  lid_only: false,
  settings: SETTINGS,
};

/** Phones: existence, linking, settings, what they show of their owner. */
export const PHONE_ROWS: readonly SandboxRow[] = [
  {
    method: 'POST',
    path: '/phones',
    operation: 'sandboxCreatePhone',
    summary: 'Create a virtual phone; the same number again answers the existing one',
    description:
      'lid_only: its number is never disclosed. username: the handle that others see, username_key: what they must know to find it by that. business: it has a business profile.',
    body: z.object({
      phone: z.string(),
      name: z.string(),
      about: z.string().optional(),
      business: z.boolean().optional(),
      username: z.string().optional(),
      username_key: z.string().optional(),
      lid_only: z.boolean().optional(),
    }),
    requestExample: { phone: ALICE, name: 'Alice' },
    answers: { 201: { description: 'The phone.', schema: phone, example: PHONE } },
  },
  {
    method: 'GET',
    path: '/phones',
    operation: 'sandboxListPhones',
    summary: 'List virtual phones',
    answers: { 200: { description: 'The phones.', schema: phone.array(), example: [PHONE] } },
  },
  {
    method: 'GET',
    path: '/phones/:phone',
    operation: 'sandboxGetPhone',
    summary: 'One virtual phone',
    params: phoneParams,
    answers: { 200: { description: 'The phone.', schema: phone, example: PHONE } },
  },
  {
    method: 'DELETE',
    path: '/phones/:phone',
    operation: 'sandboxDeletePhone',
    summary: 'Remove a virtual phone',
    description: 'Its lines are unlinked, its mail is gone, and it leaves its groups.',
    params: phoneParams,
    answers: { 204: { description: 'It is gone.' } },
  },
  {
    by: 'scan',
    method: 'POST',
    path: '/phones/:phone/scan',
    operation: 'sandboxScan',
    summary: 'Scan a QR code: links the line to this phone',
    description:
      'With line_id or customer_ref the phone scans what the line shows now, and the answer comes once the line is connected.',
    params: phoneParams,
    body: z.object({
      qr: z.string().optional(),
      line_id: z.string().optional(),
      customer_ref: z.string().optional(),
    }),
    requestExample: { customer_ref: 'user-123' },
    answers: { 200: { description: 'Linked.', schema: linked, example: LINKED } },
  },
  {
    method: 'POST',
    path: '/phones/:phone/enter-code',
    operation: 'sandboxEnterCode',
    summary: 'Type the link code that a line shows for this phone',
    params: phoneParams,
    body: z.object({ code: z.string() }),
    requestExample: { code: 'ABCD-EFGH' },
    answers: { 200: { description: 'Linked.', schema: linked, example: LINKED } },
  },
  {
    by: 'unlink',
    method: 'POST',
    path: '/phones/:phone/unlink',
    operation: 'sandboxUnlink',
    summary: 'The owner removes the linked device',
    params: phoneParams,
    body: z.object({ line_id: z.string().optional(), customer_ref: z.string().optional() }),
    requestExample: { line_id: 'line_xxx' },
    answers: { 200: { description: 'Removed.', schema: linked, example: LINKED } },
  },
  {
    method: 'PUT',
    path: '/phones/:phone/settings',
    operation: 'sandboxSettings',
    summary: 'How the phone behaves',
    description:
      'A phone that is not online gets its mail when it returns. reply_echo answers every text with the same text. addressing: how it names people on the wire.',
    params: phoneParams,
    body: settings.partial(),
    requestExample: { auto_receipts: 'read', reply_echo: true },
    answers: {
      200: {
        description: 'The settings as they are now.',
        schema: settings,
        example: { ...SETTINGS, auto_receipts: 'read', reply_echo: true },
      },
    },
  },
  {
    method: 'PUT',
    path: '/phones/:phone/avatar',
    operation: 'sandboxSetAvatar',
    summary: 'The phone sets its profile picture',
    description: 'A JPEG as data (base64), or the fixture.',
    params: phoneParams,
    body: z.object({ data: z.string().optional(), fixture: z.string().optional() }),
    requestExample: { fixture: 'image' },
    answers: {
      200: {
        description: 'Set; contacts are told.',
        schema: z.looseObject({ picture_id: z.string() }),
        example: { picture_id: '1777334400' },
      },
    },
  },
  {
    method: 'DELETE',
    path: '/phones/:phone/avatar',
    operation: 'sandboxRemoveAvatar',
    summary: 'The phone removes its profile picture',
    params: phoneParams,
    answers: { 204: { description: 'Removed; contacts are told.' } },
  },
  {
    method: 'PUT',
    path: '/phones/:phone/about',
    operation: 'sandboxSetAbout',
    summary: 'The phone changes its about text',
    params: phoneParams,
    body: z.object({ about: z.string() }),
    requestExample: { about: 'At work' },
    answers: {
      200: { description: 'Changed.', schema: z.looseObject({ about: z.string() }), example: { about: 'At work' } },
    },
  },
  {
    method: 'PUT',
    path: '/phones/:phone/privacy',
    operation: 'sandboxPrivacy',
    summary: 'Who sees what of this phone',
    description:
      'Values are WhatsApp’s: all, contacts, contact_blacklist, none; online: all or match_last_seen; calls: all or known. status_audience: who gets its statuses.',
    params: phoneParams,
    body: z.object({
      last_seen: z.string().optional(),
      online: z.string().optional(),
      avatar: z.string().optional(),
      about: z.string().optional(),
      read_receipts: z.string().optional(),
      groups: z.string().optional(),
      calls: z.string().optional(),
      messages: z.string().optional(),
      status_audience: z
        .object({ type: z.enum(['contacts', 'whitelist', 'blacklist']), phones: z.array(z.string()).optional() })
        .optional(),
    }),
    requestExample: { last_seen: 'none', status_audience: { type: 'whitelist', phones: [BOB] } },
    answers: {
      200: { description: 'Changed.', schema: z.looseObject({ ok: z.literal(true) }), example: { ok: true } },
    },
  },
];
