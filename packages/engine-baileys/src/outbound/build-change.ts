import { EngineError, isGroup, type Jid, type MessageLookup, type OutboundChange, type Party } from '@ponte/engine';
import { proto } from '../baileys.ts';
import { unwrapMessage } from '../inbound/message-content.ts';
import type { BuiltMessage } from './built-message.ts';

const { Type } = proto.Message.ProtocolMessage;

/**
 * Values of a stanza's `edit` (whatsmeow types.EditAttribute): a new text, an own message taken
 * back, another's taken back by an admin.
 */
const EDIT = '1';
const REVOKE_OWN = '7';
const REVOKE_AS_ADMIN = '8';

interface Target {
  sender: Party;
  fromMe: boolean;
  proto: Uint8Array;
}

/**
 * A reaction, an edit or a revocation of a message of the chat `to`. Rejects with `unknown_message`
 * when that message is unknown; a revocation that names its author needs no other knowledge of it.
 */
export async function buildChange(
  change: OutboundChange,
  to: Jid,
  { lookup, nowMs }: { lookup: MessageLookup; nowMs: number },
): Promise<BuiltMessage> {
  if (change.kind === 'revoke' && change.author !== undefined) return revocation(keyOf(change.targetId, to, change));
  const target = await lookup.proto(change.targetId, to);
  if (!target) throw new EngineError('unknown_message', `the message ${change.targetId} is not known on this line`);
  const key = keyOf(change.targetId, to, { fromMe: target.fromMe, author: target.sender.jid });
  switch (change.kind) {
    case 'reaction':
      return built({ reactionMessage: { key, text: change.emoji, senderTimestampMs: nowMs } });
    case 'edit':
      return edit(key, target, change.body, nowMs);
    case 'revoke':
      return revocation(key);
  }
}

/**
 * How WhatsApp names a message to others: the author is said in groups only (whatsmeow send.go
 * BuildMessageKey).
 */
function keyOf(id: string, to: Jid, { fromMe = false, author }: { fromMe?: boolean; author?: Jid }): proto.IMessageKey {
  return { remoteJid: to, id, fromMe, ...(isGroup(to) && !fromMe ? { participant: author } : {}) };
}

function edit(key: proto.IMessageKey, target: Target, body: string, nowMs: number): BuiltMessage {
  const protocolMessage = {
    key,
    type: Type.MESSAGE_EDIT,
    editedMessage: reworded(target.proto, body),
    timestampMs: nowMs,
  };
  // The wrapper is what WhatsApp's own clients send (whatsmeow send.go BuildEdit).
  return built({ editedMessage: { message: { protocolMessage } } }, { edit: EDIT });
}

/** The message with another text, or its file with another caption. */
function reworded(bytes: Uint8Array, body: string): proto.IMessage {
  const { message } = unwrapMessage(proto.Message.decode(bytes));
  const { imageMessage, videoMessage, documentMessage } = message;
  if (imageMessage) return { imageMessage: { ...imageMessage, caption: body } };
  if (videoMessage) return { videoMessage: { ...videoMessage, caption: body } };
  if (documentMessage) return { documentMessage: { ...documentMessage, caption: body } };
  const contextInfo = message.extendedTextMessage?.contextInfo;
  return contextInfo ? { extendedTextMessage: { text: body, contextInfo } } : { conversation: body };
}

const revocation = (key: proto.IMessageKey): BuiltMessage =>
  built({ protocolMessage: { key, type: Type.REVOKE } }, { edit: key.fromMe ? REVOKE_OWN : REVOKE_AS_ADMIN });

const built = (message: proto.IMessage, attrs: Record<string, string> = {}): BuiltMessage => ({
  proto: proto.Message.encode(proto.Message.create(message)).finish(),
  attrs,
});
