import { bareJid, type Party, type Picture, phoneOf, type StatusAudience } from '@ponte/engine';
import type { Contact, ContactDetail, Profile } from '../../commands/contacts/contacts.ts';
import { usernameOf } from '../../http/message-nuances.ts';
import type { Answer } from '../../http/route.ts';

/** The number's address when WhatsApp disclosed it, else the LID; digits of a number only. */
const addresses = ({ jid, pn }: Party) => ({ jid: bareJid(pn ?? jid), phone: phoneOf(pn ?? jid) ?? '' });

export const contact = ({ party, name, isBusiness }: Contact) => ({
  ...addresses(party),
  name,
  is_business: isBusiness,
  ...usernameOf(party),
});

export const contactDetail = ({ party, name, about, isBusiness }: ContactDetail) => ({
  ...addresses(party),
  name,
  about: about ?? '',
  is_business: isBusiness,
  ...usernameOf(party),
});

export const profile = ({ line, about }: Profile) => ({
  jid: line.jid === null ? '' : bareJid(line.jid),
  phone: line.phone ?? '',
  name: line.name ?? '',
  about: about ?? '',
  lid: line.lid === null ? '' : bareJid(line.lid),
});

export const statusPrivacy = (lists: StatusAudience[]) =>
  lists.map(({ type, people, isDefault }) => ({ type, list: people, is_default: isDefault }));

/**
 * The picture itself, with its id as etag. Not to be kept unasked: it may be another the next
 * minute.
 */
export const picture = ({ id, jpeg }: Picture): Answer => ({
  status: 200,
  bytes: { contentType: 'image/jpeg', data: jpeg },
  headers: { 'cache-control': 'private, no-cache', ...(id === '' ? {} : { etag: `"${id}"` }) },
});
