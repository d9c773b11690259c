import type { Content } from './content/kind.ts';
import { DurableList, type Row } from './durable-list.ts';
import type { FileState } from './media/file-state.ts';
import type { PhoneStore } from './network.ts';
import { isShared } from './shared-chat.ts';
import { encoded, type Message, proto } from './wa-proto.ts';

/** How far an own message got; for messages of others it stays `received`. */
export type MessageStatus = 'received' | 'pending' | 'sent' | 'delivered' | 'read' | 'played' | 'failed';

/**
 * A message as this phone shows it. Addresses are phone-number JIDs where the number is known,
 * without device.
 */
export interface InboxEntry {
  messageId: string;
  chat: string;
  from: string;
  fromMe: boolean;
  /** Written on this phone; false for what it decrypted, own linked devices included. */
  isOwnSend: boolean;
  /** The address the sender used on the wire; keys of votes and answers are bound to it. */
  senderJid: string;
  /** Seconds since 1970, by the server's clock. */
  timestamp: number;
  pushName?: string;
  content: Content;
  /** Bytes of the protobuf Message, base64; absent when it could not be decrypted. */
  raw?: string;
  status: MessageStatus;
  /** The state of the file that came with the message; absent for messages without one. */
  fileState?: FileState;
  /** Number the server gave for a refused send. */
  errorCode?: number;
  /** How often the same id arrived. */
  copies: number;
  isEdited: boolean;
  isRevoked: boolean;
  isRead: boolean;
  reactions: { from: string; emoji: string }[];
  votes: { from: string; options: string[] }[];
  answers: { from: string; response: string; extraGuestCount: number }[];
  /** Own group messages: how far they got with each member (the first 100 that answered). */
  receipts?: { from: string; status: MessageStatus }[];
}

export interface Chat {
  chat: string;
  lastMessageAt: number;
  unread: number;
}

/**
 * A message that has just arrived or is just being sent; `isOwnSend`, `senderJid` and `status` are
 * the caller's.
 */
export function newEntry(
  about: Pick<InboxEntry, 'messageId' | 'chat' | 'from' | 'fromMe' | 'timestamp' | 'content'> & {
    message: Message | undefined;
  },
): Omit<InboxEntry, 'isOwnSend' | 'senderJid' | 'status'> {
  const { message, ...rest } = about;
  return {
    ...rest,
    ...(message ? { raw: Buffer.from(encoded(proto.Message, message)).toString('base64') } : {}),
    copies: 1,
    isEdited: false,
    isRevoked: false,
    isRead: about.fromMe,
    reactions: [],
    votes: [],
    answers: [],
  };
}

/** The message of an entry; undefined when it could not be decrypted or was deleted. */
export function messageOf(entry: InboxEntry): Message | undefined {
  return entry.raw === undefined ? undefined : proto.Message.decode(Buffer.from(entry.raw, 'base64'));
}

export const INBOX_MAX_ENTRIES = 2000;
const RECEIPTS_MAX = 100;

const PROGRESS: MessageStatus[] = ['pending', 'sent', 'delivered', 'read', 'played'];

/** Everything a phone shows, bounded and durable, in the order it arrived. */
export class Inbox {
  readonly #own: string;
  readonly #list: DurableList<InboxEntry>;
  readonly #nowMs: () => number;
  /** When the next disappearing message goes; undefined until the list was looked through. */
  #nextEndMs: number | undefined;

  /** `own` is this phone's number as JID: the `from` of its own messages. */
  constructor(store: PhoneStore, own: string, nowMs: () => number) {
    this.#own = own;
    this.#list = new DurableList(store, 'inbox', INBOX_MAX_ENTRIES);
    this.#nowMs = nowMs;
  }

  /**
   * Adds a message. The same id of the same sender in the same chat is not added again: it counts
   * as a copy, or takes the place of what could not be decrypted before.
   */
  record(entry: InboxEntry): void {
    const key = keyOf(entry);
    const known = this.#list.get(key)?.value;
    if (known && known.content.type !== 'undecryptable') {
      if (entry.content.type !== 'undecryptable') this.countCopy(entry.chat, entry.from, entry.messageId);
      return;
    }
    this.#list.append(key, entry);
    if (this.#nextEndMs !== undefined) this.#nextEndMs = Math.min(this.#nextEndMs, endMs(entry));
  }

  /** Counts another arrival of a message that is here. False when it is not. */
  countCopy(chat: string, from: string, messageId: string): boolean {
    const change = (entry: InboxEntry) => ({ ...entry, copies: entry.copies + 1 });
    return this.#list.update(keyOf({ chat, from, messageId }), change) !== undefined;
  }

  find(chat: string, messageId: string): InboxEntry | undefined {
    return this.#row(chat, messageId)?.value;
  }

  /** Changes the message with this id in this chat. Undefined when it is not (any more) here. */
  update(chat: string, messageId: string, change: (entry: InboxEntry) => InboxEntry): InboxEntry | undefined {
    const row = this.#row(chat, messageId);
    return row && this.#list.update(row.key, change);
  }

  /** Moves an own message forward (never back: a late "delivered" does not undo "read"). */
  advance(chat: string, messageId: string, status: MessageStatus): void {
    this.update(chat, messageId, (entry) => {
      const isForward = PROGRESS.indexOf(status) > PROGRESS.indexOf(entry.status);
      return entry.fromMe && isForward ? { ...entry, status } : entry;
    });
  }

