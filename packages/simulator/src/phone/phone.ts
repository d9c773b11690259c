import { bareJid, child, intAttr, type Jid, type Node, parseJid, sameUser } from '@ponte/engine';
import { type Proto, proto } from 'zapo-js/proto';
import { SignalDevice } from '../signal/signal-device.ts';
import { AddressBook } from './address-book.ts';
import { Input } from './content/input.ts';
import type { ContentKind } from './content/kind.ts';
import { readContent } from './content/kinds.ts';
import { text } from './content/text.ts';
import { Directory } from './directory.ts';
import { type Envelope, readEnvelope } from './envelope.ts';
import { Inbound } from './inbound.ts';
import { Inbox, type InboxEntry, type MessageStatus } from './inbox.ts';
import { bundleOfRetry, keysNode, registrationNode, uploadQuery } from './key-stanzas.ts';
import { Linking } from './linking.ts';
import type {
  ConfirmedLink,
  DeviceLink,
  LinkOffer,
  PhoneClock,
  PhoneDevice,
  PhoneRng,
  PhoneSettings,
  PhoneStore,
} from './network.ts';
import { Outbound } from './outbound.ts';
import { ackOf, deliveryReceipt, idsOf, receiptFor } from './receipts.ts';

export interface PhoneOptions {
  jid: Jid;
  lid: Jid;
  name: string;
  link: DeviceLink;
  store: PhoneStore;
  clock: PhoneClock;
  rng: PhoneRng;
  /** Asked whenever it matters; the world keeps them. */
  settings: () => PhoneSettings;
}

/** What goes beside the content of a message. */
export interface SendOptions {
  quotedMessageId?: string | undefined;
  /** Addresses of people the text mentions. */
  mentions?: Jid[] | undefined;
  isForwarded?: boolean | undefined;
}

/** A message that was to be changed, quoted or answered is not in this phone's inbox. */
export class MessageNotFoundError extends Error {
  override readonly name = 'MessageNotFoundError';
}

const PRE_KEY_COUNT = 100;
/** After this many tries a message stays undecryptable (whatsmeow and Baileys stop at 5). */
const MAX_RETRIES = 5;
const MAX_RETRY_COUNTERS = 500;
const STATUS_OF_RECEIPT: Record<string, MessageStatus> = {
  delivered: 'delivered',
  inactive: 'delivered',
  read: 'read',
  played: 'played',
};

/**
 * A phone of the simulated WhatsApp: device 0 of its account, a real protocol peer. What it shows is what it decrypted. Everything it
 * knows is in the store, so that it can be dropped and made again at any time.
 */
export class Phone implements PhoneDevice {
  readonly jid: Jid;
  readonly lid: Jid;
  readonly name: string;
  readonly inbox: Inbox;
  readonly #options: PhoneOptions;
  readonly #signal: SignalDevice;
  readonly #book: AddressBook;
  readonly #outbound: Outbound;
  readonly #inbound: Inbound;
  readonly #linking: Linking;
  readonly #retries = new Map<string, number>();
  #received: Promise<void> = Promise.resolve();
  #sent: Promise<void> = Promise.resolve();

