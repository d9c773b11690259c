import { type Proto, proto } from 'zapo-js/proto';
import type { RandomBytes } from '../signal/curve.ts';
import { pad, unpad } from '../signal/padding.ts';

/** A message as it goes into a ciphertext. */
export function encodeMessage(message: Proto.IMessage, random: RandomBytes): Uint8Array {
  return pad(proto.Message.encode(message).finish(), random);
}

/** The message of a decrypted ciphertext. Throws when the bytes are none. */
export function decodeMessage(plaintext: Uint8Array): Proto.IMessage {
  return proto.Message.decode(unpad(plaintext));
}

/** The copy of a sent message for an own linked device: it says to which chat it went (Baileys messages-send.js, whatsmeow send.go). */
export function deviceSentCopy(message: Proto.IMessage, destinationJid: string): Proto.IMessage {
  return { deviceSentMessage: { destinationJid, message }, messageContextInfo: message.messageContextInfo };
}
