import { isChange, isGroup, type Jid, type MessageStatus, type Party, party } from '@ponte/engine';
import { AppError, ERRORS, type ErrorCode, invalid } from '../../core/app-error.ts';
import type { MessageFacts } from '../../core/events.ts';
import type { Line } from '../../core/lines.ts';
import type { Priority } from '../../core/pacing.ts';
import { queryWords } from '../../core/search-text.ts';
import { traceIdOf } from '../../core/trace-context.ts';
import { contentOf } from '../../lines/sends/sent-facts.ts';
import { type ChatCursor, type ListedChat, listChats } from '../../store/messages/chat-list.ts';
import { findListed, type ListedMessage, listMessages, type MessagePlace } from '../../store/messages/message-list.ts';
import { peopleKnownNow } from '../../store/messages/people.ts';
import { readersOf } from '../../store/messages/readers.ts';
import { findChat } from '../../store/messages/reading.ts';
import { findProgress, type SendProgress, statusEvents } from '../../store/sends/message-progress.ts';
import { lineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import type { LineName } from '../lines/find-line.ts';

export type { ChatCursor, ListedChat, ListedMessage };

/** A line's chats, newest first. */
export const allChats = lineCommand(
  { scope: 'messages:read' },
  (
    context: Context,
    line,
    input: { line: LineName; archived?: boolean; after?: ChatCursor; limit: number },
  ): Promise<{ chats: ListedChat[]; next: ChatCursor | null }> => listChats(context.store.db, line.id, input),
);

export interface MessagePage {
  messages: ListedMessage[];
  isMore: boolean;
  /** Where this server is reached: for the addresses of files. */
  publicUrl: string;
}

/** Older than a message of the line, or than a time in Unix seconds. */
export type Before = { messageId: string } | { timestamp: number };

/**
 * A line's messages, newest first: of one chat, or of all that have the words of a query. A chat
 * without messages has none.
 */
export const allMessages = lineCommand(
  { scope: 'messages:read' },
  async (
    context: Context,
    line,
    input: { line: LineName; chat?: Jid; query?: string; before?: Before; limit: number },
  ): Promise<MessagePage> => {
    const { db } = context.store;
    const words = input.query === undefined ? undefined : queryWords(input.query);
    if (words && context.account.contents !== 'plain') throw new AppError('search_off');
    if (words?.length === 0) throw invalid('q', 'Give at least one word of letters or numbers to look for.');
    const chat = input.chat === undefined ? undefined : await findChat(db, line.id, input.chat);
    const before = input.before && (await placeOf(context, line.id, input.before));
    // A message that was never answered, or is on its way: its chat is not there yet, the message
    // is.
    const chatJid = input.chat === undefined ? undefined : (chat?.jid ?? input.chat);
    const { messages, next } = await listMessages(context.store, line.id, {
      chatJid,
      words,
      before,
      limit: input.limit,
    });
    return { messages, isMore: next !== null, publicUrl: context.publicUrl() };
  },
);

async function placeOf({ store }: Context, lineId: string, before: Before): Promise<MessagePlace> {
  if ('timestamp' in before) return { timestamp: before.timestamp, seq: 0 };
  const known = await findListed(store.db, lineId, before.messageId);
  if (!known) throw new AppError('message_not_found', {}, { message: 'No message with the id in "before".' });
  return known.place;
}

/** Stages of a message; the last ones are those of `message.status` events. */
export type Stage =
  | 'received'
  | 'accepted'
  | 'queued'
  | 'sent'
  | 'server_ack'
  | 'delivered'
  | 'read'
  | 'played'
  | 'failed';

export interface TimelineEntry {
  stage: Stage;
  /** Unix seconds. */
  timestamp: number;
  error: { code: string; message: string; whatsappCode: number | null } | null;
}

/** How far a message came with one member of a group; Unix seconds. */
export interface MemberReading {
  party: Party;
  /** Their name; empty when unknown. */
  name: string;
  deliveredAt: number | null;
  readAt: number | null;
  playedAt: number | null;
}

export interface MessageReport {
  message: ListedMessage;
  /** Of own messages to groups: the members known to have got it. */
  readers: MemberReading[] | null;
  timeline: TimelineEntry[];
  error: TimelineEntry['error'];
  /** Of messages of ours that this server sent. */
  send: { priority: Priority; sendAt: number | null } | null;
  /** Of its trace, where traces are on and it has come so far. */
  traceId: string | null;
  /** Where this server is reached: for the address of the file. */
  publicUrl: string;
}

/** One message and how far it came, as it really happened. `message_not_found`. */
export const oneMessage = lineCommand(
  { scope: 'messages:read' },
  async (context: Context, line, input: { line: LineName; messageId: string }): Promise<MessageReport> => {
    const { db } = context.store;
    // One after the other, in this order: an acknowledgement writes both rows at once, so the
    // message is never older than the send beside it.
    const send = await findProgress(db, line.id, input.messageId);
    const known = await findListed(db, line.id, input.messageId);
    const message = known?.message ?? (send && waiting(send, line));
    if (!message) throw new AppError('message_not_found');
    const timeline = await timelineOf(context, line.id, message, send);
    const isFailed = message.status === 'failed';
    return {
      message,
      readers: await membersOf(context, line.id, message),
      timeline,
      error: isFailed ? (timeline.findLast(({ stage }) => stage === 'failed')?.error ?? null) : null,
      send: send ? { priority: send.priority, sendAt: send.sendAt } : null,
      traceId: traceIdOf(message.facts.traceparent) ?? null,
      publicUrl: context.publicUrl(),
    };
  },
);

async function membersOf(
  { store }: Context,
  lineId: string,
  { messageId, fromMe, facts }: ListedMessage,
): Promise<MemberReading[] | null> {
  if (!fromMe || !facts.isGroup) return null;
  const readers = await readersOf(store.db, lineId, messageId);
  const parties = readers.map(({ reader }) => party(reader));
  const people = await peopleKnownNow(store.db, lineId, parties);
  return readers.map(({ deliveredAt, readAt, playedAt }, index) => {
    const of = parties[index] ?? { jid: '' };
    return { party: people.party(of), name: people.name(of) ?? '', deliveredAt, readAt, playedAt };
  });
}

/** An accepted message that was never made ready has no row among the messages. */
function waiting(send: SendProgress, line: Line): ListedMessage {
  const { content, to, messageId } = send;
  const status: MessageStatus = send.state === 'failed' ? 'failed' : send.state === 'sent' ? 'sent' : 'pending';
  const timestamp = send.ackTimestamp ?? Math.floor(send.acceptedAt / 1_000);
  const said = isChange(content) ? { kind: 'unknown' as const, body: '' } : contentOf(content);
  const context = isChange(content) ? undefined : content.context;
  const facts: MessageFacts = {
    ...{ messageId, fromMe: true, timestamp, content: said },
    chat: party(to),
    sender: party(line.jid ?? '', line.lid ?? undefined),
    isGroup: isGroup(to),
    pushName: line.name ?? '',
    quotedId: context?.quotedId ?? null,
    mentions: context?.mentions ?? [],
    mentionsAll: context?.mentionsAll ?? false,
    viewOnce: 'viewOnce' in content && content.viewOnce === true,
  };
  return {
    facts,
    name: facts.pushName,
    messageId,
    chat: to,
    kind: said.kind,
    body: said.body,
    fromMe: true,
    status,
    timestamp,
  };
}

async function timelineOf(
  context: Context,
  lineId: string,
  message: Pick<ListedMessage, 'fromMe' | 'messageId' | 'timestamp'>,
  send: SendProgress | undefined,
): Promise<TimelineEntry[]> {
  const at = (stage: Stage, timestamp: number): TimelineEntry => ({ stage, timestamp, error: null });
  if (!message.fromMe) return [at('received', message.timestamp)];
  const entries = send ? departure(send, context.clock.now()) : [at('server_ack', message.timestamp)];
  const events = await statusEvents(context.store.db, lineId, message.messageId);
  for (const { status, timestamp, error } of events) {
    if (status === 'pending' || status === 'sent') continue;
    const told = error && { code: error.code, message: error.message, whatsappCode: error.whatsappCode ?? null };
    entries.push({ stage: status, timestamp, error: told });
  }
  // The journal may have forgotten it; the row has not.
  if (send?.error && !entries.some(({ stage }) => stage === 'failed')) entries.push(failure(send));
  // Failed and then acknowledged all the same: in the order of time. Sorting keeps the order of
  // equal ones.
  return entries.sort((a, b) => a.timestamp - b.timestamp);
}

/** What happened here, up to WhatsApp's acknowledgement. */
function departure(send: SendProgress, nowMs: number): TimelineEntry[] {
  const at = (stage: Stage, ms: number): TimelineEntry => ({ stage, timestamp: Math.floor(ms / 1_000), error: null });
  const queuedAt = Math.max(send.acceptedAt, send.sendAt ?? 0);
  const wasQueued = queuedAt <= (send.finishedAt ?? nowMs);
  return [
    at('accepted', send.acceptedAt),
    ...(wasQueued ? [at('queued', queuedAt)] : []),
    ...(send.sendingAt === null ? [] : [at('sent', send.sendingAt)]),
    ...(send.ackTimestamp === null ? [] : [at('server_ack', send.ackTimestamp * 1_000)]),
  ];
}

function failure(send: SendProgress): TimelineEntry {
  const code = send.error?.code ?? 'server_error';
  const message = Object.hasOwn(ERRORS, code) ? ERRORS[code as ErrorCode].message : code;
  const error = { code, message, whatsappCode: send.error?.details.whatsapp_code ?? null };
  return { stage: 'failed', timestamp: Math.floor((send.finishedAt ?? send.acceptedAt) / 1_000), error };
}
