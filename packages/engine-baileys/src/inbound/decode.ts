import {
  completeParty,
  type EngineEvent,
  type HistoryPart,
  type InboxEntry,
  type MessageLookup,
  type MessageStanza,
  type Node,
  type Party,
  parseMessageStanza,
  party,
  type Self,
  type StanzaFailure,
  stanzaEvents,
  unpackNode,
} from '@ponte/engine';
import { proto, unpadRandomMax16 } from '../baileys.ts';
import { describeError } from '../library-log.ts';
import type { LidMap } from '../store/lid-map.ts';
import { readAnswer } from './answers.ts';
import { completeGroupUpdate } from './complete-group-update.ts';
import { contextOf, readContent, surroundingsOf, toNumber, unwrapMessage } from './message-content.ts';
import { editEvent, isSealedChange, readSealedChange } from './sealed-changes.ts';
import { unknownFields } from './unknown-fields.ts';

const { Type } = proto.Message.ProtocolMessage;
/**
 * A stanza's `edit` when a group admin takes another's message back (whatsmeow
 * types.EditAttribute).
 */
const REVOKE_AS_ADMIN = '8';

export interface DecodeParts {
  self: Self;
  lids: LidMap;
  /** Finds the polls and invitations that others answer. */
  lookup: MessageLookup;
  /** A kind of message that has no word here; it is kept as it came. */
  onUnknown(kind: string): void;
}

/**
 * Turns an inbox row into events. The LID map completes addresses that the stanza did not disclose;
 * votes and answers to invitations are opened with the stored message they answer
 * (`unknown_message` when it is not there). Of the messages between the account's own devices,
 * offers of history give an event; others (key shares) do not.
 */
export async function decodeEntry(entry: InboxEntry, parts: DecodeParts): Promise<EngineEvent[]> {
  const node = unpackNode(entry.stanza);
  const events =
    entry.kind === 'sealed'
      ? await decodeSealed(node, entry.plaintext, parts)
      : await decodeStanza(node, entry.failure, parts);
  return Promise.all(events.map((event) => completeEvent(event, parts.lids)));
}

/** The event with every person's other address, when it is known. */
export async function completeEvent(event: EngineEvent, lids: LidMap): Promise<EngineEvent> {
  const complete = (incomplete: Party) => completed(incomplete, lids);
  if (event.type === 'message') {
    const { chat, sender, mentions } = event.message;
    const people = { chat: await complete(chat), sender: await complete(sender) };
    return { ...event, message: { ...event.message, ...people, mentions: await Promise.all(mentions.map(complete)) } };
  }
  if (event.type === 'receipt') return { ...event, chat: await complete(event.chat), by: await complete(event.by) };
  if (event.type === 'call.incoming' || event.type === 'call.terminated') {
    return { ...event, from: await complete(event.from) };
  }
  if (event.type === 'chat.expiration') return { ...event, chat: await complete(event.chat) };
  if (event.type === 'picture.updated') return { ...event, of: await complete(event.of) };
  if (event.type === 'group.updated') return completeGroupUpdate(event, complete);
  if ('sender' in event) return { ...event, chat: await complete(event.chat), sender: await complete(event.sender) };
  return event;
}

const completed = (incomplete: Party, lids: LidMap): Promise<Party> =>
  completeParty(
    incomplete,
    (lid) => lids.pnOf(lid),
    (pn) => lids.lidOf(pn),
  );

async function decodeStanza(
  node: Node,
  failure: StanzaFailure | undefined,
  parts: DecodeParts,
): Promise<EngineEvent[]> {
  const { self } = parts;
  if (node.tag !== 'message') return stanzaEvents(node, self);
  const stanza = parseMessageStanza(node, self);
  // A message without a sender or an id can be neither shown nor asked for again.
  if (!stanza || node.attrs.category === 'peer') return [];
  if (failure) return [undecryptable(stanza, failure)];
  const plain = Array.isArray(node.content) ? node.content.find((part) => part.tag === 'plaintext') : undefined;
  return plain?.content instanceof Uint8Array ? eventsOf(decodeContent(node, stanza, plain.content, parts), parts) : [];
}

