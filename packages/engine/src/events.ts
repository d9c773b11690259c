import type { Jid, Party } from './address.ts';
import type { GroupChange } from './groups.ts';
import type { HistoryPart } from './history.ts';
import type { MessageStatus, ReceivedMessage } from './received-message.ts';
import type { Restriction } from './restriction.ts';

/**
 * Why a content could not be read: `decryption_failed` (the sender was asked to send it again),
 * `unavailable` (WhatsApp gives it to phones only, as it does with some view-once messages),
 * `unsupported` (an encryption this version does not know), `malformed`.
 */
export type UndecryptableCause = 'decryption_failed' | 'unavailable' | 'unsupported' | 'malformed';

/**
 * What happened on a line, decoded from its inbox. Decoding the same inbox row again yields the
 * same events.
 */
export type EngineEvent =
  | { type: 'message'; message: ReceivedMessage }
  | {
      type: 'message.edited';
      /** The message that was edited. */
      id: string;
      /** The message that brought the edit; tells several edits of one message apart. */
      changeId: string;
      chat: Party;
      sender: Party;
      fromMe: boolean;
      pushName: string;
      body: string;
      timestamp: number;
    }
  | {
      type: 'message.revoked';
      id: string;
      chat: Party;
      sender: Party;
      fromMe: boolean;
      pushName: string;
      /** A group admin deleted another member's message; otherwise `sender` is its author. */
      byAdmin: boolean;
      timestamp: number;
    }
  | {
      type: 'reaction';
      id: string;
      targetId: string;
      chat: Party;
      sender: Party;
      fromMe: boolean;
      /** Empty when the reaction was taken back. */
      emoji: string;
      pushName: string;
      timestamp: number;
    }
  /**
   * A vote: all options chosen now, in the poll's order. Replaces the person's earlier vote; none =
   * withdrawn.
   */
  | {
      type: 'poll.vote';
      id: string;
      pollId: string;
      chat: Party;
      sender: Party;
      fromMe: boolean;
      pushName: string;
      options: string[];
      timestamp: number;
    }
  /** An answer to an invitation. Replaces the person's earlier answer. */
  | {
      type: 'event.response';
      id: string;
      eventId: string;
      chat: Party;
      sender: Party;
      fromMe: boolean;
      pushName: string;
      response: 'going' | 'not_going' | 'maybe';
      extraGuestCount: number;
      timestamp: number;
    }
  /** The stanza's content could not be decrypted; a re-send with the same id may follow. */
  | {
      type: 'message.undecryptable';
      id: string;
      chat: Party;
      sender: Party;
      fromMe: boolean;
      isGroup: boolean;
      pushName: string;
      timestamp: number;
      /** A vote, or an answer to an invitation: no message of its own. */
      isAnswer: boolean;
      cause: UndecryptableCause;
      /** The same in words, for people who look for the reason. */
      reason: string;
    }
  | {
      type: 'receipt';
      ids: string[];
      chat: Party;
      /** Who received or read; differs from the chat in groups. */
      by: Party;
      status: Extract<MessageStatus, 'sent' | 'delivered' | 'read' | 'played'>;
      timestamp: number;
    }
  | { type: 'typing'; chat: Party; sender: Party; state: 'composing' | 'paused'; mode: 'text' | 'voice' }
  | { type: 'call.incoming'; callId: string; from: Party; platform: string; video: boolean; timestamp: number }
  | {
      type: 'call.terminated';
      callId: string;
      from: Party;
      reason: 'timeout' | 'hangup' | 'decline' | 'busy';
      timestamp: number;
    }
  | {
      type: 'offline.preview';
      total: number;
      messages: number;
      notifications: number;
      receipts: number;
      appDataChanges: number;
    }
  | { type: 'offline.completed'; count: number }
  | { type: 'picture.updated'; of: Party; removed: boolean; pictureId?: string; timestamp: number }
  /**
   * Something about a group changed: by another member, or by this account on another of its
   * devices.
   */
  | {
      type: 'group.updated';
      /** The same change has the same id, however often it arrives. */
      id: string;
      group: Jid;
      /** Null when WhatsApp does not say who did it. */
      by: Party | null;
      change: GroupChange;
      timestamp: number;
    }
  /** The phone offers a part of the past: to be read once this is durable. No fact of its own. */
  | { type: 'history.offered'; part: HistoryPart }
  /**
   * The owner changed a setting on the phone (archived a chat, named a contact): `syncSettings`
   * fetches it. No fact of its own.
   */
  | { type: 'settings.changed' }
  /** WhatsApp limits what the account may do, until when and why, or lifted such a limit. */
  | ({ type: 'restricted'; timestamp: number } & Restriction)
  /** WhatsApp disclosed which number belongs to which LID. */
  | { type: 'address.mapped'; lid: Jid; pn: Jid }
  /**
   * How long messages of a private chat stay: a participant set it, or a message carried the
   * setting. No fact of its own. `setAt` orders these events.
   */
  | { type: 'chat.expiration'; chat: Party; seconds: number; setAt: number };
