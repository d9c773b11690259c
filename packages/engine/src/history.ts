import type { Party } from './address.ts';
import type { Expiration } from './content.ts';
import type { AddressPair } from './parse/address-pairs.ts';
import type { MessageStatus, ReceivedMessage } from './received-message.ts';

/**
 * A part of the past that the phone offers after the pairing, or when it is asked to. What it says
 * is in a file of WhatsApp's, or in `reference` itself.
 */
export interface HistoryPart {
  /** The message that offered it. */
  id: string;
  /**
   * `bootstrap` the newest of every chat, `recent` the last months, `full` all of it, `names` what
   * people call themselves, `on_demand` what was asked for.
   */
  kind: 'bootstrap' | 'recent' | 'full' | 'names' | 'on_demand' | 'other';
  /** Its place among the parts of its kind, from 1. */
  order: number;
  /** 0 to 100: how much of its kind the phone has sent with it. */
  progress: number;
  /** Where it is and how it is read, in the engine's own words. */
  reference: Uint8Array;
}

/** A message of the past. */
export interface HistoryMessage extends ReceivedMessage {
  /** How far it came by then. */
  status: MessageStatus;
}

/** What the phone says of a chat. */
export interface HistoryChat {
  chat: Party;
  isGroup: boolean;
  /** A group's subject, or the name in the address book; empty when there is none. */
  name: string;
  unread: number;
  isArchived: boolean;
  /** How long its messages stay; absent when the phone does not say. */
  expiration?: Expiration;
}

/** Some of a part: little enough to be stored in one go. */
export type HistoryPiece =
  /** A chat, with some of its messages; a chat of many messages comes in several pieces. */
  | { type: 'chat'; chat: HistoryChat; messages: HistoryMessage[] }
  /** What people call themselves. */
  | { type: 'names'; names: { person: Party; pushName: string }[] }
  | { type: 'addresses'; pairs: AddressPair[] };
