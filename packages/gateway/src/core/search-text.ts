import { type MessageContent, vcardPhones } from '@ponte/engine';

/** Words of one text that are searched for, at most; the rest of a long message cannot be found. */
const MAX_WORDS = 2_000;
/** Words of a query; more say nothing more. */
const MAX_QUERY_WORDS = 10;

/**
 * The words of a text as the search knows them: lower case, without accents, apart from everything
 * that is no letter or number. Both databases index this form, so that the same query finds the
 * same messages on either. A text of emoji alone has no words.
 */
export function searchWords(text: string): string[] {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
  return (plain.match(/[\p{L}\p{N}]+/gu) ?? []).slice(0, MAX_WORDS);
}

/** What is stored beside a message for the search. */
export const searchText = (text: string): string => searchWords(text).join(' ');

/**
 * The words that a message must have; each may be the beginning of a longer one. Empty: the query
 * says nothing.
 */
export const queryWords = (query: string): string[] => [...new Set(searchWords(query))].slice(0, MAX_QUERY_WORDS);

/**
 * Everything in a message that people would look for, with line breaks between: its body, and what
 * its kind adds.
 */
export function textsOf(content: MessageContent): string {
  const { body, location, contacts = [], poll, event, media, linkPreview } = content;
  const cards = contacts.flatMap(({ name, vcard }) => [name, ...vcardPhones(vcard)]);
  return [
    body,
    location?.name,
    location?.address,
    ...cards,
    ...(poll?.options ?? []),
    event?.description,
    event?.location,
    event?.place?.address,
    media?.fileName,
    linkPreview?.title,
    linkPreview?.description,
  ]
    .filter((text) => text)
    .join('\n');
}
