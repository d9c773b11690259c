import { child, intAttr, isNewsletter, type Jid, type Node, sameUser } from '@ponte/engine';
import type { SignalDevice } from '../signal/signal-device.ts';
import type { Activities } from './activity.ts';
import type { AddressBook } from './address-book.ts';
import type { Calls } from './calls.ts';
import { type Envelope, readEnvelope } from './envelope.ts';
import { learnNoticed } from './groups.ts';
import type { Inbound, Reception } from './inbound.ts';
import type { Inbox, InboxEntry, MessageStatus } from './inbox.ts';
import { answerTo } from './iq-answer.ts';
import type { PhoneFiles } from './media/phone-files.ts';
import type { DeviceLink, PhoneSettings } from './network.ts';
import { ackOf, deliveryReceipt, idsOf, memberReceipts } from './receipts.ts';
import type { RetryRequests } from './retry-requests.ts';
import { isShared } from './shared-chat.ts';
import type { PhoneSync } from './sync/phone-sync.ts';

const STATUS_OF_RECEIPT: Record<string, MessageStatus> = {
  delivered: 'delivered',
  inactive: 'delivered',
  read: 'read',
  played: 'played',
};

export interface IncomingParts {
  own: { jid: Jid; lid: Jid };
  link: DeviceLink;
  settings: () => PhoneSettings;
  signal: SignalDevice;
  book: AddressBook;
  inbox: Inbox;
  inbound: Inbound;
  retries: RetryRequests;
  files: PhoneFiles;
  activities: Activities;
  calls: Calls;
  sync: PhoneSync;
  /** A device could not read a message: it is sent again. */
  resend: (messageId: string, device: Jid, count: number, retry: Node) => Promise<void>;
  uploadPreKeys: () => Promise<void>;
  markRead: (chat: Jid, messageIds: string[]) => void;
  /** A received message has just been shown: applies the settings (receipts, echo). */
  shown: (envelope: Envelope, entry: InboxEntry) => Promise<void>;
}

/** What a phone does with each stanza of the server, and what it answers. */
export class Incoming {
  readonly #parts: IncomingParts;

  constructor(parts: IncomingParts) {
    this.#parts = parts;
  }

  async take(node: Node): Promise<void> {
    const { activities, book, calls, inbox, own } = this.#parts;
    if (node.tag === 'message') return this.#message(node);
    if (node.tag === 'receipt') return this.#receipt(node);
    if (node.tag === 'notification') return this.#notification(node);
    if (node.tag === 'call') {
      calls.take(node);
      return this.#answer(ackOf(node, own.jid));
    }
    if (node.tag === 'ack' && node.attrs.class === 'message') {
      const { id = '', from = '' } = node.attrs;
      inbox.settle(book.shown(from), id, intAttr(node, 't'), intAttr(node, 'error'));
    }
    if (node.tag === 'chatstate') activities.note(book.shown(node.attrs.from ?? ''), node);
    if (node.tag === 'iq' && (node.attrs.type === 'get' || node.attrs.type === 'set')) this.#answer(answerTo(node));
    // Everything else (presence, ib) asks for no answer.
  }

  #answer(node: Node): void {
    this.#parts.link.send(node);
  }

  async #message(node: Node): Promise<void> {
    const { activities, book, files, own, retries, settings, sync } = this.#parts;
    const envelope = readEnvelope(node, book, own);
    if (!envelope) return this.#answer(ackOf(node, own.jid, 487));
    const reception = this.#accept(envelope, node);
    if (reception.outcome === 'retry') {
      const request = envelope.isPeer ? undefined : retries.next(envelope, node);
      if (request) this.#answer(request);
      return this.#answer(ackOf(node, own.jid));
    }
    if (reception.outcome === 'rejected') return this.#answer(ackOf(node, own.jid, 491));
    retries.done(envelope);
    const isPost = isNewsletter(envelope.chatJid);
    if (!isPost && (envelope.isFromMe || settings().autoReceipts !== 'none')) this.#answer(deliveryReceipt(envelope));
    this.#answer(ackOf(node, own.jid));
    if (reception.outcome === 'peer') {
      await sync.companions.told(envelope.device, reception.message, envelope.messageId);
    }
    if (reception.outcome === 'shown') files.fetch(reception.entry);
    if (reception.outcome !== 'shown' || envelope.isFromMe) return;
    activities.ended(envelope.chat);
    await this.#parts.shown(envelope, reception.entry);
  }

  // A message that breaks this phone must not come back for ever: it is refused (UnhandledError),
  // and the failure is passed on.
  #accept(envelope: Envelope, node: Node): Reception {
    const { inbound, own } = this.#parts;
    try {
      return inbound.accept(envelope, node);
    } catch (error) {
      this.#answer(ackOf(node, own.jid, 500));
      throw error;
    }
  }

  async #receipt(node: Node): Promise<void> {
    const { files, own, resend, sync } = this.#parts;
    const { from = '', participant, type = 'delivered' } = node.attrs;
    const device = participant ?? from;
    const isOwn = sameUser(device, own.jid) || sameUser(device, own.lid);
    if (type === 'retry') {
      const retry = child(node, 'retry');
      await resend(retry?.attrs.id ?? node.attrs.id ?? '', device, intAttr(retry, 'count') ?? 1, node);
    } else if (type === 'server-error') {
      const answer = files.uploadAgain(node, device);
      if (answer) this.#answer(answer);
    } else if (type === 'peer_msg' && isOwn) {
      sync.history.noted(idsOf(node), 'delivered');
      await sync.companions.received(device, idsOf(node));
    } else if (type === 'hist_sync' && isOwn) {
      sync.history.noted(idsOf(node), 'synced');
    } else this.#progress(node, type, isOwn);
    this.#answer(ackOf(node, own.jid));
  }

  // How far messages got: own ones at others, others' ones on own devices.
  #progress(node: Node, type: string, isOwn: boolean): void {
    const { book, inbox, markRead } = this.#parts;
    const { from = '', recipient } = node.attrs;
    const status = STATUS_OF_RECEIPT[type];
    const chat = book.shown(isOwn && recipient ? recipient : from);
    if (isOwn && (type === 'read' || type === 'read-self')) markRead(chat, idsOf(node));
    if (isOwn || !status) return;
    if (!isShared(from)) for (const id of idsOf(node)) inbox.advance(chat, id, status);
    else for (const { member, id } of memberReceipts(node)) inbox.noteMember(chat, id, book.shown(member), status);
  }

  async #notification(node: Node): Promise<void> {
    const { book, own, signal, sync, uploadPreKeys } = this.#parts;
    const { from, type } = node.attrs;
    if (type === 'encrypt' && child(node, 'count')) await uploadPreKeys();
    // The contact has a new phone: the old session would only cost a retry.
    if (type === 'encrypt' && child(node, 'identity') && from) signal.forgetSessions(book.session(from));
    if (type === 'w:gp2') learnNoticed(node, book);
    this.#answer(ackOf(node, own.jid));
    await sync.companions.notified(node);
  }
}
