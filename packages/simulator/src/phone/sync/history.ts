import { deflateSync } from 'node:zlib';
import { bareJid, isGroup, isLid, isPn, type Jid } from '@ponte/engine';
import type { RandomBytes } from '../../signal/curve.ts';
import type { AddressBook } from '../address-book.ts';
import type { Inbox, InboxEntry } from '../inbox.ts';
import { sealFile } from '../media/media-cipher.ts';
import type { PhoneMedia, PhoneStore } from '../network.ts';
import { Timers } from '../timers.ts';
import { type HistorySyncNotification, type Message, type PeerRequest, PROTOCOL, proto } from '../wa-proto.ts';
import { HistoryStore, type OldChat, type OldMessage } from './history-store.ts';
import { type Conversation, HISTORY, type HistoryMessage, type HistorySync, syncProto } from './sync-proto.ts';

export interface HistoryParts {
  own: { jid: Jid; lid: Jid };
  store: PhoneStore;
  media: PhoneMedia;
  book: AddressBook;
  inbox: Inbox;
  random: RandomBytes;
  contactSalt: (() => Uint8Array) | undefined;
  /** Sends a message to one linked device; answers its id. */
  send: (device: Jid, message: Message) => Promise<string>;
}

/**
 * A part of history on its way: `delivered` when the companion has the message, `synced` when it
 * says that it read the part.
 */
export interface HistoryPart {
  device: Jid;
  messageId: string;
  type: string;
  chunk: number;
  progress: number;
  isInline: boolean;
  state: 'sent' | 'delivered' | 'synced';
  /** Undefined for what is in its message. */
  file: { mediaKey: Uint8Array; fileEncSha256: Uint8Array } | undefined;
}

/**
 * The first part has the newest of every chat; it is small, so that a companion can show something
 * at once.
 */
const BOOTSTRAP_PER_CHAT = 10;
/** What follows by itself; older ones come when asked for. */
const RECENT_PER_CHAT = 100;
const CHUNK_MESSAGES = 200;
const ON_DEMAND_MAX = 500;
/**
 * A bootstrap up to this size travels inside its message, as WhatsApp does with small ones;
 * everything else is a file.
 */
const INLINE_MAX_BYTES = 16 * 1024;
const PARTS_MAX = 500;
/** Key of field 19, bytes: newer than the schema (whatsmeow message.go GetNctSalt). */
const SALT_FIELD = Buffer.of(0x9a, 0x01);
const STATUS_READ = 4;
const TYPE_NAMES = Object.fromEntries(Object.entries(HISTORY).map(([name, value]) => [value, name]));

interface Chunk {
  syncType: number;
  order: number;
  progress: number;
  history: Omit<HistorySync, 'syncType'>;
}

/**
 * Hands the past to linked devices: bootstrap, statuses, push names and recent parts to a new one,
 * the rest and single chats when asked for. Shapes: whatsmeow message.go
 * (handleHistorySyncNotification), Baileys history.js.
 */
export class History {
  readonly old: HistoryStore;
  /** What was sent lately, oldest first; bounded, in memory. */
  readonly parts: HistoryPart[] = [];
  readonly #parts: HistoryParts;
  readonly #timers: Timers;

  constructor(parts: HistoryParts) {
    this.#parts = parts;
    this.old = new HistoryStore(parts.store);
    this.#timers = new Timers(parts.store);
  }

