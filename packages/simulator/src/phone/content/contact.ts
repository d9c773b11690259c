import { parsePhone } from '@ponte/engine';
import { InputError } from './input.ts';
import type { ContentKind } from './kind.ts';

/**
 * `{"type":"contact","name":"Alice","phone":"15550001111"}`, or with a `vcard` of one's own instead
 * of `phone`.
 */
export const contact: ContentKind = {
  type: 'contact',
  build(input, { contextInfo }) {
    const displayName = input.text('name', 200);
    const vcard = input.optionalText('vcard') ?? vcardOf(displayName, input.text('phone', 30));
    return {
      message: { contactMessage: { displayName, vcard, contextInfo } },
      shape: { type: 'media', mediatype: 'vcard' },
    };
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

function vcardOf(name: string, phone: string): string {
  const digits = parsePhone(phone);
  if (digits === undefined) throw new InputError('phone', 'must be a phone number with country code');
  // `waid` is what makes the card lead to a chat.
  return ['BEGIN:VCARD', 'VERSION:3.0', `FN:${name}`, `TEL;type=CELL;waid=${digits}:+${digits}`, 'END:VCARD'].join(
    '\n',
  );
}
