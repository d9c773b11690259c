import {
  completeParty,
  type EngineEvent,
  type InboxEntry,
  type MessageStanza,
  type Node,
  type Party,
  parseMessageStanza,
  party,
  type Self,
  stanzaEvents,
  unpackNode,
} from '@ponte/engine';
import { proto, unpadRandomMax16 } from '../baileys.ts';
import { describeError } from '../library-log.ts';
import type { LidMap } from '../store/lid-map.ts';
import { contextOf, readContent, toNumber, unwrapMessage } from './message-content.ts';

const { Type } = proto.Message.ProtocolMessage;

/**
 * Turns an inbox row into events. Pure but for the LID map, which completes addresses the stanza did not disclose.
 * Messages between the account's own devices (key shares, history) and votes, which need their poll, give no events.
 */
export async function decodeEntry(entry: InboxEntry, self: Self, lids: LidMap): Promise<EngineEvent[]> {
  const node = unpackNode(entry.stanza);
  const events =
    entry.kind === 'sealed' ? decodeSealed(node, entry.plaintext, self) : decodeStanza(node, entry.failure, self);
  return Promise.all(events.map((event) => completeEvent(event, lids)));
}

/** The event with every person's other address, when it is known. */
export async function completeEvent(event: EngineEvent, lids: LidMap): Promise<EngineEvent> {
  const complete = (incomplete: Party) =>
    completeParty(
      incomplete,
      (lid) => lids.pnOf(lid),
      (pn) => lids.lidOf(pn),
    );
  if (event.type === 'message') {
    const { chat, sender } = event.message;
    return { ...event, message: { ...event.message, chat: await complete(chat), sender: await complete(sender) } };
  }
  if (event.type === 'receipt') return { ...event, chat: await complete(event.chat), by: await complete(event.by) };
  if (event.type === 'call.incoming' || event.type === 'call.terminated') {
    return { ...event, from: await complete(event.from) };
  }
  if (event.type === 'picture.updated') return { ...event, of: await complete(event.of) };
  if ('sender' in event) return { ...event, chat: await complete(event.chat), sender: await complete(event.sender) };
  return event;
}

function decodeStanza(node: Node, failure: string | undefined, self: Self): EngineEvent[] {
  if (node.tag !== 'message') return stanzaEvents(node, self);
  const stanza = parseMessageStanza(node, self);
  // A message without a sender or an id can be neither shown nor asked for again.
  if (!stanza || node.attrs.category === 'peer') return [];
  if (failure !== undefined) return [undecryptable(stanza, failure)];
  const plain = Array.isArray(node.content) ? node.content.find((part) => part.tag === 'plaintext') : undefined;
  return plain?.content instanceof Uint8Array ? decodeContent(node, stanza, plain.content, self) : [];
}

function decodeSealed(node: Node, plaintext: Uint8Array, self: Self): EngineEvent[] {
  const stanza = parseMessageStanza(node, self);
  // Empty: its events were taken and its content dropped.
  if (!stanza || plaintext.length === 0) return [];
  try {
    return decodeContent(node, stanza, unpadRandomMax16(plaintext), self);
  } catch (error) {
    return [undecryptable(stanza, `the decrypted content is malformed (${describeError(error)})`)];
  }
}

function undecryptable({ id, chat, sender, timestamp }: MessageStanza, reason: string): EngineEvent {
  return { type: 'message.undecryptable', id, chat, sender, timestamp, reason };
}

function decodeContent(node: Node, stanza: MessageStanza, bytes: Uint8Array, self: Self): EngineEvent[] {
  const outer = proto.Message.decode(bytes);
  const { message, viewOnce } = unwrapMessage(outer);
  const envelope = withDestination(stanza, outer, self);
  const { id, chat, sender, fromMe, timestamp, pushName } = envelope;
  if (message.protocolMessage) return decodeProtocol(envelope, message.protocolMessage);
  if (node.attrs.category === 'peer') return [];
  const { reactionMessage: reaction } = message;
  if (reaction) {
    const targetId = reaction.key?.id;
    if (!targetId) return [];
    return [{ type: 'reaction', id, targetId, chat, sender, fromMe, emoji: reaction.text ?? '', pushName, timestamp }];
  }
  if (isSupplement(message)) return [];
  const context = contextOf(message);
  const content = readContent(message);
  const inner = outer.deviceSentMessage?.message;
  return [
    {
      type: 'message',
      message: {
        ...envelope,
        content,
        ...(context?.stanzaId ? { quotedId: context.stanzaId } : {}),
        mentions: context?.mentionedJid ?? [],
        forwarded: context?.isForwarded ?? false,
        viewOnce,
        proto: inner ? proto.Message.encode(inner).finish() : Uint8Array.from(bytes),
      },
    },
  ];
}

/** Copies for our own other devices name their chat inside, too: older phones leave it out of the envelope. */
function withDestination(stanza: MessageStanza, outer: proto.IMessage, self: Self): MessageStanza {
  const destination = outer.deviceSentMessage?.destinationJid;
  if (!destination || !stanza.fromMe || stanza.isGroup) return stanza;
  const own = [self.pn, self.lid];
  return own.includes(stanza.chat.jid) ? { ...stanza, chat: party(destination) } : stanza;
}

function decodeProtocol(
  { chat, sender, fromMe, timestamp }: MessageStanza,
  message: proto.Message.IProtocolMessage,
): EngineEvent[] {
  const id = message.key?.id;
  if (!id) return [];
  if (message.type === Type.REVOKE) return [{ type: 'message.revoked', id, chat, sender, fromMe, timestamp }];
  if (message.type !== Type.MESSAGE_EDIT || !message.editedMessage) return [];
  const { body } = readContent(unwrapMessage(message.editedMessage).message);
  const editedAtMs = toNumber(message.timestampMs);
  const editedAt = editedAtMs ? Math.floor(editedAtMs / 1000) : timestamp;
  return [{ type: 'message.edited', id, chat, sender, fromMe, body, timestamp: editedAt }];
}

/** Parts that change or serve another message, and empty carriers of group keys. */
function isSupplement(message: proto.IMessage): boolean {
  const keys = Object.keys(message).filter((key) => Reflect.get(message, key) !== null);
  return keys.every((key) => SUPPLEMENTS.has(key));
}

const SUPPLEMENTS = new Set([
  'messageContextInfo',
  'senderKeyDistributionMessage',
  'fastRatchetKeySenderKeyDistributionMessage',
  'pollUpdateMessage',
  'encEventResponseMessage',
  'encReactionMessage',
  'encCommentMessage',
  'keepInChatMessage',
  'pinInChatMessage',
]);
