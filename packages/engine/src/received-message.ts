import type { Party } from './address.ts';
import type { MessageContent } from './content.ts';

export interface ReceivedMessage {
  /** WhatsApp's message id; unique per chat and sender. */
  id: string;
  chat: Party;
  sender: Party;
  /** Sent by this account: from its phone or another linked device. */
  fromMe: boolean;
  isGroup: boolean;
  /** The name the sender gave himself; empty when unknown. */
  pushName: string;
  /** Unix seconds, WhatsApp's clock. */
  timestamp: number;
  content: MessageContent;
  quotedId?: string;
  /** People named in the text. */
  mentions: Party[];
  /** All members of the group are mentioned. */
  mentionsAll: boolean;
  /** This account is mentioned, by itself or with all members. */
  mentionsMe: boolean;
  forwarded: boolean;
  viewOnce: boolean;
  /** Time from sending until it disappears; absent when it stays. */
  expiresInSeconds?: number;
  /** The decrypted protobuf `Message`, for quotes, media and secrets later. */
  proto: Uint8Array;
}

/**
 * How far a message came, in the order of truth: a later stage never goes back to an earlier one.
 */
export type MessageStatus = 'pending' | 'sent' | 'delivered' | 'read' | 'played' | 'failed';
