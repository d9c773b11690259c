import type { RandomBytes } from '../signal/curve.ts';
import { pad, unpad } from '../signal/padding.ts';
import { type Message, proto } from './wa-proto.ts';

/** A message as it goes into a ciphertext. */
export function encodeMessage(message: Message, random: RandomBytes): Uint8Array {
  return pad(proto.Message.encode(message).finish(), random);
}

/** The message of a decrypted ciphertext. Throws when the bytes are none. */
export function decodeMessage(plaintext: Uint8Array): Message {
  return proto.Message.decode(unpad(plaintext));
}

/**
 * The copy of a sent message for an own linked device: it says to which chat it went (Baileys
 * messages-send.js, whatsmeow send.go).
 */
export function deviceSentCopy(message: Message, destinationJid: string): Message {
  return { deviceSentMessage: { destinationJid, message }, messageContextInfo: message.messageContextInfo };
}
