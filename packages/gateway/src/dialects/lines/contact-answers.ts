import { bareJid, type Party, type Picture, phoneOf, type StatusAudience } from '@ponte/engine';
import type { CheckedNumber } from '../../commands/contacts/check-numbers.ts';
import type { Contact, ContactDetail, Profile } from '../../commands/contacts/contacts.ts';
import { usernameOf } from '../../http/message-nuances.ts';
import type { Answer } from '../../http/route.ts';
import { internationalPhone } from './phone.ts';

/** The number's address when WhatsApp disclosed it, else the LID; the phone of a number only. */
const addresses = ({ jid, pn }: Party) => ({
  jid: bareJid(pn ?? jid),
  phone: internationalPhone(phoneOf(pn ?? jid) ?? null),
});

export const contact = ({ party, name, isBusiness }: Contact) => ({
  ...addresses(party),
  name,
  is_business: isBusiness,
  ...usernameOf(party),
});

export const contactDetail = (of: ContactDetail) => ({ ok: true, ...contact(of), about: of.about });

/** Whether a number is a business is known only of numbers that exist. */
export const checked = (lineId: string, numbers: CheckedNumber[]) => ({
  ok: true,
  line_id: lineId,
  numbers: numbers.map(({ phone, registered, isBusiness, jid, username }) => ({
    phone,
    registered,
    is_business: registered ? isBusiness : null,
    jid: jid ?? null,
    ...(username === undefined ? {} : { username }),
  })),
});

export const profile = ({ line, about }: Profile) => ({
  ok: true,
  line_id: line.id,
  jid: line.jid === null ? null : bareJid(line.jid),
  phone: internationalPhone(line.phone),
  name: line.name,
  about,
  lid: line.lid === null ? null : bareJid(line.lid),
});

export const statusPrivacy = (lineId: string, lists: StatusAudience[]) => ({
  ok: true,
  line_id: lineId,
  privacy: lists.map(({ type, people, isDefault }) => ({ type, list: people, is_default: isDefault })),
});

/**
 * The picture itself, with its id as etag. Not to be kept unasked: it may be another the next
 * minute.
 */
export const picture = ({ id, jpeg }: Picture): Answer => ({
  status: 200,
  bytes: { contentType: 'image/jpeg', data: jpeg },
  headers: { 'cache-control': 'private, no-cache', ...(id === '' ? {} : { etag: `"${id}"` }) },
});