async function decodeSealed(node: Node, plaintext: Uint8Array, parts: DecodeParts): Promise<EngineEvent[]> {
  const stanza = parseMessageStanza(node, parts.self);
  // Empty: its events were taken and its content dropped.
  if (!stanza || plaintext.length === 0) return [];
  let decoded: Decoded;
  try {
    decoded = decodeContent(node, stanza, unpadRandomMax16(plaintext), parts);
  } catch (error) {
    const detail = `the decrypted content is malformed (${describeError(error)})`;
    return [undecryptable(stanza, { cause: 'malformed', detail })];
  }
  return eventsOf(decoded, parts);
}

const undecryptable = (stanza: MessageStanza, { cause, detail }: StanzaFailure): EngineEvent => ({
  ...{ type: 'message.undecryptable', ...stanza, isAnswer: false, cause },
  reason: detail,
});

/** Events, or an answer to another message, which has to be looked up. */
type Decoded = EngineEvent[] | { message: proto.IMessage; envelope: MessageStanza };

async function eventsOf(decoded: Decoded, { self, lids, lookup }: DecodeParts): Promise<EngineEvent[]> {
  if (Array.isArray(decoded)) return decoded;
  const { message, envelope } = decoded;
  const chat = await completed(envelope.chat, lids);
  const sender = await completed(envelope.sender, lids);
  const known = { ...envelope, chat, sender };
  const event =
    (await readAnswer(message, known, lookup)) ?? (await readSealedChange(message, known, { self, lookup }));
  return event ? [event] : [];
}

function decodeContent(
  node: Node,
  stanza: MessageStanza,
  bytes: Uint8Array,
  { self, onUnknown }: DecodeParts,
): Decoded {
  const outer = proto.Message.decode(bytes);
  const { message, viewOnce } = unwrapMessage(outer);
  const envelope = withDestination(stanza, outer, self);
  const { id, chat, sender, fromMe, timestamp, pushName } = envelope;
  if (message.protocolMessage) return decodeProtocol(node, envelope, message.protocolMessage);
  if (node.attrs.category === 'peer') return [];
  const { reactionMessage: reaction } = message;
  if (reaction) {
    const targetId = reaction.key?.id;
    if (!targetId) return [];
    return [{ type: 'reaction', id, targetId, chat, sender, fromMe, emoji: reaction.text ?? '', pushName, timestamp }];
  }
  if (message.pollUpdateMessage || message.encEventResponseMessage || isSealedChange(message)) {
    return { message, envelope };
  }
  const unknown = isSupplement(message) ? unknownFields(bytes) : [];
  if (isSupplement(message) && unknown.length === 0) return [];
  const content = readContent(message);
  if (content.kind === 'unknown') onUnknown(kindOf(message, unknown));
  const inner = outer.deviceSentMessage?.message;
  return [
    ...expirationSaid(message, envelope),
    {
      type: 'message',
      message: {
        ...envelope,
        content,
        ...surroundingsOf(message, self),
        viewOnce,
        proto: inner ? withSecretOf(outer, inner) : Uint8Array.from(bytes),
      },
    },
  ];
}

/** How long its chat keeps messages, as a message of a private chat says it. */
function expirationSaid(message: proto.IMessage, { chat, isGroup, timestamp }: MessageStanza): EngineEvent[] {
  const { expiration: seconds, ephemeralSettingTimestamp } = contextOf(message) ?? {};
  if (isGroup || !seconds) return [];
  return [{ type: 'chat.expiration', chat, seconds, setAt: toNumber(ephemeralSettingTimestamp) || timestamp }];
}

/**
 * The message inside a copy for our own devices. Votes need its secret, which may lie beside it.
 */
function withSecretOf(outer: proto.IMessage, inner: proto.IMessage): Uint8Array {
  const messageContextInfo = inner.messageContextInfo ?? outer.messageContextInfo;
  return proto.Message.encode(messageContextInfo ? { ...inner, messageContextInfo } : inner).finish();
}

