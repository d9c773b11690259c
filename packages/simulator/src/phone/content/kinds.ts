import type { ContextInfo, Message } from '../wa-proto.ts';
import { contact } from './contact.ts';
import { event } from './event.ts';
import type { Built, Content, ContentKind } from './kind.ts';
import { location } from './location.ts';
import { MEDIA_CONTENT } from './media.ts';
import { poll } from './poll.ts';
import { text } from './text.ts';

/** Every kind of message a phone can write and show. A new kind is a file and a row here. */
export const KINDS: readonly ContentKind[] = [text, ...MEDIA_CONTENT, location, contact, poll, event];

/** Fields of a Message that accompany content and are none themselves. */
const ACCOMPANYING = new Set(['messageContextInfo', 'senderKeyDistributionMessage', 'protocolMessage']);

/** What a message says. Undefined when it holds no content at all (only keys, say). */
export function readContent(message: Message): Content | undefined {
  for (const kind of KINDS) {
    const content = kind.read(message);
    if (content) return withContext(content, message);
  }
  const field = Object.entries(message).find(
    ([name, value]) => !ACCOMPANYING.has(name) && typeof value === 'object' && value !== null,
  );
  return field && { type: 'unsupported', fields: { message_kind: field[0] } };
}

// Quote, mentions and forwarding sit in the contextInfo of whichever content message there is.
function withContext(content: Content, message: Message): Content {
  for (const part of Object.values(message)) {
    if (typeof part !== 'object' || part === null || !('contextInfo' in part) || !part.contextInfo) continue;
    const info: ContextInfo = part.contextInfo;
    const { stanzaId, mentionedJid, nonJidMentions, isForwarded, expiration } = info;
    const fields = {
      ...content.fields,
      ...(stanzaId ? { quoted_message_id: stanzaId } : {}),
      ...(mentionedJid && mentionedJid.length > 0 ? { mentions: [...mentionedJid] } : {}),
      ...(nonJidMentions ? { mentions_all: true } : {}),
      ...(isForwarded ? { forwarded: true } : {}),
      ...(expiration ? { ephemeral_seconds: expiration } : {}),
    };
    return Object.keys(fields).length > 0 ? { ...content, fields } : content;
  }
  return content;
}

/** Every message has a secret of its own: what changes or answers it later is sealed with that. */
export function withSecret(built: Built, random: (length: number) => Uint8Array): Built {
  if (built.message.messageContextInfo?.messageSecret) return built;
  const messageContextInfo = { ...built.message.messageContextInfo, messageSecret: random(32) };
  return { ...built, message: { ...built.message, messageContextInfo } };
}

/**
 * The message as it goes into a chat where messages disappear; its `contextInfo` says after how
 * long, too.
 */
export function disappearing(built: Built, seconds: number | undefined): Built {
  if (seconds === undefined) return built;
  const { messageContextInfo, ...message } = built.message;
  return {
    message: { ephemeralMessage: { message }, ...(messageContextInfo ? { messageContextInfo } : {}) },
    shape: { ...built.shape, expiration: seconds },
  };
}

/**
 * The message inside the wrappers that WhatsApp uses for disappearing, view-once and captioned
 * content.
 */
export function unwrap(message: Message): Message {
  let inner = message;
  for (let depth = 0; depth < 5; depth++) {
    const wrapped =
      inner.ephemeralMessage ??
      inner.viewOnceMessage ??
      inner.viewOnceMessageV2 ??
      inner.viewOnceMessageV2Extension ??
      inner.documentWithCaptionMessage;
    if (!wrapped?.message) return inner;
    inner = { ...wrapped.message, messageContextInfo: wrapped.message.messageContextInfo ?? inner.messageContextInfo };
  }
  return inner;
}
