import { bareJid, bytes, child, childrenOf, isNewsletter, type Node, sameUser } from '@ponte/engine';
import type { SignalDevice } from '../signal/signal-device.ts';
import { SignalError, type SignalFailure } from '../signal/signal-error.ts';
import type { AddressBook } from './address-book.ts';
import { applyChange } from './content/changes.ts';
import type { Content } from './content/kind.ts';
import { readContent, unwrap } from './content/kinds.ts';
import type { Envelope } from './envelope.ts';
import { type Inbox, type InboxEntry, newEntry } from './inbox.ts';
import { decodeMessage } from './message-bytes.ts';
import type { PhoneStore } from './network.ts';
import { isShared } from './shared-chat.ts';
import type { Timers } from './timers.ts';
import { type Message, proto } from './wa-proto.ts';

export interface InboundParts {
  own: { jid: string; lid: string };
  store: PhoneStore;
  signal: SignalDevice;
  book: AddressBook;
  inbox: Inbox;
  timers: Timers;
}

/**
 * The outcome of a message stanza. `retry`: it cannot be decrypted and should be asked for again;
 * `rejected`: decrypted but no valid message, asking again would not help; `peer`: an own device
 * says something to this one.
 */
export type Reception =
  | { outcome: 'shown'; entry: InboxEntry }
  | { outcome: 'peer'; message: Message }
  | { outcome: 'applied' | 'duplicate' | 'rejected' }
  | { outcome: 'retry'; reason: SignalFailure | 'empty' };

/**
 * Decrypts a message and puts it into the inbox, in one transaction: the ratchet never moves
 * without the message being kept.
 */
export class Inbound {
  readonly #parts: InboundParts;

  constructor(parts: InboundParts) {
    this.#parts = parts;
  }

  accept(envelope: Envelope, node: Node): Reception {
    const { inbox, store } = this.#parts;
    try {
      return store.transaction(() => this.#decryptAndShow(envelope, node));
    } catch (error) {
      inbox.reload();
      if (!(error instanceof SignalError)) throw error;
      if (error.reason === 'duplicate') {
        inbox.countCopy(envelope.chat, envelope.from, envelope.messageId);
        return { outcome: 'duplicate' };
      }
      inbox.record(entryOf(envelope, undecryptable(error.reason), undefined));
      return { outcome: 'retry', reason: error.reason };
    }
  }

  #decryptAndShow(envelope: Envelope, node: Node): Reception {
    const { inbox, timers } = this.#parts;
    const posted = isNewsletter(envelope.chatJid) ? bytes(child(node, 'plaintext')) : undefined;
    if (posted) return this.#showPost(envelope, posted);
    const parts = childrenOf(node, 'enc');
    if (parts.length === 0) {
      inbox.record(entryOf(envelope, undecryptable('empty'), undefined));
      return { outcome: 'retry', reason: 'empty' };
    }
    let message: Message = {};
    for (const part of parts) {
      const plaintext = this.#decrypt(envelope, part);
      const decoded = this.#read(envelope, plaintext);
      if (!decoded) return { outcome: 'rejected' };
      message = { ...message, ...decoded };
    }
    if (envelope.isPeer) return envelope.isFromMe ? { outcome: 'peer', message } : { outcome: 'rejected' };
    const content = unwrap(message);
    if (timers.take(content, envelope)) return { outcome: 'applied' };
    if (applyChange(content, envelope, this.#parts)) return { outcome: 'applied' };
    const shown = readContent(content);
    if (!shown) return { outcome: 'applied' };
    const entry = entryOf(envelope, shown, content);
    inbox.record(entry);
    return { outcome: 'shown', entry };
  }

  // What is posted to a channel is not encrypted, and not padded.
  #showPost(envelope: Envelope, posted: Uint8Array): Reception {
    const message = orUndefined(() => proto.Message.decode(posted));
    const shown = message && readContent(unwrap(message));
    if (!message || !shown) return { outcome: 'rejected' };
    const entry = entryOf(envelope, shown, unwrap(message));
    this.#parts.inbox.record(entry);
    return { outcome: 'shown', entry };
  }

  #decrypt(envelope: Envelope, part: Node): Uint8Array {
    const { signal, book } = this.#parts;
    const { type } = part.attrs;
    if (!(part.content instanceof Uint8Array)) throw new SignalError('malformed');
    const address = book.session(envelope.device);
    if (type === 'pkmsg' || type === 'msg') return signal.decrypt(address, type, part.content);
    if (type === 'skmsg') return signal.decryptGroup(envelope.chatJid, address, part.content);
    throw new SignalError('malformed');
  }

  // The protobuf inside, without the wrapper of own linked devices. Undefined for bytes that are no
  // message, and for a wrapper from another account: only own devices may say that a message is
  // ours.
  #read(envelope: Envelope, plaintext: Uint8Array): Message | undefined {
    const message = orUndefined(() => decodeMessage(plaintext));
    if (!message) return undefined;
    const copy = message.deviceSentMessage;
    if (copy && !envelope.isFromMe) return undefined;
    const { messageContextInfo } = message;
    const inner: Message = copy?.message ? { messageContextInfo, ...copy.message } : message;
    const distribution = message.senderKeyDistributionMessage ?? inner.senderKeyDistributionMessage;
    const { groupId, axolotlSenderKeyDistributionMessage: key } = distribution ?? {};
    if (groupId && key && isShared(envelope.chatJid) && sameUser(groupId, envelope.chatJid)) {
      this.#parts.signal.acceptDistribution(groupId, this.#parts.book.session(envelope.device), key);
    }
    return inner;
  }
}

function orUndefined(decode: () => Message): Message | undefined {
  try {
    return decode();
  } catch {
    // Whatever the decoder found wrong: the answer to the sender is the same nack
    // (InvalidProtobuf).
    return undefined;
  }
}

function undecryptable(reason: string): Content {
  return { type: 'undecryptable', fields: { reason } };
}

function entryOf(envelope: Envelope, content: Content, message: Message | undefined): InboxEntry {
  const { messageId, chat, from, isFromMe: fromMe, timestamp, pushName } = envelope;
  return {
    ...newEntry({ messageId, chat, from, fromMe, timestamp, content, message }),
    isOwnSend: false,
    senderJid: bareJid(envelope.device),
    ...(pushName === undefined ? {} : { pushName }),
    status: fromMe ? 'sent' : 'received',
  };
}