  /**
   * A member has got (or read, or played) an own group message; the message itself moves forward
   * with the first one.
   */
  noteMember(chat: string, messageId: string, from: string, status: MessageStatus): void {
    this.advance(chat, messageId, status);
    this.update(chat, messageId, (entry) => {
      const known = entry.receipts ?? [];
      const before = known.find((receipt) => receipt.from === from);
      const isForward = !before || PROGRESS.indexOf(status) > PROGRESS.indexOf(before.status);
      if (!entry.fromMe || !isForward || (!before && known.length >= RECEIPTS_MAX)) return entry;
      return { ...entry, receipts: [...known.filter((receipt) => receipt !== before), { from, status }] };
    });
  }

  /** An own message that the server has answered: `errorCode` when it refused. */
  settle(chat: string, messageId: string, timestamp: number | undefined, errorCode: number | undefined): void {
    this.#list.update(keyOf({ chat, from: this.#own, messageId }), (entry) => ({
      ...entry,
      timestamp: timestamp ?? entry.timestamp,
      status: errorCode !== undefined ? 'failed' : entry.status === 'pending' ? 'sent' : entry.status,
      ...(errorCode === undefined ? {} : { errorCode }),
    }));
  }

  /** An own message never left: the send was refused here. */
  fail(chat: string, messageId: string): void {
    this.#list.update(keyOf({ chat, from: this.#own, messageId }), (entry) => ({ ...entry, status: 'failed' }));
  }

  /**
   * Messages after a sequence number, oldest first. What this phone wrote itself is only there when
   * asked for.
   */
  page(filter: { after: number; chat: string | undefined; isWithOwnSends: boolean }): Row<InboxEntry>[] {
    return this.#rows().filter(({ seq, value }) => {
      const isAsked = filter.chat === undefined || value.chat === filter.chat;
      return seq > filter.after && isAsked && (filter.isWithOwnSends || !value.isOwnSend);
    });
  }

  /**
   * The person with this LID is the one with this number: what was shown under the LID is shown
   * under the number.
   */
  unite(lid: string, pn: string): void {
    const named = (name: string): string => (name === lid ? pn : name);
    for (const { key, value } of this.#list.rows()) {
      if (value.chat !== lid && value.from !== lid) continue;
      const entry = { ...value, chat: named(value.chat), from: named(value.from) };
      this.#list.rename(key, keyOf(entry), () => entry);
    }
  }

  /** The newest message of a chat. */
  last(chat: string): InboxEntry | undefined {
    return this.#rows().findLast(({ value }) => value.chat === chat)?.value;
  }

  /** Marks everything others wrote in a chat as read. */
  readAll(chat: string): void {
    for (const { key, value } of this.#list.rows()) {
      if (value.chat === chat && !value.isRead) this.#list.update(key, (entry) => ({ ...entry, isRead: true }));
    }
  }

  /** Every chat with a message in it, the newest first. */
  chats(): Chat[] {
    const chats = new Map<string, Chat>();
    for (const { value } of this.#rows()) {
      const chat = chats.get(value.chat) ?? { chat: value.chat, lastMessageAt: 0, unread: 0 };
      chat.lastMessageAt = Math.max(chat.lastMessageAt, value.timestamp);
      if (!value.fromMe && !value.isRead) chat.unread += 1;
      chats.set(value.chat, chat);
    }
    return [...chats.values()].sort((a, b) => b.lastMessageAt - a.lastMessageAt);
  }

  /** Call when a transaction of the store failed. */
  reload(): void {
    this.#list.reload();
  }

  // Disappeared messages are removed before each read.
  #rows(): Row<InboxEntry>[] {
    const rows = this.#list.rows();
    const now = this.#nowMs();
    if (this.#nextEndMs !== undefined && this.#nextEndMs > now) return rows;
    const staying = rows.filter(({ value }) => endMs(value) > now);
    if (staying.length < rows.length) {
      for (const { key, value } of rows) if (endMs(value) <= now) this.#list.remove(key);
    }
    this.#nextEndMs = staying.reduce((soonest, { value }) => Math.min(soonest, endMs(value)), Number.POSITIVE_INFINITY);
    return staying;
  }

  // In a chat of two a message is from one or the other; in a group any member may be the author.
  #row(chat: string, messageId: string): Row<InboxEntry> | undefined {
    if ((this.#nextEndMs ?? 0) <= this.#nowMs()) this.#rows();
    const known =
      this.#list.get(keyOf({ chat, from: this.#own, messageId })) ??
      this.#list.get(keyOf({ chat, from: chat, messageId }));
    if (known || !isShared(chat)) return known;
    return this.#list.rows().findLast(({ value }) => value.messageId === messageId && value.chat === chat);
  }
}

/**
 * When a disappearing message is gone: so long after it was sent (WhatsApp counts from there, not
 * from reading).
 */
function endMs({ timestamp, content }: InboxEntry): number {
  const seconds = content.fields?.ephemeral_seconds;
  return typeof seconds === 'number' && seconds > 0 ? (timestamp + seconds) * 1000 : Number.POSITIVE_INFINITY;
}

function keyOf(entry: Pick<InboxEntry, 'chat' | 'from' | 'messageId'>): string {
  return `${entry.chat}|${entry.from}|${entry.messageId}`;
}
