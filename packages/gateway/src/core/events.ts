import type {
  GroupChange,
  Jid,
  MessageContent,
  MessageStatus,
  Party,
  Restriction,
  UndecryptableCause,
} from '@ponte/engine';
import type { LineReason } from './line-reasons.ts';
import type { LineStatus, Mode } from './lines.ts';
import type { LineProblemFacts } from './problems.ts';

/**
 * A message as the journal keeps it: everything both dialects need to render it, and nothing else.
 */
export interface MessageFacts {
  messageId: string;
  chat: Party;
  sender: Party;
  fromMe: boolean;
  isGroup: boolean;
  pushName: string;
  timestamp: number;
  content: MessageContent;
  quotedId: string | null;
  /** People named in the text. Plain addresses in facts of earlier versions. */
  mentions: (Party | Jid)[];
  /** Facts of earlier versions say nothing of what follows. */
  mentionsAll?: boolean;
  /** This account is mentioned, by itself or with all members. */
  mentionsMe?: boolean;
  forwarded?: boolean;
  viewOnce?: boolean;
  /** Time from sending until it disappears; absent when it stays. */
  expiresInSeconds?: number;
  /** Its text was changed: when last (Unix seconds), and by whom. */
  edited?: { at: number; by: Party };
  /** It was deleted for everyone; its content is gone. */
  revoked?: { at: number; by: Party; byAdmin: boolean };
  /** The step of a trace that journaled it, where traces are on. */
  traceparent?: string;
}

/**
 * What happened, in our words, by type. The journal stores `type` and this payload; dialects render
 * from it.
 */
export interface EventPayloads {
  /** A message came in, or one was sent from another device of the account (`fromMe`). */
  'message.received': MessageFacts;
  /** A message of ours reached WhatsApp. */
  'message.sent': MessageFacts;
  'message.status': {
    messageId: string;
    chat: Party;
    status: MessageStatus;
    timestamp: number;
    error: { code: string; message: string; whatsappCode?: number } | null;
    /**
     * Of messages to groups: how many members are known to have got, read and played it by then.
     */
    counts?: { delivered: number; read: number; played: number };
  };
  /** One member of a group has got, read or played a message of ours; only for those who ask. */
  'message.receipt': {
    messageId: string;
    chat: Party;
    by: Party;
    status: Extract<MessageStatus, 'delivered' | 'read' | 'played'>;
    timestamp: number;
  };
  'message.edited': {
    messageId: string;
    chat: Party;
    sender: Party;
    fromMe: boolean;
    /** Missing in events of the first versions. */
    pushName?: string;
    body: string;
    timestamp: number;
  };
  'message.revoked': {
    messageId: string;
    chat: Party;
    sender: Party;
    fromMe: boolean;
    /** Missing in events of the first versions. */
    pushName?: string;
    /** A group admin deleted another member's message; otherwise `sender` is its author. */
    byAdmin: boolean;
    timestamp: number;
  };
  'message.reaction': {
    messageId: string;
    targetId: string;
    chat: Party;
    sender: Party;
    fromMe: boolean;
    emoji: string;
    pushName: string;
    timestamp: number;
  };
  /** All options chosen now; none = the vote was withdrawn. */
  'poll.vote': {
    messageId: string;
    pollId: string;
    chat: Party;
    sender: Party;
    fromMe: boolean;
    pushName: string;
    options: string[];
    timestamp: number;
  };
  'event.response': {
    messageId: string;
    eventId: string;
    chat: Party;
    sender: Party;
    fromMe: boolean;
    pushName: string;
    response: 'going' | 'not_going' | 'maybe';
    extraGuestCount: number;
    timestamp: number;
  };
  /**
   * A message whose content could not be read. When the sender sends it again, `message.received`
   * follows with the same id.
   */
  'message.undecryptable': {
    messageId: string;
    chat: Party;
    sender: Party;
    fromMe: boolean;
    isGroup: boolean;
    pushName: string;
    timestamp: number;
    /** A vote, or an answer to an invitation: no message of its own. */
    isAnswer: boolean;
    cause: UndecryptableCause;
    reason: string;
  };
  /** A chat was put into the archive or taken out of it, here or on the phone. */
  'chat.archived': { chat: Party; archived: boolean; timestamp: number };
  /**
   * Something about a group changed: by another member, or by this account on another of its
   * devices. `by` null: WhatsApp did not say.
   */
  'group.updated': { group: Jid; by: Party | null; change: GroupChange; timestamp: number };
  'line.status': {
    status: LineStatus;
    previous: LineStatus;
    phone: string | null;
    reason: LineReason | null;
    /** Unix milliseconds of the told end. These two are missing in events of the first versions. */
    until?: number | null;
    /** WhatsApp's own code behind the reason. */
    whatsappCode?: number | null;
  };
  /**
   * WhatsApp limits what the line's account may do, or lifted such a limit. `until`: Unix seconds,
   * null when WhatsApp did not say.
   */
  'line.restricted': Restriction & { timestamp: number };
  typing: { chat: Party; sender: Party; state: 'composing' | 'paused'; mode: 'text' | 'voice' };
  'call.incoming': { callId: string; from: Party; platform: string; video: boolean; timestamp: number };
  'call.terminated': {
    callId: string;
    from: Party;
    reason: 'timeout' | 'hangup' | 'decline' | 'busy';
    timestamp: number;
  };
  'offline.preview': {
    total: number;
    messages: number;
    notifications: number;
    receipts: number;
    appDataChanges: number;
  };
  'offline.completed': { count: number };
  'picture.updated': { of: Party; removed: boolean; pictureId: string | null; timestamp: number };
  /** A line is down, or its messages do not leave; told again with `resolved` when it is over. */
  'line.problem': LineProblemFacts;
  /** A key wants to send something that needs a person's yes. What it says is not told here. */
  'approval.requested': {
    approvalId: string;
    operation: string;
    /** Who is to get it, as the key gave it. */
    to: string | null;
    /** The name of the key. */
    askedBy: string;
    /** Unix milliseconds. */
    expiresAt: number;
  };
  'webhook.test': { note: string };
  /**
   * A webhook was switched off by us: it failed for days on end, or answered 410. Told to the
   * account's other webhooks.
   */
  'webhook.disabled': {
    webhookId: string;
    reason: 'failing' | 'gone';
    failingSince: number | null;
    /** Of the webhook. Missing in events of the first versions. */
    mode?: Mode;
  };
}

export type EventType = keyof EventPayloads;

/** One entry of the journal. */
export type JournalEvent = {
  [T in EventType]: {
    id: string;
    /** Grows with every event of the installation; the cursor of live streams. */
    seq: number;
    accountId: string;
    lineId: string;
    type: T;
    payload: EventPayloads[T];
    /** Unix milliseconds. */
    createdAt: number;
  };
}[EventType];

/** A new event before the journal gave it id and seq. */
export type NewEvent = {
  [T in EventType]: {
    type: T;
    payload: EventPayloads[T];
    /** The same fact always has the same key: the journal takes it once per line. */
    dedupeKey: string;
    /** Deliveries of one chat keep their order; null = no order. */
    chat: string | null;
  };
}[EventType];

/**
 * How long after the event a delivery still makes sense. Typing is worthless a minute later; all
 * else is kept for days.
 */
export const DELIVER_WITHIN_MS: Partial<Record<EventType, number>> = { typing: 30_000 };
