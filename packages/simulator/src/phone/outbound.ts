import { bareJid, isBot, isGroup, type Jid, type Node, parseJid, STATUS_BROADCAST, sameUser } from '@ponte/engine';
import type { RandomBytes } from '../signal/curve.ts';
import type { PreKeyBundle } from '../signal/session.ts';
import type { SignalDevice } from '../signal/signal-device.ts';
import { SignalError } from '../signal/signal-error.ts';
import type { AddressBook } from './address-book.ts';
import type { MessageShape } from './content/kind.ts';
import type { Directory } from './directory.ts';
import { DurableList } from './durable-list.ts';
import { rosterOf, SenderKeyMemory } from './groups.ts';
import { bundleQuery, readBundles } from './key-stanzas.ts';
import { deviceSentCopy, encodeMessage } from './message-bytes.ts';
import type { DeviceLink, PhoneStore } from './network.ts';
import { isShared } from './shared-chat.ts';
import { type Message, proto } from './wa-proto.ts';

/** The number is not on this WhatsApp. */
export class NotOnWhatsAppError extends Error {
  override readonly name = 'NotOnWhatsAppError';
}

interface SentMessage {
  to: string;
  message: string;
  shape: MessageShape;
  /** For one own device only: goes as it is, without a wrapper. */
  isPeer?: boolean;
  /** How often each device has asked for it again. */
  resends: Record<string, number>;
}

/** Last messages that can be sent again when a device asks; WhatsApp clients keep a few hundred. */
const SENT_MAX = 300;
/** A device that asks more often than this is left alone (whatsmeow stops at 5 receipts). */
const MAX_RESENDS = 5;

const PEER_SHAPE: MessageShape = { type: 'text' };
const PEER_ATTRS = { category: 'peer', push_priority: 'high' };

export interface OutboundParts {
  own: { jid: Jid; lid: Jid };
  link: DeviceLink;
  store: PhoneStore;
  signal: SignalDevice;
  book: AddressBook;
  directory: Directory;
  random: RandomBytes;
}

/**
 * Sends messages: finds the devices, opens sessions, encrypts for each device, and answers retry
 * receipts.
 */
export class Outbound {
  readonly #parts: OutboundParts;
  readonly #sent: DurableList<SentMessage>;
  readonly #senderKeys: SenderKeyMemory;

  constructor(parts: OutboundParts) {
    this.#parts = parts;
    this.#senderKeys = new SenderKeyMemory(parts.store);
    this.#sent = new DurableList(parts.store, 'sent', SENT_MAX);
  }

  /**
   * Encrypts a message for every device of the chat and every own linked device, and hands the
   * stanza to the server. What the server says to it comes as an ack later; the time it gave the
   * message is the answer. Throws NotOnWhatsAppError and NotInGroupError.
   */
  async send(to: Jid, messageId: string, message: Message, shape: MessageShape): Promise<number | undefined> {
    if (isGroup(to)) return this.#sendToGroup(bareJid(to), messageId, message, shape);
    const { own, directory, link } = this.#parts;
    const [found, self] = await directory.contacts([to, own.jid]);
    // Whatever a bot is encrypted for: here only the own devices have keys.
    const contact = isBot(to) ? { jid: to, devices: [] } : found?.devices.length ? found : undefined;
    if (!contact) {
      throw new NotOnWhatsAppError(
        `${bareJid(to)} is not on this WhatsApp; create that phone or pair a line with it first`,
      );
    }
    const isToSelf = sameUser(contact.jid, self?.jid);
    const copies = (self?.devices ?? []).filter((jid) => !this.#isThisPhone(jid));
    const recipients = isToSelf ? [] : contact.devices;
    await this.#openSessions([...recipients, ...copies]);
    const participants = this.#parts.store.transaction(() => {
      this.#remember(messageId, contact.jid, message, shape);
      return [
        ...recipients.flatMap((jid) => this.#recipientNode(jid, message, shape)),
        ...copies.flatMap((jid) => this.#recipientNode(jid, deviceSentCopy(message, contact.jid), shape)),
      ];
    });
    return link.send({
      tag: 'message',
      attrs: {
        id: messageId,
        to: contact.jid,
        type: shape.type,
        ...(shape.edit === undefined ? {} : { edit: shape.edit }),
        ...(shape.expiration === undefined ? {} : { expiration: String(shape.expiration) }),
        ...(contact.jid === bareJid(to) ? {} : { peer_recipient_pn: bareJid(to) }),
      },
      content: [
        { tag: 'participants', attrs: {}, content: participants },
        ...(shape.meta ? [{ tag: 'meta', attrs: shape.meta }] : []),
      ],
    });
  }

  /**
   * Posts a status to these people and to the own linked devices. Every device gets the sender key
   * again with each one, as WhatsApp's clients do it (Baileys messages-send.js, whatsmeow send.go):
   * the audience may change every time.
   */
  async postStatus(
    audience: Jid[],
    messageId: string,
    message: Message,
    shape: MessageShape,
  ): Promise<number | undefined> {
    const { own, directory } = this.#parts;
    const contacts = await directory.contacts([own.jid, ...audience]);
    return this.#sendShared(
      STATUS_BROADCAST,
      contacts.flatMap(({ devices }) => devices),
      messageId,
      message,
      shape,
    );
  }