  constructor(options: PhoneOptions) {
    const { jid, lid, store, rng, clock, link } = options;
    this.jid = jid;
    this.lid = lid;
    this.name = options.name;
    this.#options = options;
    const random = (length: number) => rng.bytes(length);
    const own = { jid, lid };
    const signal = new SignalDevice(store, random);
    const book = new AddressBook(store);
    book.learn(jid, lid);
    const inbox = new Inbox(store);
    const directory = new Directory(link, book, () => this.#newId());
    this.inbox = inbox;
    this.#signal = signal;
    this.#book = book;
    this.#outbound = new Outbound({ own, link, store, signal, book, directory, random });
    this.#inbound = new Inbound({ own, store, signal, book, inbox });
    this.#linking = new Linking(signal, store, random, () => Math.floor(clock.nowMs() / 1000));
  }

  async start(): Promise<void> {
    if (this.#options.store.get('identity', 'uploaded')) return;
    await this.#uploadPreKeys();
    this.#options.store.set('identity', 'uploaded', Uint8Array.of(1));
  }

  receive(node: Node): Promise<void> {
    const handled = this.#received.then(() => this.#take(node));
    // The caller gets the failure; the stanzas behind it must still be handled.
    this.#received = handled.catch(() => undefined);
    return handled;
  }

  linkDevice(qrText: string): LinkOffer {
    return this.#linking.offer(qrText);
  }

  confirmLink(ref: string, deviceIdentity: Uint8Array): ConfirmedLink {
    return this.#linking.confirm(ref, deviceIdentity);
  }

  /** Sends a text. Resolves when the stanza is with the server; what became of it is the `status` in the inbox. Throws as send(). */
  sendText(to: Jid, body: string, options: SendOptions = {}): Promise<{ messageId: string; timestamp: number }> {
    return this.send(to, text, new Input({ body }), options);
  }

  /** Sends a message of any kind. Throws InputError, MessageNotFoundError (quote) and NotOnWhatsAppError. */
  send(
    to: Jid,
    kind: ContentKind,
    input: Input,
    options: SendOptions = {},
  ): Promise<{ messageId: string; timestamp: number }> {
    const { rng, clock } = this.#options;
    const { message, shape } = kind.build(input, {
      random: (length) => rng.bytes(length),
      nowMs: () => clock.nowMs(),
      contextInfo: this.#contextInfo(to, options),
    });
    return this.#inOrder(async () => {
      const messageId = this.#newId();
      const timestamp = Math.floor(clock.nowMs() / 1000);
      const content = readContent(message);
      if (content) this.inbox.record(this.#ownEntry(to, messageId, timestamp, message, content));
      try {
        await this.#outbound.send(to, messageId, message, shape);
      } catch (error) {
        this.inbox.settle(messageId, undefined, 0);
        throw error;
      }
      return { messageId, timestamp };
    });
  }

  /** Sends receipts for messages of others and marks them read here. Throws MessageNotFoundError for an id that is not in the chat. */
  sendReceipts(to: Jid, messageIds: string[], type: 'delivered' | 'read' | 'played'): void {
    const chat = this.#book.shown(to);
    const bySender = new Map<string, string[]>();
    for (const messageId of messageIds) {
      const entry = this.inbox.find(chat, messageId);
      if (!entry || entry.fromMe) {
        throw new MessageNotFoundError(
          `this phone received no message ${messageId} in ${chat}; GET its inbox for the ids`,
        );
      }
      bySender.set(entry.senderJid, [...(bySender.get(entry.senderJid) ?? []), messageId]);
    }
    for (const [senderJid, ids] of bySender) {
      const chatJid = this.#book.wire(bareJid(to));
      this.#options.link.send(receiptFor(ids, { chatJid, senderJid }, type, this.#nowSeconds()));
      if (type !== 'delivered') this.#markRead(chat, ids);
    }
  }

  /** The address as this phone shows it: by number where it knows the number. */
  shown(jid: Jid): Jid {
    return this.#book.shown(jid);
  }

  async #take(node: Node): Promise<void> {
    const { link } = this.#options;
    if (node.tag === 'message') return this.#takeMessage(node);
    if (node.tag === 'receipt') return this.#takeReceipt(node);
    if (node.tag === 'notification') return this.#takeNotification(node);
    if (node.tag === 'call') return link.send(ackOf(node, this.jid));
    if (node.tag === 'ack' && node.attrs.class === 'message') {
      this.inbox.settle(node.attrs.id ?? '', intAttr(node, 't'), intAttr(node, 'error'));
    }
    if (node.tag === 'iq' && (node.attrs.type === 'get' || node.attrs.type === 'set')) {
      const { id = '', from = '@s.whatsapp.net' } = node.attrs;
      const isPing = node.attrs.xmlns === 'urn:xmpp:ping';
      const refusal: Node[] = [{ tag: 'error', attrs: { code: '501', text: 'feature-not-implemented' } }];
      link.send({
        tag: 'iq',
        attrs: { id, to: from, type: isPing ? 'result' : 'error' },
        ...(isPing ? {} : { content: refusal }),
      });
    }
    // Everything else (presence, chatstate, ib) asks for no answer.
  }

  async #takeMessage(node: Node): Promise<void> {
    const { link } = this.#options;
    const envelope = readEnvelope(node, this.#book, { jid: this.jid, lid: this.lid });
    if (!envelope) return link.send(ackOf(node, this.jid, 487));
    const reception = this.#inbound.accept(envelope, node);
    if (reception.outcome === 'retry') {
      if (!envelope.isPeer) this.#askAgain(envelope, node);
      return link.send(ackOf(node, this.jid));
    }
    if (reception.outcome === 'rejected') return link.send(ackOf(node, this.jid, 491));
    this.#retries.delete(retryKey(envelope));
    if (envelope.isFromMe || this.#options.settings().autoReceipts !== 'none') link.send(deliveryReceipt(envelope));
    link.send(ackOf(node, this.jid));
    if (reception.outcome === 'shown' && !envelope.isFromMe) await this.#react(envelope, reception.entry);
  }

  async #react(envelope: Envelope, entry: InboxEntry): Promise<void> {
    const { settings } = this.#options;
    if (settings().autoReceipts === 'read') this.sendReceipts(envelope.chatJid, [entry.messageId], 'read');
    const isGroupChat = parseJid(envelope.chatJid)?.server === 'g.us';
    if (!settings().replyEcho || isGroupChat || entry.content.type !== 'text') return;
    // Answers to our own messages are not echoed: two phones that both echo would never stop.
    const quoted = entry.content.fields?.quoted_message_id;
    if (typeof quoted === 'string' && this.inbox.find(entry.chat, quoted)?.fromMe) return;
    await this.sendText(entry.chat, entry.content.body ?? '', { quotedMessageId: entry.messageId });
  }