  /** Everything that a companion gets by itself after it was linked. */
  async begin(device: Jid): Promise<void> {
    const past = this.#past();
    const newest = new Map([...past].map(([jid, messages]) => [jid, messages.slice(-BOOTSTRAP_PER_CHAT)]));
    const recent = [...past].flatMap(([, messages]) => messages.slice(-RECENT_PER_CHAT, -BOOTSTRAP_PER_CHAT));
    const mappings = this.#mappings();
    await this.#send(device, {
      syncType: HISTORY.initialBootstrap,
      order: 1,
      progress: recent.length === 0 ? 100 : 0,
      history: { conversations: this.#conversations(newest, recent.length === 0), phoneNumberToLidMappings: mappings },
    });
    const statuses = this.#statuses();
    if (statuses.length > 0) {
      await this.#send(device, {
        syncType: HISTORY.initialStatus,
        order: 1,
        progress: 100,
        history: { statusV3Messages: statuses },
      });
    }
    const pushnames = this.#pushNames(past);
    if (pushnames.length > 0) {
      await this.#send(device, { syncType: HISTORY.pushName, order: 1, progress: 100, history: { pushnames } });
    }
    await this.#sendChunks(device, HISTORY.recent, recent);
    if (recent.length === 0) return;
    const rest = {
      syncType: HISTORY.nonBlockingData,
      order: 1,
      progress: 100,
      history: { phoneNumberToLidMappings: mappings },
    };
    await this.#send(device, rest);
  }

  /** All of it. */
  async sendFull(device: Jid): Promise<void> {
    await this.#sendChunks(device, HISTORY.full, [...this.#past().values()].flat());
  }

  /**
   * Older messages of one chat, for a companion that asked: `sessionId` is the id of its question.
   */
  async sendOlder(device: Jid, request: PeerRequest['historySyncOnDemandRequest'], sessionId: string): Promise<void> {
    const { chatJid, oldestMsgId, onDemandMsgCount, oldestMsgTimestampMs } = request ?? {};
    const jid = this.#parts.book.wire(bareJid(chatJid ?? ''));
    const messages = this.#past().get(jid) ?? [];
    const known = messages.findIndex(({ messageId }) => messageId === oldestMsgId);
    const untilS = Number(oldestMsgTimestampMs ?? 0) / 1000;
    const older = known >= 0 ? messages.slice(0, known) : messages.filter(({ timestamp }) => timestamp < untilS);
    const count = Math.min(ON_DEMAND_MAX, Math.max(1, onDemandMsgCount ?? 50));
    const part = older.slice(-count);
    const isEnd = part.length === older.length;
    const conversations = this.#conversations(new Map([[jid, part]]), isEnd);
    const chunk = { syncType: HISTORY.onDemand, order: 1, progress: 100, history: { conversations } };
    await this.#send(device, chunk, { peerDataRequestSessionId: sessionId });
  }

  /** A message as history carries it; undefined when this phone does not have it. */
  find(chatJid: Jid, messageId: string): HistoryMessage | undefined {
    const messages = this.#past().get(this.#parts.book.wire(bareJid(chatJid))) ?? [];
    const message = messages.find((one) => one.messageId === messageId);
    return message && historyMessage(message);
  }

  /** A companion has got, or read, what was sent under these ids. */
  noted(messageIds: string[], state: 'delivered' | 'synced'): void {
    for (const part of this.parts) {
      if (messageIds.includes(part.messageId) && part.state !== 'synced') part.state = state;
    }
  }

  /** The file of an offer that was made lately. */
  fileOf(messageId: string): HistoryPart['file'] {
    return this.parts.find((part) => part.messageId === messageId)?.file;
  }

  async #sendChunks(device: Jid, syncType: number, messages: OldMessage[]): Promise<void> {
    const newestFirst = messages.toSorted((a, b) => b.timestamp - a.timestamp);
    const chunks = Math.ceil(newestFirst.length / CHUNK_MESSAGES);
    for (let i = 0; i < chunks; i++) {
      const part = newestFirst.slice(i * CHUNK_MESSAGES, (i + 1) * CHUNK_MESSAGES).reverse();
      const conversations = this.#conversations(byChat(part), i === chunks - 1);
      const progress = Math.floor(((i + 1) / chunks) * 100);
      await this.#send(device, { syncType, order: i + 1, progress, history: { conversations } });
    }
  }

  async #send(device: Jid, chunk: Chunk, extra: HistorySyncNotification = {}): Promise<void> {
    const { syncType, order: chunkOrder, progress, history } = chunk;
    const encoded = syncProto.HistorySync.encode({ syncType, chunkOrder, progress, ...history }).finish();
    const salt = syncType === HISTORY.initialBootstrap ? this.#parts.contactSalt?.() : undefined;
    const plain = salt ? Buffer.concat([encoded, SALT_FIELD, Buffer.of(salt.length), salt]) : encoded;
    const compressed = new Uint8Array(deflateSync(plain));
    const isInline = syncType === HISTORY.initialBootstrap && compressed.length <= INLINE_MAX_BYTES;
    const where: HistorySyncNotification = isInline
      ? { initialHistBootstrapInlinePayload: compressed }
      : await this.#file(compressed);
    const historySyncNotification = { syncType, chunkOrder, progress, ...where, ...extra };
    const protocolMessage = { type: PROTOCOL.historySyncNotification, historySyncNotification };
    const messageId = await this.#parts.send(device, { protocolMessage });
    const type = TYPE_NAMES[syncType] ?? String(syncType);
    const { mediaKey, fileEncSha256 } = where;
    const file = mediaKey && fileEncSha256 ? { mediaKey, fileEncSha256 } : undefined;
    this.parts.push({ device, messageId, type, chunk: chunkOrder, progress, isInline, state: 'sent', file });
    if (this.parts.length > PARTS_MAX) this.parts.shift();
  }

  async #file(bytes: Uint8Array): Promise<HistorySyncNotification> {
    const mediaKey = this.#parts.random(32);
    const { bytes: sealed, fileSha256, fileEncSha256 } = sealFile(bytes, mediaKey, 'History');
    const { directPath } = await this.#parts.media.upload('md-msg-hist', sealed);
    return { mediaKey, fileSha256, fileEncSha256, fileLength: bytes.length, directPath };
  }

  /** Old messages and those of the inbox, per chat, oldest first. */
  #past(): Map<Jid, OldMessage[]> {
    const { inbox, book } = this.#parts;
    const rows = inbox.page({ after: 0, chat: undefined, isWithOwnSends: true });
    const lately = rows.flatMap(({ value }) => ofInbox(value, book.wire(value.chat)) ?? []);
    const all = [...this.old.messages(), ...lately].sort((a, b) => a.timestamp - b.timestamp);
    const past = byChat(all.filter(({ chatJid }) => isGroup(chatJid) || isLid(chatJid) || isPn(chatJid)));
    for (const { chatJid } of this.old.chats()) if (!past.has(chatJid)) past.set(chatJid, []);
    return past;
  }

  #conversations(chats: Map<Jid, OldMessage[]>, isEnd: boolean): Conversation[] {
    const about = new Map(this.old.chats().map((chat) => [chat.chatJid, chat]));
    return [...chats].map(([id, messages]) => {
      const known: Partial<OldChat> = about.get(id) ?? {};
      const lastAt = messages.at(-1)?.timestamp ?? 0;
      const shown = this.#parts.book.shown(id);
      const timer = this.#timers.of(shown);
      const pnJid = known.pnJid ?? (isPn(shown) ? shown : undefined);
      return {
        id,
        ...(isLid(id) ? { lidJid: id, ...(pnJid === undefined ? {} : { pnJid }) } : {}),
        ...(known.name === undefined ? {} : { name: known.name, displayName: known.name }),
        // The newest message first, as WhatsApp writes it.
        messages: messages
          .toReversed()
          .map((message, i) => ({ message: historyMessage(message), msgOrderId: messages.length - i })),
        conversationTimestamp: lastAt,
        lastMsgTimestamp: lastAt,
        unreadCount: known.unread ?? 0,
        archived: known.isArchived ?? false,
        ...(timer ? { ephemeralExpiration: timer.seconds, ephemeralSettingTimestamp: timer.setAt } : {}),
        ...(known.isPinned ? { pinned: lastAt || 1 } : {}),
        endOfHistoryTransfer: isEnd,
        // 0 complete but more is on the phone, 1 complete and nothing is left
        // (EndOfHistoryTransferType).
        endOfHistoryTransferType: isEnd ? 1 : 0,
      };
    });
  }

  #statuses(): HistoryMessage[] {
    const rows = this.#parts.inbox.page({ after: 0, chat: 'status@broadcast', isWithOwnSends: true });
    return rows.flatMap(({ value }) => {
      const message = ofInbox(value, 'status@broadcast');
      return message ? [historyMessage(message)] : [];
    });
  }

  #pushNames(past: Map<Jid, OldMessage[]>): { id: string; pushname: string }[] {
    const names = new Map<string, string>();
    for (const { senderJid, chatJid, pushName, fromMe } of [...past.values()].flat()) {
      if (pushName !== undefined && !fromMe) names.set(senderJid ?? chatJid, pushName);
    }
    return [...names].map(([id, pushname]) => ({ id, pushname }));
  }

  #mappings(): { pnJid: string; lidJid: string }[] {
    return this.#parts.book.pairs().map(({ pn, lid }) => ({ pnJid: pn, lidJid: lid }));
  }
}

