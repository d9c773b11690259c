import { bareJid, child, intAttr, isGroup, isNewsletter, type Jid, type Node, sameUser } from '@ponte/engine';
import { SignalDevice } from '../signal/signal-device.ts';
import { Activities, type Activity, chatStateNode } from './activity.ts';
import { AddressBook } from './address-book.ts';
import { Calls } from './calls.ts';
import type { ChangeKind } from './content/change.ts';
import { contextInfoOf, type SendOptions } from './content/context-info.ts';
import { Input } from './content/input.ts';
import type { BuildContext, Built, ContentKind } from './content/kind.ts';
import { disappearing, readContent, unwrap } from './content/kinds.ts';
import { text } from './content/text.ts';
import { Directory } from './directory.ts';
import { type Envelope, readEnvelope } from './envelope.ts';
import { Inbound, type Reception } from './inbound.ts';
import { Inbox, type InboxEntry, type MessageStatus, newEntry } from './inbox.ts';
import { answerTo } from './iq-answer.ts';
import { bundleOfRetry, uploadQuery } from './key-stanzas.ts';
import { CodeEntry } from './link-code.ts';
import { Linking, parsePairingQr } from './linking.ts';
import { mediaOf } from './media/media-kinds.ts';
import { PhoneFiles } from './media/phone-files.ts';
import type { ConfirmedLink, LinkOffer, PhoneDevice } from './network.ts';
import { Outbound } from './outbound.ts';
import type { PhoneOptions } from './phone-options.ts';
import { Publishing } from './publishing.ts';
import { ackOf, deliveryReceipt, idsOf, receiptFor } from './receipts.ts';
import { RetryRequests } from './retry-requests.ts';
import { MessageNotFoundError, type Sent } from './sending.ts';
import { isShared } from './shared-chat.ts';
import { PhoneSync } from './sync/phone-sync.ts';
import type { Message } from './wa-proto.ts';

const PRE_KEY_COUNT = 100;
const STATUS_OF_RECEIPT: Record<string, MessageStatus> = {
  delivered: 'delivered',
  inactive: 'delivered',
  read: 'read',
  played: 'played',
};

/**
 * A phone of the simulated WhatsApp: device 0 of its account, a real protocol peer. What it shows is what it decrypted. Everything it
 * must not forget is in the store, so that it can be dropped and made again at any time.
 */
export class Phone implements PhoneDevice {
  readonly jid: Jid;
  readonly lid: Jid;
  readonly name: string;
  readonly inbox: Inbox;
  readonly activities = new Activities();
  readonly calls: Calls;
  /** Linking by a typed code. */
  readonly codes: CodeEntry;
  readonly #options: PhoneOptions;
  readonly #signal: SignalDevice;
  readonly #book: AddressBook;
  readonly #outbound: Outbound;
  readonly #inbound: Inbound;
  readonly #directory: Directory;
  readonly #linking: Linking;
  readonly #retries: RetryRequests;
  readonly #files: PhoneFiles;
  /** Chat settings, keys and history, shared with the linked devices. */
  readonly sync: PhoneSync;
  readonly publishing: Publishing;
  #received: Promise<void> = Promise.resolve();
  #sent: Promise<void> = Promise.resolve();

