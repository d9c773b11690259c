import { Readable } from 'node:stream';
import { createInflate } from 'node:zlib';
import {
  type AddressPair,
  asPair,
  EngineError,
  type HistoryChat,
  type HistoryMessage,
  type HistoryPart,
  type HistoryPiece,
  isGroup,
  isLid,
  isPn,
  type MessageStatus,
  type Party,
  parseJid,
  party,
  personJid,
  type Self,
  selfParty,
  withUsername,
} from '@ponte/engine';
import type { Dispatcher } from 'undici';
import { proto } from '../baileys.ts';
import { isSupplement, withSecret } from '../inbound/decode.ts';
import { readContent, surroundingsOf, toNumber, unwrapMessage } from '../inbound/message-content.ts';
import { describeError } from '../library-log.ts';
import { fetchHistory } from './fetch-history.ts';
import { protoFields } from './proto-fields.ts';

/** Fields of `HistorySync` (Baileys WAProto.proto, whatsmeow WAWebProtobufsHistorySync.proto). */
const CONVERSATION = 2;
const PUSH_NAME = 7;
const ADDRESSES = 15;
/** Newer than the library's schema (whatsmeow message.go GetNctSalt). */
const CONTACT_SALT = 19;

/** One conversation of a part. */
const FIELD_MAX_BYTES = 64 * 1024 * 1024;
/** All of a part, unpacked: it is read as it is unpacked, so this bounds time, not memory. */
const UNPACKED_MAX_BYTES = 1024 * 1024 * 1024;
const MESSAGES_PER_PIECE = 100;
const NAMES_PER_PIECE = 200;

export interface HistoryParts {
  self: Self;
  network: Dispatcher;
  signal: AbortSignal;
  /** Every other address of a person, as far as it is known. */
  complete(incomplete: Party): Promise<Party>;
  /**
   * Takes over addresses and privacy tokens; done before the piece that uses them is handed out.
   */
  learn(pairs: AddressPair[]): Promise<void>;
  /** The account's salt for first messages to strangers. */
  keepSalt(salt: Uint8Array): Promise<void>;
  keepToken(person: Party, conversation: proto.IConversation): Promise<void>;
  /**
   * Has the phone upload the file of an offer again; answers its new place. Rejects with `timeout`
   * when it may do so later, `rejected` when it has it no more.
   */
  askPhone(offerId: string, mediaKey: Uint8Array): Promise<string>;
}

/**
 * Fetches a part of history and reads it piece by piece. The same part gives the same pieces;
 * statuses and settings of the phone are left out.
 */
export async function* readHistory(part: HistoryPart, parts: HistoryParts): AsyncGenerator<HistoryPiece> {
  const packed = await fetched(part, parts);
  const names = new Batch<proto.IPushname>(NAMES_PER_PIECE);
  const addresses = new Batch<AddressPair>(NAMES_PER_PIECE);
  try {
    for await (const { number, bytes } of protoFields(unpack(packed), FIELD_MAX_BYTES)) {
      if (number === CONVERSATION) yield* readConversation(proto.Conversation.decode(bytes), parts);
      if (number === PUSH_NAME) yield* namesOf(names.add(proto.Pushname.decode(bytes)), parts);
      if (number === CONTACT_SALT) await parts.keepSalt(bytes);
      if (number === ADDRESSES) {
        const { pnJid, lidJid } = proto.PhoneNumberToLIDMapping.decode(bytes);
        const pair = asPair(lidJid ?? undefined, pnJid ?? undefined);
        if (pair) yield* addressesOf(addresses.add(pair), parts);
      }
    }
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError('rejected', `the part of history cannot be read (${describeError(error)})`, { cause: error });
  }
  yield* namesOf(names.rest(), parts);
  yield* addressesOf(addresses.rest(), parts);
}

/** WhatsApp's words for a file that it has no more, or whose signed address ran out (403). */
const GONE = new Set([403, 404, 410]);

/** The part; the phone is asked to upload it again when its file is gone. */
async function fetched(part: HistoryPart, { network, signal, askPhone }: HistoryParts): Promise<Uint8Array> {
  const reference = proto.Message.HistorySyncNotification.decode(part.reference);
  try {
    return await fetchHistory(reference, network, signal);
  } catch (error) {
    const isGone = error instanceof EngineError && error.code === 'rejected' && GONE.has(error.serverCode ?? 0);
    if (!isGone || !reference.mediaKey?.length) throw error;
    reference.directPath = await askPhone(part.id, reference.mediaKey);
    return fetchHistory(reference, network, signal);
  }
}

async function* unpack(packed: Uint8Array): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const piece of Readable.from([packed]).pipe(createInflate()) as AsyncIterable<Uint8Array>) {
    size += piece.length;
    if (size > UNPACKED_MAX_BYTES) throw new EngineError('rejected', 'the part of history is too large');
    yield piece;
  }
}

