import {
  isGroup,
  type MessageContent,
  type OutboundChange,
  type OutboundMessage,
  type Party,
  type Prepared,
  type Self,
} from '@ponte/engine';
import { answerKey, canonicalJid, editKey, messageKey, revokeKey } from '../../core/event-keys.ts';
import type { MessageFacts } from '../../core/events.ts';
import type { Fact } from '../../journal/from-engine.ts';

/** A message of ours in the journal's words. `timestamp` is Unix seconds. */
export function sentFacts(
  content: OutboundMessage,
  prepared: Prepared,
  self: Self | undefined,
  timestamp: number,
): MessageFacts {
  return {
    messageId: prepared.id,
    chat: prepared.recipient,
    sender: selfAsParty(self),
    fromMe: true,
    isGroup: isGroup(prepared.to),
    pushName: self?.name ?? '',
    timestamp,
    content: contentOf(content),
    quotedId: content.context?.quotedId ?? null,
    mentions: prepared.mentions ?? [],
    mentionsAll: content.context?.mentionsAll ?? false,
    mentionsMe: false,
    forwarded: false,
    viewOnce: 'viewOnce' in content && content.viewOnce === true,
    ...(prepared.expiresInSeconds === undefined ? {} : { expiresInSeconds: prepared.expiresInSeconds }),
  };
}

/** The fact that WhatsApp has a message of ours. */
export function sentFact(
  content: OutboundMessage,
  prepared: Prepared,
  self: Self | undefined,
  timestamp: number,
): Fact {
  const payload = sentFacts(content, prepared, self, timestamp);
  const chat = canonicalJid(payload.chat);
  return { type: 'message.sent', payload, dedupeKey: messageKey(payload), chat, proto: prepared.proto };
}

/**
 * The fact that we changed a message: the same one that another device of this account would have
 * brought.
 */
export function changeFact(
  change: OutboundChange,
  prepared: Prepared,
  self: Self | undefined,
  timestamp: number,
): Fact {
  const who = { chat: prepared.recipient, sender: selfAsParty(self), fromMe: true, timestamp };
  const chat = canonicalJid(who.chat);
  const { targetId } = change;
  switch (change.kind) {
    case 'reaction': {
      const dedupeKey = answerKey('reaction', chat, prepared.id, canonicalJid(who.sender));
      const payload = { messageId: prepared.id, targetId, ...who, emoji: change.emoji, pushName: self?.name ?? '' };
      return { type: 'message.reaction', payload, dedupeKey, chat };
    }
    case 'edit': {
      const payload = { messageId: targetId, ...who, pushName: self?.name ?? '', body: change.body };
      return { type: 'message.edited', payload, dedupeKey: editKey(chat, targetId, prepared.id), chat };
    }
    case 'revoke': {
      const pushName = self?.name ?? '';
      const payload = { messageId: targetId, ...who, pushName, byAdmin: change.author !== undefined };
      return { type: 'message.revoked', payload, dedupeKey: revokeKey(chat, targetId), chat };
    }
  }
}

function selfAsParty(self: Self | undefined): Party {
  const me = self?.pn ?? '';
  return { jid: me, pn: me, ...(self?.lid === undefined ? {} : { lid: self.lid }) };
}

/** What an outgoing message says, in the journal's words. */
export function contentOf(content: OutboundMessage): MessageContent {
  switch (content.kind) {
    case 'text': {
      const { body, card } = content;
      if (!card) return { kind: 'text', body };
      const { thumbnail: _, ...linkPreview } = card;
      return { kind: 'text', body, linkPreview };
    }
    case 'location': {
      const { kind, context: _, ...location } = content;
      return { kind, body: content.name ?? '', location };
    }
    case 'contact': {
      const { kind, contacts } = content;
      return { kind, body: contacts.map(({ name }) => name).join(', '), contacts };
    }
    case 'poll': {
      const { kind, question, options, maxAnswers } = content;
      return { kind, body: question, poll: { options, maxAnswers } };
    }
    case 'event': {
      const { kind, name, call: _, context: __, ...event } = content;
      return { kind, body: name, event };
    }
    default: {
      const { kind, caption, file, gif } = content;
      const { name: _, thumbnail: __, waveform: ___, animated, ...media } = file;
      const marks = { ...(animated ? { isAnimated: true } : {}), ...(gif ? { isGif: true } : {}) };
      return { kind, body: caption ?? '', media: { ...media, ...marks } };
    }
  }
}
