import { randomBytes } from 'node:crypto';
import { EngineError, type Jid, type MessageLookup, type OutboundContent, type OutboundContext } from '@ponte/engine';
import { proto } from '../baileys.ts';
import { unwrapMessage } from '../inbound/message-content.ts';

/**
 * Encodes what is to be sent as a protobuf `Message`. The secret inside is drawn here, so the same bytes must be kept for a repeat.
 * Rejects with `unknown_message` when it quotes a message nobody knows.
 */
export async function buildMessage(content: OutboundContent, to: Jid, lookup: MessageLookup): Promise<Uint8Array> {
  const contextInfo = await buildContext(content.context, to, lookup);
  const message = proto.Message.create({
    extendedTextMessage: { text: content.body, ...(contextInfo ? { contextInfo } : {}) },
    // WhatsApp's own clients put a secret into every message: abuse reports and later answers are bound to it.
    messageContextInfo: { messageSecret: randomBytes(32) },
  });
  return proto.Message.encode(message).finish();
}

async function buildContext(
  context: OutboundContext | undefined,
  to: Jid,
  lookup: MessageLookup,
): Promise<proto.IContextInfo | undefined> {
  if (!context) return undefined;
  const info: proto.IContextInfo = {};
  if (context.mentions && context.mentions.length > 0) info.mentionedJid = context.mentions;
  if (context.quotedId !== undefined) {
    const quoted = await lookup.proto(context.quotedId, to);
    if (!quoted)
      throw new EngineError('unknown_message', `the quoted message ${context.quotedId} is not known on this line`);
    info.stanzaId = context.quotedId;
    info.participant = quoted.sender.jid;
    info.quotedMessage = withoutContext(quoted.proto);
  }
  return Object.keys(info).length === 0 ? undefined : info;
}

/** A quoted message without its own quotes, secrets and wrappers. */
function withoutContext(bytes: Uint8Array): proto.IMessage {
  const { message } = unwrapMessage(proto.Message.decode(bytes));
  const parts = Object.entries(message).flatMap(([kind, part]) => {
    if (kind === 'messageContextInfo' || part === null || part === undefined) return [];
    return [[kind, typeof part === 'object' && 'contextInfo' in part ? { ...part, contextInfo: undefined } : part]];
  });
  return Object.fromEntries(parts);
}