/** Things that are handed on in groups. */
class Batch<T> {
  readonly #size: number;
  #items: T[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  /** A full group, or nothing yet. */
  add(item: T): T[] {
    this.#items.push(item);
    return this.#items.length < this.#size ? [] : this.rest();
  }

  rest(): T[] {
    const items = this.#items;
    this.#items = [];
    return items;
  }
}

async function* namesOf(names: proto.IPushname[], { complete }: HistoryParts): AsyncGenerator<HistoryPiece> {
  if (names.length === 0) return;
  const known = await Promise.all(
    names.map(async ({ id, pushname }) => ({ person: await complete(party(id ?? '')), pushName: pushname ?? '' })),
  );
  const named = known.filter(({ person: { jid }, pushName }) => (isPn(jid) || isLid(jid)) && pushName !== '');
  yield { type: 'names', names: named };
}

async function* addressesOf(pairs: AddressPair[], { learn }: HistoryParts): AsyncGenerator<HistoryPiece> {
  if (pairs.length === 0) return;
  await learn(pairs);
  yield { type: 'addresses', pairs };
}

async function* readConversation(conversation: proto.IConversation, parts: HistoryParts): AsyncGenerator<HistoryPiece> {
  const jid = personJid(conversation.id ?? '');
  if (!isGroup(jid) && !isPn(jid) && !isLid(jid)) return;
  const pair = isGroup(jid) ? undefined : asPair(jid, conversation.pnJid ?? conversation.lidJid ?? undefined);
  if (pair) {
    await parts.learn([pair]);
    yield { type: 'addresses', pairs: [pair] };
  }
  const chat: HistoryChat = {
    chat: await parts.complete(withUsername(party(jid), conversation.username ?? undefined)),
    isGroup: isGroup(jid),
    name: conversation.displayName || conversation.name || '',
    unread: conversation.unreadCount ?? 0,
    isArchived: conversation.archived ?? false,
    ...expirationOf(conversation),
  };
  if (!chat.isGroup) await parts.keepToken(chat.chat, conversation);
  const items = conversation.messages ?? [];
  // A chat without messages is one piece, too.
  for (let from = 0; from === 0 || from < items.length; from += MESSAGES_PER_PIECE) {
    const read = items.slice(from, from + MESSAGES_PER_PIECE).map(({ message }) => readMessage(message, chat, parts));
    const messages = (await Promise.all(read)).filter((message) => message !== undefined);
    yield { type: 'chat', chat, messages };
  }
}

function expirationOf(conversation: proto.IConversation): Pick<HistoryChat, 'expiration'> {
  const { ephemeralExpiration: seconds, ephemeralSettingTimestamp: setAt } = conversation;
  // Protobuf does not tell 0 from absent: without a time it was never set.
  if (seconds === null || seconds === undefined || (seconds === 0 && !toNumber(setAt))) return {};
  return { expiration: { seconds, setAt: toNumber(setAt) ?? 0 } };
}

/** WhatsApp's words for how far an own message came (WebMessageInfo.Status). */
const STATUS: Record<number, MessageStatus> = {
  0: 'failed',
  1: 'pending',
  2: 'sent',
  3: 'delivered',
  4: 'read',
  5: 'played',
};

/**
 * A message; undefined for what is none in a chat: notices, changes of other messages, revoked
 * ones.
 */
async function readMessage(
  info: proto.IWebMessageInfo | null | undefined,
  { chat, isGroup: isInGroup }: HistoryChat,
  { self, complete }: HistoryParts,
): Promise<HistoryMessage | undefined> {
  const { key, message: outer } = info ?? {};
  if (!info || !key?.id || !outer) return undefined;
  const { message, viewOnce } = unwrapMessage(outer);
  if (message.protocolMessage || message.reactionMessage || message.pollUpdateMessage) return undefined;
  if (message.encEventResponseMessage || isSupplement(message)) return undefined;
  const fromMe = key.fromMe ?? false;
  const author = key.participant ?? info.participant ?? undefined;
  if (isInGroup && !fromMe && (author === undefined || !parseJid(author))) return undefined;
  const sender = fromMe ? selfParty(self, self.lid ?? self.pn) : isInGroup ? await complete(party(author ?? '')) : chat;
  const surroundings = surroundingsOf(message, self);
  return {
    id: key.id,
    chat,
    sender,
    fromMe,
    isGroup: isInGroup,
    pushName: info.pushName ?? '',
    timestamp: toNumber(info.messageTimestamp) ?? 0,
    content: readContent(message),
    ...surroundings,
    mentions: await Promise.all(surroundings.mentions.map(complete)),
    viewOnce,
    proto: withSecret(outer, info.messageSecret ?? undefined),
    status: fromMe ? (STATUS[info.status ?? 2] ?? 'sent') : 'delivered',
  };
}