  /**
   * Sends a message to one own linked device: keys, history, answers to its requests. Does nothing
   * when it has no keys (yet).
   */
  async sendPeer(device: Jid, messageId: string, message: Message): Promise<void> {
    const { store, link } = this.#parts;
    await this.#openSessions([device]);
    const enc = store.transaction(() => {
      this.#remember(messageId, bareJid(device), message, PEER_SHAPE, true);
      return this.#recipientNode(device, message, PEER_SHAPE)[0]?.content;
    });
    if (!Array.isArray(enc)) return;
    const content = [...enc, { tag: 'meta', attrs: { appdata: 'default' } }];
    link.send({ tag: 'message', attrs: { id: messageId, to: device, ...PEER_ATTRS, type: 'text' }, content });
  }

  /**
   * Sends a message again to the device that could not decrypt it, in a new session. Unknown ids
   * are ignored, as phones do.
   */
  async resend(messageId: string, device: Jid, count: number, bundle: PreKeyBundle | undefined): Promise<void> {
    const { own, book, signal, link, random, store } = this.#parts;
    const sent = this.#sent.get(messageId)?.value;
    const done = sent?.resends[device] ?? 0;
    if (!sent || done >= MAX_RESENDS || isKeptFrom(device, sent.shape)) return;
    const address = book.session(device);
    if (bundle) signal.openSession(address, bundle);
    else await this.#fetchSessions([device]);
    if (!signal.hasSession(address)) return;
    const encrypted = store.transaction(() => {
      this.#sent.update(messageId, (value) => ({ ...value, resends: { ...value.resends, [device]: done + 1 } }));
      return signal.encrypt(address, encodeMessage(this.#again(sent, device), random));
    });
    const isOwnDevice = sameUser(book.shown(device), own.jid);
    const direct = {
      to: device,
      device_fanout: 'false',
      ...(isOwnDevice && !sent.isPeer ? { recipient: sent.to } : {}),
    };
    link.send({
      tag: 'message',
      attrs: {
        id: messageId,
        ...(isShared(sent.to) ? { to: sent.to, participant: device } : direct),
        type: sent.shape.type,
        ...(sent.shape.edit === undefined ? {} : { edit: sent.shape.edit }),
        ...(sent.isPeer ? PEER_ATTRS : {}),
      },
      content: [encNode(encrypted, sent.shape, { count: String(count) })],
    });
  }

  /** Call when a transaction of the store failed. */
  reload(): void {
    this.#sent.reload();
  }

  /**
   * All members get the same ciphertext of our sender key; devices that do not have the key get it
   * beside it. A device that is gone (a member left, a companion was unlinked) makes us begin a new
   * key, so that it cannot read on.
   */
  async #sendToGroup(
    group: Jid,
    messageId: string,
    message: Message,
    shape: MessageShape,
  ): Promise<number | undefined> {
    const roster = await rosterOf(this.#parts, group);
    const mode = { addressing_mode: roster.mode };
    return this.#sendShared(group, roster.devices, messageId, message, shape, mode);
  }

  async #sendShared(
    group: Jid,
    devices: Jid[],
    messageId: string,
    message: Message,
    shape: MessageShape,
    attrs: Record<string, string> = {},
  ): Promise<number | undefined> {
    const { link, store, signal, book, random } = this.#parts;
    const others = devices.filter((jid) => !this.#isThisPhone(jid));
    const present = new Set(others.map((jid) => book.session(jid)));
    const isStatus = group === STATUS_BROADCAST;
    const known = isStatus ? new Set<string>() : this.#senderKeys.of(group);
    if ([...known].some((session) => !present.has(session))) {
      signal.forgetSenderKey(group);
      known.clear();
    }
    const kept = others.filter((jid) => isKeptFrom(jid, shape));
    const missing = others.filter((jid) => !known.has(book.session(jid)) && !kept.includes(jid));
    await this.#openSessions(missing);
    const { participants, ciphertext } = store.transaction(() => {
      this.#remember(messageId, group, message, shape);
      const key: Message = { senderKeyDistributionMessage: distributionMessage(group, signal.distribution(group)) };
      const nodes = missing.flatMap((jid) => this.#recipientNode(jid, key, shape));
      for (const { attrs } of nodes) known.add(book.session(attrs.jid ?? ''));
      if (!isStatus) this.#senderKeys.set(group, known);
      nodes.push(...kept.flatMap((jid) => this.#recipientNode(jid, message, shape)));
      return { participants: nodes, ciphertext: signal.encryptGroup(group, encodeMessage(message, random)) };
    });
    return link.send({
      tag: 'message',
      attrs: {
        id: messageId,
        to: group,
        type: shape.type,
        ...attrs,
        ...(shape.edit === undefined ? {} : { edit: shape.edit }),
        ...(shape.expiration === undefined ? {} : { expiration: String(shape.expiration) }),
      },
      content: [
        ...(participants.length > 0 ? [{ tag: 'participants', attrs: {}, content: participants }] : []),
        encNode({ type: 'skmsg', ciphertext }, shape, {}),
        ...(shape.meta ? [{ tag: 'meta', attrs: shape.meta }] : []),
      ],
    });
  }

  #remember(messageId: string, to: Jid, message: Message, shape: MessageShape, isPeer = false): void {
    const encoded = Buffer.from(proto.Message.encode(message).finish()).toString('base64');
    this.#sent.append(messageId, { to, message: encoded, shape, isPeer, resends: {} });
  }

  // What is sent again: as it was, for own devices in their wrapper, for members with the sender
  // key they may have missed.
  #again({ to, message: encoded, isPeer }: SentMessage, device: Jid): Message {
    const { own, book, signal } = this.#parts;
    const message = proto.Message.decode(Buffer.from(encoded, 'base64'));
    if (isPeer) return message;
    if (isShared(to)) {
      return { ...message, senderKeyDistributionMessage: distributionMessage(to, signal.distribution(to)) };
    }
    return sameUser(book.shown(device), own.jid) ? deviceSentCopy(message, to) : message;
  }

  #isThisPhone(device: Jid): boolean {
    return device === this.#parts.own.jid || device === this.#parts.own.lid;
  }

  async #openSessions(devices: Jid[]): Promise<void> {
    const { signal, book } = this.#parts;
    const missing = devices.filter((jid) => !signal.hasSession(book.session(jid)));
    if (missing.length > 0) await this.#fetchSessions(missing);
  }

  async #fetchSessions(devices: Jid[]): Promise<void> {
    const { signal, book, link } = this.#parts;
    const bundles = readBundles(await link.query(bundleQuery(devices)));
    for (const { jid, bundle } of bundles) {
      try {
        signal.openSession(book.session(jid), bundle);
      } catch (error) {
        // A device with forged keys gets no message; the others must.
        if (!(error instanceof SignalError)) throw error;
      }
    }
  }

