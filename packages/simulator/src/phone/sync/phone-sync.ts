import { bareJid, isGroup, type Jid, parseJid } from '@ponte/engine';
import type { RandomBytes } from '../../signal/curve.ts';
import type { AddressBook } from '../address-book.ts';
import { Companions } from '../companions.ts';
import type { Directory } from '../directory.ts';
import type { Chat, Inbox, InboxEntry } from '../inbox.ts';
import type { DeviceLink, PhoneMedia, PhoneStore } from '../network.ts';
import { type Message, PEER_REQUEST, type PeerRequest, PROTOCOL, type ProtocolMessage } from '../wa-proto.ts';
import { AppState } from './app-state.ts';
import { type ChatChange, type ChatSettings, chatSettings, settingsFor } from './chat-settings.ts';
import { History } from './history.ts';
import type { OpenMutation } from './mutation.ts';
import { type MessageRange, syncProto } from './sync-proto.ts';

export interface PhoneSyncParts {
  own: { jid: Jid; lid: Jid };
  link: DeviceLink;
  store: PhoneStore;
  media: PhoneMedia;
  book: AddressBook;
  directory: Directory;
  inbox: Inbox;
  random: RandomBytes;
  contactSalt: (() => Uint8Array) | undefined;
  nowMs: () => number;
  /** Sends a message to one linked device; answers its id. */
  sendPeer: (device: Jid, message: Message) => Promise<string>;
}

/** A chat with what its owner set for it. */
export type ChatView = Chat & Partial<ChatSettings>;

/**
 * What this phone keeps in step with its linked devices: keys, settings of chats, names of
 * contacts.
 */
export class PhoneSync {
  readonly appState: AppState;
  readonly companions: Companions;
  readonly history: History;
  readonly #parts: PhoneSyncParts;

  constructor(parts: PhoneSyncParts) {
    const { own, link, store, media, directory, random, nowMs, sendPeer } = parts;
    this.#parts = parts;
    this.appState = new AppState({
      link,
      store,
      media,
      random,
      nowMs,
      changed: (mutations) => this.#changed(mutations),
    });
    this.companions = new Companions({
      own,
      store,
      directory,
      appState: this.appState,
      nowMs,
      send: sendPeer,
      ready: (device) => this.history.begin(device),
      asked: (device, request, messageId) => this.#asked(device, request, messageId),
    });
    this.history = new History({ ...parts, send: sendPeer });
  }