function byChat(messages: OldMessage[]): Map<Jid, OldMessage[]> {
  const chats = new Map<Jid, OldMessage[]>();
  for (const message of messages) {
    const known = chats.get(message.chatJid);
    if (known) known.push(message);
    else chats.set(message.chatJid, [message]);
  }
  return chats;
}

function ofInbox(entry: InboxEntry, chatJid: Jid): OldMessage | undefined {
  if (entry.raw === undefined) return undefined;
  const { messageId, fromMe, timestamp, raw, senderJid, pushName } = entry;
  const sender = isGroup(chatJid) || chatJid === 'status@broadcast' ? { senderJid } : {};
  return { chatJid, messageId, fromMe, timestamp, raw, ...sender, ...(pushName === undefined ? {} : { pushName }) };
}

function historyMessage(old: OldMessage): HistoryMessage {
  const participant = old.senderJid === undefined ? {} : { participant: old.senderJid };
  return {
    key: { remoteJid: old.chatJid, fromMe: old.fromMe, id: old.messageId, ...participant },
    message: proto.Message.decode(Buffer.from(old.raw, 'base64')),
    messageTimestamp: old.timestamp,
    ...(old.fromMe ? { status: STATUS_READ } : {}),
    ...participant,
    ...(old.pushName === undefined ? {} : { pushName: old.pushName }),
  };
}
