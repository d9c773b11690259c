import { parsePhone } from '@ponte/engine';
import type { ContactCard } from '../wa-proto.ts';
import { type Input, InputError } from './input.ts';
import type { ContentKind } from './kind.ts';

const MAX_CARDS = 50;
const MAX_PHONES = 10;

/**
 * `{"type":"contact","name":"Alice","phone":"15550001111"}`, with several `phones`, or with a
 * `vcard` of one's own instead; several cards in one message as `contacts`.
 */
export const contact: ContentKind = {
  type: 'contact',
  build(input, { contextInfo }) {
    if (!input.has('contacts')) {
      const contactMessage = { ...cardOf(input), contextInfo };
      return { message: { contactMessage }, shape: { type: 'media', mediatype: 'vcard' } };
    }
    const contacts = input.nestedList('contacts', 1, MAX_CARDS).map(cardOf);
    const contactsArrayMessage = { displayName: `${contacts.length} contacts`, contacts, contextInfo };
    return { message: { contactsArrayMessage }, shape: { type: 'media', mediatype: 'contact_array' } };
  },
  read(message) {
    const cards = message.contactMessage ? [message.contactMessage] : message.contactsArrayMessage?.contacts;
    if (!cards) return undefined;
    const [first] = cards;
    return {
      type: 'contact',
      fields: {
        name: message.contactsArrayMessage?.displayName || first?.displayName || '',
        vcard: first?.vcard ?? '',
        ...(cards.length > 1
          ? { contacts: cards.map((card) => ({ name: card.displayName ?? '', vcard: card.vcard ?? '' })) }
          : {}),
      },
    };
  },
};

function cardOf(input: Input): ContactCard {
  const displayName = input.text('name', 200);
  const phones = input.has('phones') ? input.texts('phones', 1, MAX_PHONES) : undefined;
  return {
    displayName,
    vcard: input.optionalText('vcard') ?? vcardOf(displayName, phones ?? [input.text('phone', 30)]),
  };
}

function vcardOf(name: string, phones: string[]): string {
  const lines = phones.map((phone) => {
    const digits = parsePhone(phone);
    if (digits === undefined) throw new InputError('phone', 'must be a phone number with country code');
    // `waid` is what makes the card lead to a chat.
    return `TEL;type=CELL;waid=${digits}:+${digits}`;
  });
  return ['BEGIN:VCARD', 'VERSION:3.0', `FN:${name}`, ...lines, 'END:VCARD'].join('\n');
}
