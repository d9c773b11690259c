import { bareJid, isGroup, type Jid, type Node } from '@ponte/engine';
import { SignalDevice } from '../signal/signal-device.ts';
import { Activities, type Activity, chatStateNode } from './activity.ts';
import { AddressBook } from './address-book.ts';
import { callLink } from './call-link.ts';
import { Calls } from './calls.ts';
import type { ChangeKind } from './content/change.ts';
import { contextInfoOf, type SendOptions } from './content/context-info.ts';
import { Input } from './content/input.ts';
import type { BuildContext, Built, ContentKind } from './content/kind.ts';
import { disappearing, readContent, unwrap, withSecret } from './content/kinds.ts';
import { text } from './content/text.ts';
import { Directory } from './directory.ts';
import type { Envelope } from './envelope.ts';
import { ephemeralOf, learnMembers } from './groups.ts';
import { Inbound } from './inbound.ts';
import { Inbox, type InboxEntry, newEntry } from './inbox.ts';
import { Incoming } from './incoming.ts';
import { bundleOfRetry, uploadQuery } from './key-stanzas.ts';
import { CodeEntry } from './link-code.ts';
import { Linking, parsePairingQr } from './linking.ts';
import { mediaOf } from './media/media-kinds.ts';
import { PhoneFiles } from './media/phone-files.ts';
import type { ConfirmedLink, LinkOffer, PhoneDevice } from './network.ts';
import { Outbound } from './outbound.ts';
import type { PhoneOptions } from './phone-options.ts';
import { Publishing } from './publishing.ts';
import { receiptFor } from './receipts.ts';
import { RetryRequests } from './retry-requests.ts';
import { MessageNotFoundError, type Sent } from './sending.ts';
import { isShared } from './shared-chat.ts';
import { PhoneSync } from './sync/phone-sync.ts';
import { type Timer, Timers, timerMessage } from './timers.ts';
import type { Message } from './wa-proto.ts';

/** A batch of one-time keys; the server asks for the next one when few are left. */
const PRE_KEY_COUNT = 30;

