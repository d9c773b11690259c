import type { Jid } from '@ponte/engine';
import { DurableList } from '../durable-list.ts';
import type { PhoneStore } from '../network.ts';

/** An old message: from before a line was linked. Addresses are those of the wire. */
export interface OldMessage {
  chatJid: Jid;
  messageId: string;
  fromMe: boolean;
  /** Who wrote it, in groups. */
  senderJid?: Jid;
  /** Seconds since 1970. */
  timestamp: number;
  pushName?: string;
  /** Bytes of the protobuf Message, base64. */
  raw: string;
}

/** What is known of a chat beside its messages. */
export interface OldChat {
  chatJid: Jid;
  /** The number, where it is disclosed. */
  pnJid?: Jid;
  name?: string;
  unread?: number;
  isArchived?: boolean;
  isPinned?: boolean;
}

export const OLD_MESSAGES_MAX = 20_000;
const OLD_CHATS_MAX = 5000;

/** The past of a phone, durable: what it hands to a new companion as history. */
export class HistoryStore {
  readonly #messages: DurableList<OldMessage>;
  readonly #chats: DurableList<OldChat>;

  constructor(store: PhoneStore) {
    this.#messages = new DurableList(store, 'history-message', OLD_MESSAGES_MAX);
    this.#chats = new DurableList(store, 'history-chat', OLD_CHATS_MAX);
  }

  add(chat: OldChat, messages: OldMessage[]): void {
    this.#chats.append(chat.chatJid, { ...this.#chats.get(chat.chatJid)?.value, ...chat });
    for (const message of messages) this.#messages.append(`${message.chatJid}|${message.messageId}`, message);
  }

  chats(): OldChat[] {
    return this.#chats.rows().map(({ value }) => value);
  }

  /** Oldest first. */
  messages(): OldMessage[] {
    const all = this.#messages.rows().map(({ value }) => value);
    return all.sort((a, b) => a.timestamp - b.timestamp);
  }
}
