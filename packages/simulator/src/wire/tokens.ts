import { decodeBinaryNode } from './wire-proto.ts';

const LIST_8 = 248;
const SINGLE_MAX = 235;
/** The four dictionaries stand behind one byte each. */
export const DICTIONARY_0 = 236;
const DICTIONARIES = 4;

/**
 * The bytes that stand for words of WhatsApp's token tables (dictionary version 3), by word. Taken
 * from the library's decoder, so that what is written is what it reads; its own tables are not
 * exported.
 */
export const TOKENS: ReadonlyMap<string, Uint8Array> = readTokens();

function readTokens(): Map<string, Uint8Array> {
  const tokens = new Map<string, Uint8Array>();
  const add = (...token: number[]): void => {
    const word = wordOf(token);
    if (word !== undefined && word !== '' && !tokens.has(word)) tokens.set(word, Uint8Array.from(token));
  };
  for (let token = 1; token <= SINGLE_MAX; token++) add(token);
  for (let book = 0; book < DICTIONARIES; book++) {
    for (let index = 0; index < 256; index++) add(DICTIONARY_0 + book, index);
  }
  return tokens;
}

// A stanza of nothing but its tag: what the tag's bytes say. Undefined for bytes that no word
// stands behind.
function wordOf(token: number[]): string | undefined {
  try {
    return decodeBinaryNode(Uint8Array.from([LIST_8, 1, ...token])).tag;
  } catch {
    return undefined;
  }
}