/**
 * A phone of the simulated WhatsApp: device 0 of its account, a real protocol peer. What it shows
 * is what it decrypted. Everything it must not forget is in the store, so that it can be dropped
 * and made again at any time.
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
  readonly #incoming: Incoming;
  readonly #directory: Directory;
  readonly #linking: Linking;
  /** Chat settings, keys and history, shared with the linked devices. */
  readonly sync: PhoneSync;
  readonly timers: Timers;
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
    const nowMs = () => options.clock.nowMs();
    const inbox = new Inbox(store, jid, nowMs);
    const directory = new Directory(link, book, () => this.#newId());
    this.inbox = inbox;
    this.timers = new Timers(store);
    this.#directory = directory;
    book.onLearned = (pn, of) => inbox.unite(of, pn);
    this.#signal = signal;
    this.#book = book;
    this.#outbound = new Outbound({ own, link, store, signal, book, directory, random });
    this.#linking = new Linking(signal, store, random, () => this.#nowSeconds());
    this.codes = new CodeEntry(signal, this.#linking, random);
    this.calls = new Calls({ own: lid, book, send: (node) => link.send(node), random });
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
      contactSalt: options.contactSalt,
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
    this.#incoming = new Incoming({
      own,
      link,
      settings: options.settings,
      signal,
      book,
      inbox,
      inbound: new Inbound({ own, store, signal, book, inbox, timers: this.timers }),
      retries: new RetryRequests(signal),
      files: new PhoneFiles({
        ...{ media: options.media, inbox, book, random },
        historyFile: (messageId) => this.sync.history.fileOf(messageId),
      }),
      activities: this.activities,
      calls: this.calls,
      sync: this.sync,
      resend: (id, device, count, retry) =>
        this.#inOrder(() => this.#outbound.resend(id, device, count, bundleOfRetry(retry))),
      uploadPreKeys: () => this.#uploadPreKeys(),
      markRead: (chat, ids) => this.#markRead(chat, ids),
      shown: (envelope, entry) => this.#react(envelope, entry),
    });
  }

  async start(): Promise<void> {
    if (this.#options.store.get('identity', 'uploaded')) return;
    await this.#uploadPreKeys();
    this.#options.store.set('identity', 'uploaded', Uint8Array.of(1));
  }

  receive(node: Node): Promise<void> {
    const handled = this.#received.then(() => this.#incoming.take(node));
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

  /**
   * Sends a text. Resolves when the stanza is with the server; what became of it is the `status` in
   * the inbox. Throws as send().
   */
  sendText(to: Jid, body: string, options: SendOptions = {}): Promise<Sent> {
    return this.send(to, text, new Input({ body }), options);
  }

  /**
   * Sends a message of any kind. Throws InputError, MessageNotFoundError (quote) and
   * NotOnWhatsAppError.
   */
  async send(to: Jid, kind: ContentKind, input: Input, options: SendOptions = {}): Promise<Sent> {
    const { quotedMessageId } = options;
    const quoted = quotedMessageId === undefined ? undefined : this.#found(to, quotedMessageId);
    const timer = options.ephemeralSeconds === undefined ? await this.#timerOf(to) : undefined;
    const ephemeralSeconds = options.ephemeralSeconds ?? timer?.seconds;
    const hung = { ...options, ephemeralSeconds, ephemeralSetAt: timer?.setAt };
    const contextInfo = contextInfoOf(hung, quoted, (jid) => this.#book.wire(jid));
    const context = { ...this.#buildContext(), contextInfo };
    const built = disappearing(withSecret(await kind.build(input, context), context.random), ephemeralSeconds);
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

  /**
   * The address for the wire: by LID where the person has one. People this phone does not know are
   * asked for.
   */
  async wire(jid: Jid): Promise<Jid> {
    return isGroup(jid) ? jid : ((await this.#directory.contacts([jid]))[0]?.jid ?? jid);
  }

  /**
   * Changes a message of this chat (reaction, edit, vote …), here and for all other participants.
   * Throws as send().
   */
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
    const sealsEdits = this.#options.sealsEdits?.() ?? true;
    const context = { ...this.#buildContext(), contextInfo: undefined, own, book, key, sealsEdits };
    const built = kind.build(input, target, context);
    const sent = await this.#transmit(to, built, () => undefined);
    const { edit } = built.shape;
    const envelope = { ...sent, chat: target.chat, chatJid, from: this.jid, device: this.lid, isFromMe: true, edit };
    kind.apply(built.message, { ...envelope, isPeer: false, pushName: undefined }, { own, book, inbox: this.inbox });
    return sent;
  }

  /**
   * Sends receipts for messages of others and marks them read here. Throws MessageNotFoundError for
   * an id that is not in the chat.
   */
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
  async query(iq: Node): Promise<Node> {
    const answer = await this.#options.link.query({ ...iq, attrs: { ...iq.attrs, id: this.#newId() } });
    if (iq.attrs.xmlns === 'w:g2') learnMembers(answer, this.#book);
    return answer;
  }

  sendPresence(state: 'available' | 'unavailable'): void {
    this.#options.link.send({ tag: 'presence', attrs: { type: state, name: this.name } });
  }

  /** The address as this phone shows it: by number where it knows the number. */
  shown(jid: Jid): Jid {
    return this.#book.shown(jid);
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

  async #uploadPreKeys(): Promise<void> {
    const query = uploadQuery(this.#signal, this.#signal.createPreKeys(PRE_KEY_COUNT));
    await this.#options.link.query({ ...query, attrs: { ...query.attrs, id: this.#newId() } });
  }

  #transmit(to: Jid, built: Built, begin: (sent: Sent) => void): Promise<Sent> {
    return this.#inOrder(async () => {
      const sent = { messageId: this.#newId(), timestamp: this.#nowSeconds() };
      begin(sent);
      try {
        const takenAt = await this.#outbound.send(to, sent.messageId, built.message, built.shape);
        return { ...sent, timestamp: takenAt ?? sent.timestamp };
      } catch (error) {
        this.#outbound.reload();
        this.inbox.fail(this.#book.shown(to), sent.messageId);
        throw error;
      }
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
      callLink: (media, startAt) => callLink(this.#options.link, this.#newId(), media, startAt),
    };
  }

  /**
   * Sets how long messages of a private chat stay, for both sides and the linked devices; 0 = for
   * good. Throws as send().
   */
  async setTimer(to: Jid, seconds: number): Promise<void> {
    const timer = { seconds, setAt: this.#nowSeconds() };
    await this.#transmit(to, { message: timerMessage(timer), shape: { type: 'text' } }, () => undefined);
    this.timers.set(this.#book.shown(to), timer);
  }

  // In a chat where messages disappear, every message does, whichever side writes it.
  async #timerOf(to: Jid): Promise<Timer | undefined> {
    const timer = isGroup(to)
      ? { seconds: await ephemeralOf(this.#options.link, bareJid(to)), setAt: 0 }
      : this.timers.of(this.#book.shown(to));
    return timer?.seconds ? timer : undefined;
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

  // One message after the other: two that open a session with the same device at once would each
  // open one.
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