  // A device whose bundle the server did not give gets nothing; it asks with a retry receipt when
  // it gets the message.
  #recipientNode(device: Jid, message: Message, shape: MessageShape): Node[] {
    const { signal, book, random } = this.#parts;
    if (isKeptFrom(device, shape)) {
      return [{ tag: 'to', attrs: { jid: device }, content: [{ tag: 'unavailable', attrs: { type: 'view_once' } }] }];
    }
    const address = book.session(device);
    if (!signal.hasSession(address)) return [];
    const encrypted = signal.encrypt(address, encodeMessage(message, random));
    return [{ tag: 'to', attrs: { jid: device }, content: [encNode(encrypted, shape, {})] }];
  }
}

/**
 * Linked devices get `<unavailable type="view_once">` instead (Baileys decode-wa-message.js,
 * whatsmeow message.go). That the phone puts it there and not the server is this network's choice.
 */
function isKeptFrom(device: Jid, shape: MessageShape): boolean {
  return shape.isForPhonesOnly === true && (parseJid(device)?.device ?? 0) !== 0;
}

function distributionMessage(groupId: Jid, key: Uint8Array): Message['senderKeyDistributionMessage'] {
  return { groupId, axolotlSenderKeyDistributionMessage: key };
}

function encNode(
  encrypted: { type: string; ciphertext: Uint8Array },
  shape: MessageShape,
  extra: Record<string, string>,
): Node {
  return {
    tag: 'enc',
    attrs: {
      v: '2',
      type: encrypted.type,
      ...(shape.mediatype === undefined ? {} : { mediatype: shape.mediatype }),
      ...(shape.isHiddenOnFailure ? { 'decrypt-fail': 'hide' } : {}),
      ...extra,
    },
    content: encrypted.ciphertext,
  };
}
