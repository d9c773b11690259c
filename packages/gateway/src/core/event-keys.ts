import type { MessageStatus, Party } from '@ponte/engine';

/*
 * The grammar of dedupe keys: a fact has one key, whichever stanza, device or process brings it.
 * Keys of one family begin alike, and some families are read by range, so that a form which stands
 * here stands nowhere else.
 */

/**
 * The address a chat or person is stored under: the LID when WhatsApp disclosed it, else the
 * number, else what WhatsApp used.
 */
export function canonicalJid(party: Party): string {
  return party.lid ?? party.pn ?? party.jid;
}

/** A message, whether it came in or was sent by us: it is journaled once. */
export function messageKey(facts: { messageId: string; chat: Party; sender: Party }): string {
  return `message:${canonicalJid(facts.chat)}:${facts.messageId}:${canonicalJid(facts.sender)}`;
}

/**
 * One message may be edited again and again: the message that brings an edit tells it from the
 * others.
 */
export const editKey = (chat: string, messageId: string, changeId: string): string =>
  `edited:${chat}:${messageId}:${changeId}`;
export const revokeKey = (chat: string, messageId: string): string => `revoked:${chat}:${messageId}`;

/** A change of a message, made by a message that has this id. */
export const answerKey = (
  kind: 'reaction' | 'vote' | 'response' | 'undecryptable',
  chat: string,
  messageId: string,
  sender: string,
): string => `${kind}:${chat}:${messageId}:${sender}`;

/**
 * How far one reader has come with a message; a failure has no reader, and a message fails once.
 */
export const statusKey = (messageId: string, reader: Party | null, status: MessageStatus): string =>
  `status:${messageId}:${reader ? canonicalJid(reader) : ''}:${status}`;

/** The same, told as a fact of its own. */
export const receiptKey = (messageId: string, reader: string, status: MessageStatus): string =>
  `receipt:${messageId}:${reader}:${status}`;

export const callKey = (type: string, callId: string): string => `${type}:${callId}`;
export const groupKey = (group: string, notificationId: string): string => `group:${group}:${notificationId}`;
export const pictureKey = (of: string, pictureId: string | undefined, timestamp: number): string =>
  `picture:${of}:${pictureId ?? 'removed'}:${timestamp}`;
export const archivedKey = (chat: string, archived: boolean, atMs: number): string =>
  `archived:${chat}:${archived}:${atMs}`;
export const webhookDisabledKey = (webhookId: string, atMs: number): string => `webhook.disabled/${webhookId}/${atMs}`;

/** A fact without a name of its own is known by the inbox row that brought it. */
export const sourceKey = (type: string, source: string): string => `${type}:${source}`;

const LINE_STATUS = 'line.status:';

/** Sorts by time. */
export const lineStatusKey = (atMs: number): string => `${LINE_STATUS}${String(atMs).padStart(15, '0')}`;
export const timeOfLineStatus = (key: string): number => Number(key.slice(LINE_STATUS.length));

export const problemEventKey = (kind: string, sinceMs: number, isOver: boolean): string =>
  `line.problem/${kind}/${sinceMs}/${isOver ? 'end' : 'begin'}`;
export const approvalKey = (approvalId: string): string => `approval.requested/${approvalId}`;

/** A range of keys: from (inclusive) and to (exclusive). ';' follows ':' in ASCII. */
export interface KeyRange {
  from: string;
  to: string;
}

const family = (prefix: string): KeyRange => ({ from: prefix, to: `${prefix.slice(0, -1)};` });

/** Every status of a line. */
export const LINE_STATUS_KEYS = family(LINE_STATUS);
/** Every status of a message. */
export const statusKeysOf = (messageId: string): KeyRange => family(`status:${messageId}:`);
