import { createCipheriv, createDecipheriv } from 'node:crypto';
import { hkdf } from '../../signal/kdf.ts';
import { type InboxEntry, messageOf } from '../inbox.ts';

/** What an answer to a message is encrypted for; part of the key. */
export type SecretUse = 'Poll Vote' | 'Event Response' | 'Message Edit';

/** Only these are bound to their answerer by associated data, too. */
const WITH_DATA: readonly SecretUse[] = ['Poll Vote', 'Event Response'];

export interface SecretScope {
  use: SecretUse;
  /** The secret that the original message carries in its messageContextInfo. */
  secret: Uint8Array;
  messageId: string;
  /** Author of the original message, without device. */
  authorJid: string;
  /** Author of the answer, without device. */
  answererJid: string;
}

const TAG_BYTES = 16;

/**
 * Encrypts an answer to a message so that only those who have the message can read it (scheme:
 * whatsmeow msgsecret.go).
 */
export function sealAnswer(scope: SecretScope, plaintext: Uint8Array, iv: Uint8Array): Uint8Array {
  const cipher = createCipheriv('aes-256-gcm', keyOf(scope), iv).setAAD(associatedData(scope));
  return Uint8Array.from(Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]));
}

/** Undefined when the key or the addresses do not fit. */
export function openAnswer(scope: SecretScope, sealed: Uint8Array, iv: Uint8Array): Uint8Array | undefined {
  if (sealed.length < TAG_BYTES) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', keyOf(scope), iv)
    .setAAD(associatedData(scope))
    .setAuthTag(sealed.subarray(-TAG_BYTES));
  try {
    return Uint8Array.from(Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]));
  } catch {
    // A wrong tag: this pair of addresses is not the one the answer was made with.
    return undefined;
  }
}

/** The secret of a message in the inbox; undefined when it carries none. */
export function secretOf(entry: InboxEntry): Uint8Array | undefined {
  return messageOf(entry)?.messageContextInfo?.messageSecret ?? undefined;
}

function keyOf({ use, secret, messageId, authorJid, answererJid }: SecretScope): Uint8Array {
  return hkdf(secret, `${messageId}${authorJid}${answererJid}${use}`, 32);
}

function associatedData({ use, messageId, answererJid }: SecretScope): Uint8Array {
  return Buffer.from(WITH_DATA.includes(use) ? `${messageId}\0${answererJid}` : '');
}
