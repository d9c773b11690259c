import type { EngineEvent, Party, ReceivedMessage } from '@ponte/engine';
import {
  answerKey,
  callKey,
  canonicalJid,
  editKey,
  groupKey,
  messageKey,
  pictureKey,
  revokeKey,
  sourceKey,
  statusKey,
} from '../core/event-keys.ts';
import type { NewEvent } from '../core/events.ts';
import { factsOf } from '../core/message-facts.ts';

/** A new event with what only the projections need. */
export type Fact = NewEvent & {
  /** The bytes of a message: for quotes, media and retries. */
  proto?: Uint8Array;
  /** Whose receipt a status is. */
  by?: Party;
  /** The step of a trace that journals it: what is delivered of it goes on there. */
  traceparent?: string;
};

export interface TranslateContext {
  /** What names the inbox row: facts without a name of their own take it as their key. */
  source: string;
  /** False for rows that waited unread: live facts (typing) are worthless by then. */
  isLive: boolean;
}

/**
 * What the journal makes of an engine's event; pure. The same fact gets the same key, whichever
 * stanza brought it: a message its chat, id and sender; a status message id, reader and stage; a
 * call its id. An event that is no fact of the journal (`address.mapped`, `history.offered`,
 * `settings.changed`) yields nothing.
 */
export function fromEngine(event: EngineEvent, context: TranslateContext): Fact[] {
  switch (event.type) {
    case 'message':
      return [messageReceived(event.message)];
    case 'message.edited':
    case 'message.revoked':
    case 'reaction':
    case 'poll.vote':
    case 'event.response':
    case 'message.undecryptable':
      return [onMessage(event)];
    case 'receipt':
      return event.ids.map((id) => messageStatus(event, id));
    case 'typing':
      return context.isLive ? [typing(event, context.source)] : [];
    case 'call.incoming': {
      const { type, ...payload } = event;
      return [{ type, payload, dedupeKey: callKey(type, event.callId), chat: canonicalJid(event.from) }];
    }
    case 'call.terminated': {
      const { type, ...payload } = event;
      return [{ type, payload, dedupeKey: callKey(type, event.callId), chat: canonicalJid(event.from) }];
    }
    case 'offline.preview': {
      const { type, ...payload } = event;
      return [{ type, payload, dedupeKey: sourceKey(type, context.source), chat: null }];
    }
    case 'offline.completed': {
      const { type, ...payload } = event;
      return [{ type, payload, dedupeKey: sourceKey(type, context.source), chat: null }];
    }
    case 'picture.updated':
      return [pictureUpdated(event)];
    case 'group.updated': {
      const { type, id, ...payload } = event;
      return [{ type, payload, dedupeKey: groupKey(event.group, id), chat: event.group }];
    }
    case 'restricted': {
      const { type: _type, ...payload } = event;
      return [{ type: 'line.restricted', payload, dedupeKey: restrictionKey(event), chat: null }];
    }
    case 'history.offered':
    case 'settings.changed':
    case 'address.mapped':
    case 'chat.expiration':
      return [];
  }
}

/** Two addresses of one person, when an event says so. */
export function mappingOf(event: EngineEvent): { lid: string; pn: string } | undefined {
  return event.type === 'address.mapped' ? { lid: event.lid, pn: event.pn } : undefined;
}

function messageReceived(message: ReceivedMessage): Fact {
  const payload = factsOf(message);
  const chat = canonicalJid(payload.chat);
  return { type: 'message.received', payload, dedupeKey: messageKey(payload), chat, proto: message.proto };
}

type Of<T extends EngineEvent['type']> = Extract<EngineEvent, { type: T }>;

/** The same limit with the same end is one fact, told once or asked for at every login. */
function restrictionKey({ cause, isActive, until, timestamp }: Of<'restricted'>): string {
  return `restricted:${cause}:${isActive ? `until ${until ?? `unsaid ${timestamp}`}` : `lifted ${timestamp}`}`;
}

/** What happened to a message; each has an id of its own or the one of the message it is about. */
function onMessage(
  event:
    | Of<'message.edited'>
    | Of<'message.revoked'>
    | Of<'reaction'>
    | Of<'poll.vote'>
    | Of<'event.response'>
    | Of<'message.undecryptable'>,
): NewEvent {
  const chat = canonicalJid(event.chat);
  const sender = canonicalJid(event.sender);
  const { id: messageId } = event;
  switch (event.type) {
    case 'message.edited': {
      const { type, id: _id, changeId, ...rest } = event;
      return { type, payload: { messageId, ...rest }, dedupeKey: editKey(chat, messageId, changeId), chat };
    }
    case 'message.revoked': {
      const { type, id: _id, ...rest } = event;
      return { type, payload: { messageId, ...rest }, dedupeKey: revokeKey(chat, messageId), chat };
    }
    case 'reaction': {
      const { type: _type, id: _id, ...rest } = event;
      const payload = { messageId, ...rest };
      return { type: 'message.reaction', payload, dedupeKey: answerKey('reaction', chat, messageId, sender), chat };
    }
    case 'poll.vote': {
      const { type, id: _id, ...rest } = event;
      return { type, payload: { messageId, ...rest }, dedupeKey: answerKey('vote', chat, messageId, sender), chat };
    }
    case 'event.response': {
      const { type, id: _id, ...rest } = event;
      return { type, payload: { messageId, ...rest }, dedupeKey: answerKey('response', chat, messageId, sender), chat };
    }
    case 'message.undecryptable': {
      const { type, id: _id, ...rest } = event;
      const dedupeKey = answerKey('undecryptable', chat, messageId, sender);
      return { type, payload: { messageId, ...rest }, dedupeKey, chat };
    }
  }
}

function messageStatus(event: Of<'receipt'>, messageId: string): Fact {
  return {
    type: 'message.status',
    payload: { messageId, chat: event.chat, status: event.status, timestamp: event.timestamp, error: null },
    by: event.by,
    dedupeKey: statusKey(messageId, event.by, event.status),
    chat: canonicalJid(event.chat),
  };
}

function typing(event: Of<'typing'>, source: string): NewEvent {
  const { type, ...payload } = event;
  return { type, payload, dedupeKey: sourceKey(type, source), chat: canonicalJid(event.chat) };
}

function pictureUpdated(event: Of<'picture.updated'>): NewEvent {
  const { type, pictureId, ...rest } = event;
  const of = canonicalJid(event.of);
  return {
    type,
    payload: { ...rest, pictureId: pictureId ?? null },
    dedupeKey: pictureKey(of, pictureId, event.timestamp),
    chat: of,
  };
}