  constructor(options: PhoneOptions) {
    const { jid, lid, store, rng, link } = options;
    this.jid = jid;
    this.lid = lid;
    this.name = options.name;
    this.#options = options;
    const random = (length: number) => rng.bytes(length);
    const own = { jid, lid };
    const signal = new SignalDevice(store, random);
    const book = new AddressBook(store, () => options.settings().addressing);
    book.learn(jid, lid);
    const inbox = new Inbox(store, jid);
    const directory = new Directory(link, book, () => this.#newId());
    this.inbox = inbox;
    this.#directory = directory;
    book.onLearned = (pn, of) => inbox.unite(of, pn);
    this.#signal = signal;
    this.#book = book;
    this.#outbound = new Outbound({ own, link, store, signal, book, directory, random });
    this.#inbound = new Inbound({ own, store, signal, book, inbox });
    this.#linking = new Linking(signal, store, random, () => this.#nowSeconds());
    this.codes = new CodeEntry(signal, this.#linking, random);
    this.#retries = new RetryRequests(signal);
    this.calls = new Calls({ own: lid, book, send: (node) => link.send(node), random });
    this.#files = new PhoneFiles({ media: options.media, inbox, book, random });
    const nowMs = () => options.clock.nowMs();
    const sendPeer = (device: Jid, message: Message) => this.#sendPeer(device, message);
    this.sync = new PhoneSync({
      own,
      link,
      store,
      media: options.media,
      book,
      directory,
      inbox,
      random,
      nowMs,
      sendPeer,
    });
    this.publishing = new Publishing({
      own,
      link,
      inbox,
      outbound: this.#outbound,
      past: this.sync.history.old,
      context: () => ({ ...this.#buildContext(), contextInfo: undefined }),
      newId: () => this.#newId(),
      nowSeconds: () => this.#nowSeconds(),
      inOrder: (work) => this.#inOrder(work),
    });
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
    return this.#linking.offer(parsePairingQr(qrText));
  }

  confirmLink(ref: string, deviceIdentity: Uint8Array): ConfirmedLink {
    return this.#linking.confirm(ref, deviceIdentity);
  }

  /** Sends a text. Resolves when the stanza is with the server; what became of it is the `status` in the inbox. Throws as send(). */
  sendText(to: Jid, body: string, options: SendOptions = {}): Promise<Sent> {
    return this.send(to, text, new Input({ body }), options);
  }

  /** Sends a message of any kind. Throws InputError, MessageNotFoundError (quote) and NotOnWhatsAppError. */
  async send(to: Jid, kind: ContentKind, input: Input, options: SendOptions = {}): Promise<Sent> {
    const { quotedMessageId } = options;
    const quoted = quotedMessageId === undefined ? undefined : this.#found(to, quotedMessageId);
    const contextInfo = contextInfoOf(options, quoted, (jid) => this.#book.wire(jid));
    const context = { ...this.#buildContext(), contextInfo };
    const built = disappearing(await kind.build(input, context), options.ephemeralSeconds);
    const message = unwrap(built.message);
    const content = readContent(message);
    return this.#transmit(to, built, ({ messageId, timestamp }) => {
      if (!content) return;
      const chat = this.#book.shown(to);
      const about = { messageId, timestamp, chat, from: this.jid, fromMe: true, content, message };
      const file = mediaOf(message) ? { fileState: 'ok' as const } : {};
      this.inbox.record({ ...newEntry(about), ...file, isOwnSend: true, senderJid: this.lid, status: 'pending' });
    });
  }

  /** The address for the wire: by LID where somebody has one. People this phone does not know are asked for. */
  async wire(jid: Jid): Promise<Jid> {
    return isGroup(jid) ? jid : ((await this.#directory.contacts([jid]))[0]?.jid ?? jid);
  }

  /** Changes a message of this chat (reaction, edit, vote …), here and at everybody else. Throws as send(). */
  async change(to: Jid, messageId: string, kind: ChangeKind, input: Input): Promise<Sent> {
    const target = this.#found(to, messageId);
    const chatJid = this.#book.wire(bareJid(to));
    const key = {
      remoteJid: chatJid,
      fromMe: target.fromMe,
      id: messageId,
      ...(isShared(chatJid) ? { participant: target.senderJid } : {}),
    };
    const own = { jid: this.jid, lid: this.lid };
    const book = this.#book;
    const built = kind.build(input, target, { ...this.#buildContext(), contextInfo: undefined, own, book, key });
    const sent = await this.#transmit(to, built, () => undefined);
    const envelope = { ...sent, chat: target.chat, chatJid, from: this.jid, device: this.lid, isFromMe: true };
    kind.apply(built.message, { ...envelope, isPeer: false, pushName: undefined }, { own, book, inbox: this.inbox });
    return sent;
  }

  /** Sends receipts for messages of others and marks them read here. Throws MessageNotFoundError for an id that is not in the chat. */
  sendReceipts(to: Jid, messageIds: string[], type: 'delivered' | 'read' | 'played'): void {
    const bySender = new Map<string, string[]>();
    for (const messageId of messageIds) {
      const { senderJid, fromMe } = this.#found(to, messageId);
      if (fromMe)
        throw new MessageNotFoundError(`message ${messageId} is this phone's own; receipts are for messages of others`);
      bySender.set(senderJid, [...(bySender.get(senderJid) ?? []), messageId]);
    }
    const chatJid = this.#book.wire(bareJid(to));
    for (const [senderJid, ids] of bySender) {
      this.#options.link.send(receiptFor(ids, { chatJid, senderJid }, type, this.#nowSeconds()));
      if (type !== 'delivered') this.#markRead(this.#book.shown(to), ids);
    }
  }

  /** Shows the other side that this phone types, records, or stopped. */
  sendActivity(to: Jid, activity: Activity): void {
    this.#options.link.send(chatStateNode(this.#book.wire(bareJid(to)), activity));
  }

  /** Asks the server something as this phone does. Rejects with IqError. */
  query(iq: Node): Promise<Node> {
    return this.#options.link.query({ ...iq, attrs: { ...iq.attrs, id: this.#newId() } });
  }

  sendPresence(state: 'available' | 'unavailable'): void {
    this.#options.link.send({ tag: 'presence', attrs: { type: state, name: this.name } });
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
    if (node.tag === 'call') {
      this.calls.take(node);
      return link.send(ackOf(node, this.jid));
    }
    if (node.tag === 'ack' && node.attrs.class === 'message') {
      const { id = '', from = '' } = node.attrs;
      this.inbox.settle(this.#book.shown(from), id, intAttr(node, 't'), intAttr(node, 'error'));
    }
    if (node.tag === 'chatstate') this.activities.note(this.#book.shown(node.attrs.from ?? ''), node);
    if (node.tag === 'iq' && (node.attrs.type === 'get' || node.attrs.type === 'set')) link.send(answerTo(node));
    // Everything else (presence, ib) asks for no answer.
  }

  async #takeMessage(node: Node): Promise<void> {
    const { link, settings } = this.#options;
    const envelope = readEnvelope(node, this.#book, { jid: this.jid, lid: this.lid });
    if (!envelope) return link.send(ackOf(node, this.jid, 487));
    const reception = this.#accept(envelope, node);
    if (reception.outcome === 'retry') {
      const request = envelope.isPeer ? undefined : this.#retries.next(envelope, node);
      if (request) link.send(request);
      return link.send(ackOf(node, this.jid));
    }
    if (reception.outcome === 'rejected') return link.send(ackOf(node, this.jid, 491));
    this.#retries.done(envelope);
    const isPost = isNewsletter(envelope.chatJid);
    if (!isPost && (envelope.isFromMe || settings().autoReceipts !== 'none')) link.send(deliveryReceipt(envelope));
    link.send(ackOf(node, this.jid));
    if (reception.outcome === 'peer') {
      await this.sync.companions.told(envelope.device, reception.message, envelope.messageId);
    }
    if (reception.outcome === 'shown') this.#files.fetch(reception.entry);
    if (reception.outcome !== 'shown' || envelope.isFromMe) return;
    this.activities.ended(envelope.chat);
    await this.#react(envelope, reception.entry);
  }

  // A message that breaks this phone must not come back for ever: it is refused (UnhandledError), and the failure is passed on.
  #accept(envelope: Envelope, node: Node): Reception {
    try {
      return this.#inbound.accept(envelope, node);
    } catch (error) {
      this.#options.link.send(ackOf(node, this.jid, 500));
      throw error;
    }
  }

  async #react(envelope: Envelope, entry: InboxEntry): Promise<void> {
    const { autoReceipts, replyEcho } = this.#options.settings();
    if (autoReceipts === 'read') this.sendReceipts(envelope.chatJid, [entry.messageId], 'read');
    if (!replyEcho || isShared(envelope.chatJid) || entry.content.type !== 'text') return;
    // Answers to our own messages are not echoed: two phones that both echo would never stop.
    const quoted = entry.content.fields?.quoted_message_id;
    if (typeof quoted === 'string' && this.inbox.find(entry.chat, quoted)?.fromMe) return;
    await this.sendText(entry.chat, entry.content.body ?? '', { quotedMessageId: entry.messageId });
  }

  async #takeReceipt(node: Node): Promise<void> {
    const { from = '', participant, recipient, type = 'delivered' } = node.attrs;
    const device = participant ?? from;
    const isOwn = sameUser(device, this.jid) || sameUser(device, this.lid);
    if (type === 'retry') {
      const retry = child(node, 'retry');
      const id = retry?.attrs.id ?? node.attrs.id ?? '';
      const count = intAttr(retry, 'count') ?? 1;
      await this.#inOrder(() => this.#outbound.resend(id, device, count, bundleOfRetry(node)));
    } else if (type === 'server-error') {
      const answer = this.#files.uploadAgain(node, device);
      if (answer) this.#options.link.send(answer);
    } else if (type === 'peer_msg' && isOwn) {
      this.sync.history.noted(idsOf(node), 'delivered');
      await this.sync.companions.received(device, idsOf(node));
    } else if (type === 'hist_sync' && isOwn) {
      this.sync.history.noted(idsOf(node), 'synced');
    } else {
      const chat = this.#book.shown(isOwn && recipient ? recipient : from);
      const status = STATUS_OF_RECEIPT[type];
      if (isOwn && (type === 'read' || type === 'read-self')) this.#markRead(chat, idsOf(node));
      else if (status && !isOwn && participant && isShared(from)) {
        for (const id of idsOf(node)) this.inbox.noteMember(chat, id, this.#book.shown(participant), status);
      } else if (status && !isOwn) for (const id of idsOf(node)) this.inbox.advance(chat, id, status);
    }
    this.#options.link.send(ackOf(node, this.jid));
  }

  async #takeNotification(node: Node): Promise<void> {
    const { from, type } = node.attrs;
    if (type === 'encrypt' && child(node, 'count')) await this.#uploadPreKeys();
    // The contact has a new phone: the old session would only cost a retry.
    if (type === 'encrypt' && child(node, 'identity') && from) this.#signal.forgetSessions(this.#book.session(from));
    this.#options.link.send(ackOf(node, this.jid));
    await this.sync.companions.notified(node);
  }

  async #uploadPreKeys(): Promise<void> {
    const query = uploadQuery(this.#signal, this.#signal.createPreKeys(PRE_KEY_COUNT));
    await this.#options.link.query({ ...query, attrs: { ...query.attrs, id: this.#newId() } });
  }

  #transmit(to: Jid, built: Built, begin: (sent: Sent) => void): Promise<Sent> {
    return this.#inOrder(async () => {
      const sent = { messageId: this.#newId(), timestamp: this.#nowSeconds() };
      begin(sent);
      try {
        await this.#outbound.send(to, sent.messageId, built.message, built.shape);
      } catch (error) {
        this.#outbound.reload();
        this.inbox.fail(this.#book.shown(to), sent.messageId);
        throw error;
      }
      return sent;
    });
  }

  #sendPeer(device: Jid, message: Message): Promise<string> {
    return this.#inOrder(async () => {
      const messageId = this.#newId();
      await this.#outbound.sendPeer(device, messageId, message);
      return messageId;
    });
  }

  #buildContext(): Omit<BuildContext, 'contextInfo'> {
    const { rng, clock, media } = this.#options;
    return {
      random: (length) => rng.bytes(length),
      nowMs: () => clock.nowMs(),
      upload: (kind, bytes) => media.upload(kind, bytes),
    };
  }

  #found(to: Jid, messageId: string): InboxEntry {
    const chat = this.#book.shown(to);
    const entry = this.inbox.find(chat, messageId);
    if (entry) return entry;
    throw new MessageNotFoundError(`this phone has no message ${messageId} in ${chat}; GET its inbox for the ids`);
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