  async #takeReceipt(node: Node): Promise<void> {
    const { link } = this.#options;
    const { from = '', participant, recipient, type = 'delivered' } = node.attrs;
    const device = participant ?? from;
    const isOwn = sameUser(device, this.jid) || sameUser(device, this.lid);
    if (type === 'retry') {
      const retry = child(node, 'retry');
      const id = retry?.attrs.id ?? node.attrs.id ?? '';
      await this.#inOrder(() => this.#outbound.resend(id, device, intAttr(retry, 'count') ?? 1, bundleOfRetry(node)));
      return link.send(ackOf(node, this.jid));
    }
    const chat = this.#book.shown(isOwn && recipient ? recipient : from);
    const status = STATUS_OF_RECEIPT[type];
    if (isOwn && (type === 'read' || type === 'read-self')) this.#markRead(chat, idsOf(node));
    else if (status && !isOwn) for (const id of idsOf(node)) this.inbox.advance(chat, id, status);
    link.send(ackOf(node, this.jid));
  }

  async #takeNotification(node: Node): Promise<void> {
    const { from } = node.attrs;
    if (node.attrs.type === 'encrypt' && child(node, 'count')) await this.#uploadPreKeys();
    // The contact's phone is a new one: the old session would only cost a retry.
    if (node.attrs.type === 'encrypt' && child(node, 'identity') && from) {
      this.#signal.forgetSessions(this.#book.session(from));
    }
    this.#options.link.send(ackOf(node, this.jid));
  }

  async #uploadPreKeys(): Promise<void> {
    const query = uploadQuery(this.#signal, this.#signal.createPreKeys(PRE_KEY_COUNT));
    await this.#options.link.query({ ...query, attrs: { ...query.attrs, id: this.#newId() } });
  }

  #askAgain(envelope: Envelope, node: Node): void {
    const key = retryKey(envelope);
    const count = (this.#retries.get(key) ?? 0) + 1;
    if (count > MAX_RETRIES) return;
    this.#retries.delete(key);
    this.#retries.set(key, count);
    const [oldest] = this.#retries.keys();
    if (this.#retries.size > MAX_RETRY_COUNTERS && oldest !== undefined) this.#retries.delete(oldest);
    const { id = '', from = '', participant, recipient, t = '0' } = node.attrs;
    const attrs: Record<string, string> = { id, to: from, type: 'retry' };
    if (participant !== undefined) attrs.participant = participant;
    if (recipient !== undefined) attrs.recipient = recipient;
    // Keys come along from the second try on, as WhatsApp clients do: the first failure is mostly a lost message before this one.
    const keys = count > 1 ? [keysNode(this.#signal, this.#signal.createPreKeys(1)[0])] : [];
    this.#options.link.send({
      tag: 'receipt',
      attrs,
      content: [
        { tag: 'retry', attrs: { count: String(count), id, t, v: '1', error: '0' } },
        registrationNode(this.#signal),
        ...keys,
      ],
    });
  }

  #contextInfo(to: Jid, options: SendOptions): Proto.IContextInfo | undefined {
    const { quotedMessageId, mentions = [], isForwarded } = options;
    const info: Proto.IContextInfo = {};
    if (quotedMessageId !== undefined) {
      const quoted = this.inbox.find(this.#book.shown(to), quotedMessageId);
      if (!quoted?.raw) {
        throw new MessageNotFoundError(
          `quoted_message_id: this phone has no message ${quotedMessageId} in ${bareJid(to)}`,
        );
      }
      info.stanzaId = quotedMessageId;
      info.participant = quoted.senderJid;
      info.quotedMessage = proto.Message.decode(Buffer.from(quoted.raw, 'base64'));
    }
    if (mentions.length > 0) info.mentionedJid = mentions.map((jid) => this.#book.wire(jid));
    if (isForwarded) Object.assign(info, { isForwarded: true, forwardingScore: 1 });
    return Object.keys(info).length > 0 ? info : undefined;
  }

  #ownEntry(
    to: Jid,
    messageId: string,
    timestamp: number,
    message: Proto.IMessage,
    content: InboxEntry['content'],
  ): InboxEntry {
    return {
      messageId,
      chat: this.#book.shown(to),
      from: this.jid,
      fromMe: true,
      isOwnSend: true,
      senderJid: this.lid,
      timestamp,
      content,
      raw: Buffer.from(proto.Message.encode(message).finish()).toString('base64'),
      status: 'pending',
      copies: 1,
      isEdited: false,
      isRevoked: false,
      isRead: true,
      reactions: [],
      votes: [],
      answers: [],
    };
  }

  #markRead(chat: string, messageIds: string[]): void {
    for (const id of messageIds) {
      this.inbox.update(chat, id, (entry) => (entry.fromMe ? entry : { ...entry, isRead: true }));
    }
  }

  // One message after the other: two that open a session with the same device at once would each open one.
  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#sent.then(work);
    this.#sent = done.then(
      () => undefined,
      () => undefined,
    );
    return done;
  }

  // The form of an iPhone's message id: 3A and 18 hex digits.
  #newId(): string {
    return `3A${Buffer.from(this.#options.rng.bytes(9)).toString('hex').toUpperCase()}`;
  }

  #nowSeconds(): number {
    return Math.floor(this.#options.clock.nowMs() / 1000);
  }
}

function retryKey(envelope: Envelope): string {
  return `${envelope.chatJid}|${envelope.device}|${envelope.messageId}`;
}