  /** Every chat, the newest first; those that only have settings come last. */
  chats(): ChatView[] {
    const settings = chatSettings(this.appState.settings(), (jid) => this.#parts.book.shown(jid));
    const chats = this.#parts.inbox.chats().map((chat): ChatView => ({ ...chat, ...settings.get(chat.chat) }));
    const seen = new Set(chats.map(({ chat }) => chat));
    const others = [...settings].filter(([chat]) => !seen.has(chat));
    return [...chats, ...others.map(([chat, set]) => ({ chat, lastMessageAt: 0, unread: 0, ...set }))];
  }

  /**
   * Archives, pins, mutes, marks or names a chat, as its owner does on the phone: companions hear
   * of it.
   */
  async changeChat(chat: Jid, change: ChatChange): Promise<void> {
    const { book, inbox, directory, nowMs } = this.#parts;
    // Asked for even when it is known by number only: the chat is named by LID wherever there is
    // one.
    const jid = isGroup(chat) ? bareJid(chat) : ((await directory.contacts([bareJid(chat)]))[0]?.jid ?? chat);
    if (change.isUnread === false) inbox.readAll(book.shown(jid));
    const about = { nowMs: nowMs(), range: this.#range(jid), lidJid: jid.endsWith('@lid') ? jid : undefined };
    for (const { collection, settings } of settingsFor(jid, change, about))
      await this.appState.push(collection, settings);
  }

  /**
   * Names people in the address book, all in one patch; people that this phone does not know by LID
   * are asked for first.
   */
  async nameContacts(contacts: { jid: Jid; name: string }[]): Promise<void> {
    const { directory, nowMs } = this.#parts;
    const known = await directory.contacts(contacts.map(({ jid }) => jid));
    const settings = contacts.flatMap(({ jid, name }, index) => {
      const wire = known[index]?.jid ?? jid;
      const about = { nowMs: nowMs(), range: {}, lidJid: wire.endsWith('@lid') ? wire : undefined };
      return settingsFor(wire, { name }, about).flatMap((part) => part.settings);
    });
    await this.appState.push('critical_unblock_low', settings);
  }

  /**
   * Tells the linked devices which numbers have become which LIDs: the account's chats are named by
   * LID from now on.
   */
  async announceLids(): Promise<{ companions: number; mappings: number }> {
    const { book, sendPeer, nowMs } = this.#parts;
    const user = (jid: Jid): number => Number(parseJid(jid)?.user ?? 0);
    const pnToLidMappings = book
      .pairs()
      .map(({ pn, lid }) => ({ pn: user(pn), assignedLid: user(lid), latestLid: user(lid) }));
    const payload = { pnToLidMappings, chatDbMigrationTimestamp: Math.floor(nowMs() / 1000) };
    const encodedMappingPayload = syncProto.LIDMigrationMappingSyncPayload.encode(payload).finish();
    const protocolMessage = {
      type: PROTOCOL.lidMigrationMappingSync,
      lidMigrationMappingSyncMessage: { encodedMappingPayload },
    };
    const companions = await this.companions.devices();
    for (const device of companions) await sendPeer(device, { protocolMessage });
    return { companions: companions.length, mappings: pnToLidMappings.length };
  }

  // What companions ask beside keys (peer data operations: Baileys messages-recv.js, whatsmeow
  // BuildHistorySyncRequest).
  async #asked(device: Jid, protocolMessage: ProtocolMessage, messageId: string): Promise<void> {
    const request = protocolMessage.peerDataOperationRequestMessage;
    const type = request?.peerDataOperationRequestType;
    if (!request) return;
    if (type === PEER_REQUEST.historyOnDemand) {
      await this.history.sendOlder(device, request.historySyncOnDemandRequest, messageId);
    }
    if (type === PEER_REQUEST.fullHistoryOnDemand) await this.history.sendFull(device);
    if (type === PEER_REQUEST.placeholderResend) await this.#resend(device, request, messageId);
  }

  async #resend(device: Jid, request: PeerRequest, stanzaId: string): Promise<void> {
    const results = (request.placeholderMessageResendRequest ?? []).flatMap(({ messageKey }) => {
      const found = this.history.find(messageKey?.remoteJid ?? '', messageKey?.id ?? '');
      // What is to be viewed once is on phones only.
      if (!found || (found.message && isViewOnce(found.message))) return [];
      const webMessageInfoBytes = syncProto.WebMessageInfo.encode(found).finish();
      return [{ placeholderMessageResendResponse: { webMessageInfoBytes } }];
    });
    const peerDataOperationRequestResponseMessage = {
      peerDataOperationRequestType: PEER_REQUEST.placeholderResend,
      stanzaId,
      peerDataOperationResult: results,
    };
    const protocolMessage = { type: PROTOCOL.peerDataOperationResponse, peerDataOperationRequestResponseMessage };
    await this.#parts.sendPeer(device, { protocolMessage });
  }

  #changed(mutations: OpenMutation[]): void {
    const { book, inbox } = this.#parts;
    for (const { index, action } of mutations) {
      const jid = index[1];
      if (jid !== undefined && action?.markChatAsReadAction?.read) inbox.readAll(book.shown(jid));
    }
  }

  // What the change is based on: the last message of the chat (whatsmeow appstate/encode.go,
  // newMessageRange).
  #range(chatJid: Jid): MessageRange {
    const { inbox, book, nowMs } = this.#parts;
    const last = inbox.last(book.shown(chatJid));
    if (!last) return { lastMessageTimestamp: Math.floor(nowMs() / 1000) };
    return {
      lastMessageTimestamp: last.timestamp,
      messages: [{ key: keyOf(chatJid, last), timestamp: last.timestamp }],
    };
  }
}

function keyOf(chatJid: Jid, entry: InboxEntry) {
  const participant = isGroup(chatJid) ? { participant: entry.senderJid } : {};
  return { remoteJid: chatJid, fromMe: entry.fromMe, id: entry.messageId, ...participant };
}

function isViewOnce(message: Message): boolean {
  return Object.values(message).some((part) => typeof part === 'object' && part !== null && part.viewOnce === true);
}
