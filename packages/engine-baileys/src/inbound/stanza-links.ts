import { createHash } from 'node:crypto';
import type { Node } from '@ponte/engine';

/** Where a ciphertext came from. */
export interface CiphertextSource {
  stanza: Node;
  /** Which `<enc>` of the stanza, from 0. */
  encIndex: number;
  /** Address of the device that encrypted it, as the stanza says. */
  author: string;
}

/**
 * Finds the stanza of a ciphertext again when Baileys asks for its decryption: Baileys hands the
 * very same bytes object through (decode-wa-message.js), so the object itself is the key. Entries
 * go with their stanza.
 */
export class StanzaLinks {
  readonly #sources = new WeakMap<Uint8Array, CiphertextSource>();

  add(stanza: Node): void {
    const author = stanza.attrs.participant ?? stanza.attrs.from ?? '';
    encryptedParts(stanza).forEach((part, encIndex) => {
      if (part.content instanceof Uint8Array) this.#sources.set(part.content, { stanza, encIndex, author });
    });
  }

  /** Throws for bytes of no stanza: nothing may be decrypted that could not be sealed. */
  of(ciphertext: Uint8Array): CiphertextSource {
    const source = this.#sources.get(ciphertext);
    if (!source) throw new Error('the ciphertext belongs to no stanza');
    return source;
  }
}

/** The `<enc>` children, in order. */
export function encryptedParts(stanza: Node): Node[] {
  return Array.isArray(stanza.content) ? stanza.content.filter((part) => part.tag === 'enc') : [];
}

/**
 * The stanza without its ciphertexts: they are of no use once decrypted, or once decryption failed.
 */
export function withoutCiphertext(stanza: Node): Node {
  if (!Array.isArray(stanza.content)) return stanza;
  const content = stanza.content.map(({ tag, attrs, content }) =>
    tag === 'enc' || content === undefined ? { tag, attrs } : { tag, attrs, content },
  );
  return { ...stanza, content };
}

/**
 * Identifies a ciphertext for good: hex SHA-256 over how, by whom and what. Redeliveries carry all
 * three unchanged.
 */
export function envelopeHash(kind: string, author: string, ciphertext: Uint8Array): string {
  return createHash('sha256').update(`${kind}\0${author}\0`).update(ciphertext).digest('hex');
}
