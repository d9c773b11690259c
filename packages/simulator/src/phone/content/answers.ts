import { bareJid, isLid } from '@ponte/engine';
import type { Envelope } from '../envelope.ts';
import type { InboxEntry } from '../inbox.ts';
import type { Own } from './change.ts';
import { openAnswer, type SecretUse, secretOf } from './message-secret.ts';

/** Under which own address an answer to this message is made: by LID where the message came by LID, else by phone number. */
export function answererOf(target: InboxEntry, own: Own): string {
  return isLid(target.senderJid) ? own.lid : own.jid;
}

/**
 * Opens an answer to a message. Clients disagree whether the key is made with phone numbers or LIDs, so every pair of addresses of
 * author and answerer is tried (as whatsmeow does). Undefined when none fits.
 */
export function openAnyAnswer(
  target: InboxEntry,
  envelope: Envelope,
  own: Own,
  use: SecretUse,
  sealed: { encPayload?: Uint8Array | null; encIv?: Uint8Array | null } | null | undefined,
): Uint8Array | undefined {
  const secret = secretOf(target);
  if (!secret || !sealed?.encPayload || !sealed.encIv) return undefined;
  const authors = new Set([target.senderJid, target.from, ...(target.fromMe ? [own.lid, own.jid] : [])]);
  const answerers = new Set([
    bareJid(envelope.device),
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