/** A message of the past: the secret that votes need lies beside it. */
export function withSecret(message: proto.IMessage, messageSecret: Uint8Array | undefined): Uint8Array {
  const known = message.messageContextInfo;
  const messageContextInfo = messageSecret?.length && !known?.messageSecret ? { ...known, messageSecret } : known;
  return proto.Message.encode(messageContextInfo ? { ...message, messageContextInfo } : message).finish();
}

/**
 * Copies for our own other devices name their chat inside, too: older phones leave it out of the
 * envelope.
 */
function withDestination(stanza: MessageStanza, outer: proto.IMessage, self: Self): MessageStanza {
  const destination = outer.deviceSentMessage?.destinationJid;
  if (!destination || !stanza.fromMe || stanza.isGroup) return stanza;
  const own = [self.pn, self.lid];
  return own.includes(stanza.chat.jid) ? { ...stanza, chat: party(destination) } : stanza;
}

function decodeProtocol(node: Node, envelope: MessageStanza, message: proto.Message.IProtocolMessage): EngineEvent[] {
  const { id: changeId, chat, sender, fromMe, isGroup, pushName, timestamp } = envelope;
  const offer = message.historySyncNotification;
  // Only the account's own phone hands out its past.
  if (message.type === Type.HISTORY_SYNC_NOTIFICATION) return offer && fromMe ? [historyOffered(changeId, offer)] : [];
  if (message.type === Type.EPHEMERAL_SETTING) {
    const setAt = toNumber(message.ephemeralSettingTimestamp) || timestamp;
    return isGroup ? [] : [{ type: 'chat.expiration', chat, seconds: message.ephemeralExpiration ?? 0, setAt }];
  }
  const id = message.key?.id;
  if (!id) return [];
  if (message.type === Type.REVOKE) {
    const byAdmin = isGroup && node.attrs.edit === REVOKE_AS_ADMIN;
    return [{ type: 'message.revoked', id, chat, sender, fromMe, pushName, byAdmin, timestamp }];
  }
  const edit = message.type === Type.MESSAGE_EDIT ? editEvent(message, envelope, id) : undefined;
  return edit ? [edit] : [];
}

const { HistorySyncType } = proto.HistorySync;
const HISTORY_KINDS: Record<number, HistoryPart['kind']> = {
  [HistorySyncType.INITIAL_BOOTSTRAP]: 'bootstrap',
  [HistorySyncType.RECENT]: 'recent',
  [HistorySyncType.FULL]: 'full',
  [HistorySyncType.PUSH_NAME]: 'names',
  [HistorySyncType.ON_DEMAND]: 'on_demand',
};

function historyOffered(id: string, offer: proto.Message.IHistorySyncNotification): EngineEvent {
  const part: HistoryPart = {
    id,
    kind: HISTORY_KINDS[offer.syncType ?? HistorySyncType.INITIAL_BOOTSTRAP] ?? 'other',
    order: offer.chunkOrder ?? 1,
    progress: offer.progress ?? 0,
    reference: proto.Message.HistorySyncNotification.encode(offer).finish(),
  };
  return { type: 'history.offered', part };
}

/** WhatsApp's names, or numbers, of what a message is. */
function kindOf(message: proto.IMessage, unknown: number[]): string {
  const named = Object.entries(message).flatMap(([key, value]) => (value && !SUPPLEMENTS.has(key) ? [key] : []));
  return [...named, ...unknown.map((number) => `field ${number}`)].join(', ');
}

/** Parts that change or serve another message, and empty carriers of group keys. */
export function isSupplement(message: proto.IMessage): boolean {
  const keys = Object.keys(message).filter((key) => Reflect.get(message, key) !== null);
  return keys.every((key) => SUPPLEMENTS.has(key));
}

const SUPPLEMENTS = new Set([
  'messageContextInfo',
  'senderKeyDistributionMessage',
  'fastRatchetKeySenderKeyDistributionMessage',
  'encReactionMessage',
  'encCommentMessage',
  'keepInChatMessage',
  'pinInChatMessage',
]);
