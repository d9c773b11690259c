import { isGroup, type Jid, STATUS_BROADCAST } from '@ponte/engine';
import type { Input } from './content/input.ts';
import type { BuildContext, Built, ContentKind } from './content/kind.ts';
import { readContent } from './content/kinds.ts';
import { type Inbox, newEntry } from './inbox.ts';
import type { DeviceLink } from './network.ts';
import type { Outbound } from './outbound.ts';
import type { Sent } from './sending.ts';
import type { HistoryStore, OldChat, OldMessage } from './sync/history-store.ts';
import { encoded, type Message, proto } from './wa-proto.ts';

export interface PublishingParts {
  own: { jid: Jid; lid: Jid };
  link: DeviceLink;
  inbox: Inbox;
  outbound: Outbound;
  past: HistoryStore;
  context: () => BuildContext;
  newId: () => string;
  nowSeconds: () => number;
  /** One message after the other. */
  inOrder: <T>(work: () => Promise<T>) => Promise<T>;
}

/** An old message as a caller describes it; `from` is absent for the phone's own. */
export interface OldInput {
  from: Jid | undefined;
  /** Seconds since 1970. */
  at: number;
  kind: ContentKind;
  input: Input;
}

/**
 * What a phone writes outside of its chats: statuses, posts to channels, and the past it is given.
 */
export class Publishing {
  readonly #parts: PublishingParts;

  constructor(parts: PublishingParts) {
    this.#parts = parts;
  }

  /** Posts a status for these people. Throws InputError. */
  async postStatus(audience: Jid[], kind: ContentKind, input: Input): Promise<Sent> {
    const { context, inOrder, outbound } = this.#parts;
    const { message, shape } = await kind.build(input, context());
    return inOrder(async () => {
      const sent = this.#record(STATUS_BROADCAST, message);
      const takenAt = await outbound.postStatus(audience, sent.messageId, message, shape);
      return { ...sent, timestamp: takenAt ?? sent.timestamp };
    });
  }

  /**
   * Posts to a channel; the server refuses it (status `failed` in the inbox) unless this phone owns
   * the channel. Throws InputError.
   */
  async postToChannel(channel: Jid, kind: ContentKind, input: Input): Promise<Sent> {
    const { message, shape }: Built = await kind.build(input, this.#parts.context());
    const sent = this.#record(channel, message);
    const attrs: Record<string, string> = shape.mediatype === undefined ? {} : { mediatype: shape.mediatype };
    const takenAt = this.#parts.link.send({
      tag: 'message',
      attrs: { id: sent.messageId, to: channel, type: shape.type },
      content: [{ tag: 'plaintext', attrs, content: encoded(proto.Message, message) }],
    });
    return { ...sent, timestamp: takenAt ?? sent.timestamp };
  }

  /**
   * Gives the phone a past, to be handed to lines that are linked later: old messages of a chat, in
   * the order they came. Its inbox does not show them. Throws InputError.
   */
  async addHistory(chat: OldChat, messages: OldInput[]): Promise<void> {
    const { context, newId, own, past } = this.#parts;
    const { chatJid } = chat;
    const old: OldMessage[] = [];
    for (const { from, at, kind, input } of messages) {
      const { message } = await kind.build(input, context());
      const messageId = input.optionalText('message_id', 64) ?? newId();
      const raw = Buffer.from(encoded(proto.Message, message)).toString('base64');
      const pushName = input.optionalText('push_name', 100);
      const named = pushName === undefined ? {} : { pushName };
      const sender = isGroup(chatJid) ? { senderJid: from ?? own.lid } : {};
      old.push({ chatJid, messageId, fromMe: from === undefined, timestamp: at, raw, ...sender, ...named });
    }
    past.add(chat, old);
  }

  #record(chat: Jid, message: Message): Sent {
    const { own, inbox, newId, nowSeconds } = this.#parts;
    const sent = { messageId: newId(), timestamp: nowSeconds() };
    const content = readContent(message);
    if (content) {
      const entry = newEntry({ ...sent, chat, from: own.jid, fromMe: true, message, content });
      inbox.record({ ...entry, isOwnSend: true, senderJid: own.lid, status: 'pending' });
    }
    return sent;
  }
}
