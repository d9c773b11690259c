import { bareJid, type Jid, type Node, sameUser } from '@ponte/engine';
import type { AddressBook } from './address-book.ts';
import { isShared } from './shared-chat.ts';

/** Who a message stanza is from and where it belongs, before anything is decrypted. */
export interface Envelope {
  messageId: string;
  /** Chat to show. */
  chat: Jid;
  /** Address of the chat on the wire. */
  chatJid: Jid;
  /** Person to show. */
  from: Jid;
  /** Device that sent it, as the stanza names it. */
  device: Jid;
  isFromMe: boolean;
  /** Between devices of this account only (keys, history, requests). */
  isPeer: boolean;
  /** Seconds since 1970. */
  timestamp: number;
  pushName: string | undefined;
  /** What the stanza says it does to another message: 1 edit, 7 revoke, 8 revoke by an admin. */
  edit: string | undefined;
}

/**
 * Reads the attributes of a message stanza and learns the pairs of LID and phone number it carries
 * (`sender_pn`, `sender_lid`, `participant_pn`, `participant_lid`, `recipient_pn`, `recipient_lid`,
 * `peer_recipient_pn`, `peer_recipient_lid`: Baileys decode-wa-message.js). Undefined without id or
 * from.
 */
export function readEnvelope(node: Node, book: AddressBook, own: { jid: Jid; lid: Jid }): Envelope | undefined {
  const { id, from, participant, recipient, t, notify, category, edit } = node.attrs;
  if (!id || !from) return undefined;
  const device = participant ?? from;
  const { sender_pn, sender_lid, participant_pn, participant_lid, recipient_pn, recipient_lid } = node.attrs;
  const { peer_recipient_pn, peer_recipient_lid } = node.attrs;
  for (const other of [sender_pn, sender_lid, participant_pn, participant_lid]) book.learn(device, other);
  for (const other of [recipient_pn, recipient_lid, peer_recipient_pn, peer_recipient_lid])
    book.learn(recipient, other);
  const isFromMe = sameUser(device, own.jid) || sameUser(device, own.lid);
  const chatJid = isShared(from) ? from : bareJid(isFromMe && recipient ? recipient : from);
  return {
    messageId: id,
    chat: book.shown(chatJid),
    chatJid,
    from: book.shown(device),
    device,
    isFromMe,
    isPeer: category === 'peer',
    timestamp: Number(t ?? 0),
    pushName: notify,
    edit,
  };
}
