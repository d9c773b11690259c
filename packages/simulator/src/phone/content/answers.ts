import { bareJid, isLid } from '@ponte/engine';
import type { AddressBook } from '../address-book.ts';
import type { Envelope } from '../envelope.ts';
import type { InboxEntry } from '../inbox.ts';
import type { Own } from './change.ts';
import type { Input } from './input.ts';
import { openAnswer, type SecretUse, secretOf } from './message-secret.ts';

const ADDRESSINGS = ['lid', 'pn'] as const;

/**
 * The names that an answer's key is made with: the author's as the message came, and our own in the
 * same addressing. A caller may wish others (`author_addressing`, `answerer_addressing`), as
 * clients in the field mix them.
 */
export function namesFor(target: InboxEntry, input: Input, context: { own: Own; book: AddressBook }) {
  const { own, book } = context;
  const usual = isLid(target.senderJid) ? 'lid' : 'pn';
  const wish = (name: string): 'lid' | 'pn' => (input.has(name) ? input.choice(name, ADDRESSINGS) : usual);
  const author = bareJid(target.senderJid);
  return {
    authorJid: wish('author_addressing') === 'lid' ? book.lid(author) : book.pn(author),
    answererJid: wish('answerer_addressing') === 'lid' ? own.lid : own.jid,
  };
}

/**
 * Opens an answer to a message. Clients disagree whether the key is made with phone numbers or
 * LIDs, so every pair of addresses of author and answerer is tried (as whatsmeow does). Undefined
 * when none fits.
 */
export function openAnyAnswer(
  target: InboxEntry,
  envelope: Envelope,
  { own, book }: { own: Own; book: AddressBook },
  use: SecretUse,
  sealed: { encPayload?: Uint8Array | null; encIv?: Uint8Array | null } | null | undefined,
): Uint8Array | undefined {
  const secret = secretOf(target);
  if (!secret || !sealed?.encPayload || !sealed.encIv) return undefined;
  const authors = new Set([...book.names(target.senderJid), target.from, ...(target.fromMe ? [own.lid, own.jid] : [])]);
  const answerers = new Set([
    ...book.names(envelope.device),
    envelope.from,
    ...(envelope.isFromMe ? [own.lid, own.jid] : []),
  ]);
  for (const authorJid of authors) {
    for (const answererJid of answerers) {
      const scope = { use, secret, messageId: target.messageId, authorJid, answererJid };
      const opened = openAnswer(scope, sealed.encPayload, sealed.encIv);
      if (opened) return opened;
    }
  }
  return undefined;
}
