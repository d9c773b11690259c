import type { Jid } from '@ponte/engine';
import { AppError, standingDetails } from '../../core/app-error.ts';
import type { Line } from '../../core/lines.ts';
import { lineStanding } from '../../lines/connection/line-status.ts';
import { findChat, knownIn, markChatRead, unreadOf } from '../../store/messages/reading.ts';
import { lineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import type { LineName } from '../lines/find-line.ts';

export interface ReadInput {
  line: LineName;
  chat: Jid;
  /** Absent: everything unread in the chat. */
  ids?: string[];
  /** The author, in groups; looked up when absent. */
  sender?: Jid;
  played: boolean;
}

const ANSWER_WITHIN_MS = 15_000;

/**
 * Sends read receipts (played ones for voice notes). `line_not_connected`; `chat_not_found` without
 * ids for an unknown chat; `message_not_found` for ids that are no messages of the chat.
 */
export const readMessages = lineCommand(
  { scope: 'messages:send' },
  async (context: Context, line, input: ReadInput): Promise<{ ids: string[] }> => {
    requireConnected(context, line);
    const batches = await batchesOf(context, line, input);
    for (const { sender, ids } of batches) {
      await context.router.run(
        line.id,
        'messages.read',
        { chat: input.chat, ids, sender, played: input.played },
        { timeoutMs: ANSWER_WITHIN_MS },
      );
    }
    if (!input.ids) await markChatRead(context.store.db, line.id, input.chat);
    return { ids: batches.flatMap(({ ids }) => ids) };
  },
);

/** Receipts in groups name the author: one receipt per author. */
async function batchesOf(
  { store }: Context,
  line: Line,
  { chat, ids, sender }: ReadInput,
): Promise<{ sender?: Jid; ids: string[] }[]> {
  const isGroup = chat.endsWith('@g.us') || chat === 'status@broadcast';
  if (!ids) {
    const known = await findChat(store.db, line.id, chat);
    if (!known) throw new AppError('chat_not_found');
    const unread = await unreadOf(store.db, line.id, known);
    return isGroup ? bySender(unread) : unread.length === 0 ? [] : [{ ids: unread.map(({ id }) => id) }];
  }
  const known = await knownIn(store.db, line.id, chat, ids);
  const missing = ids.find((id) => !known.some((message) => message.id === id));
  if (missing !== undefined) {
    const message = `No message ${JSON.stringify(missing)} in this chat. Use a message_id that came in from it.`;
    throw new AppError('message_not_found', {}, { message });
  }
  return isGroup && sender === undefined ? bySender(known) : [{ sender, ids }];
}

function bySender(messages: { id: string; sender: Jid }[]): { sender: Jid; ids: string[] }[] {
  const batches = new Map<Jid, string[]>();
  for (const { id, sender } of messages) batches.set(sender, [...(batches.get(sender) ?? []), id]);
  return [...batches].map(([sender, ids]) => ({ sender, ids }));
}

/** `line_not_connected` unless the line is connected right now. */
export function requireConnected(context: Context, line: Line): void {
  const standing = lineStanding(line, context.router.view(line.id));
  if (standing.status !== 'connected') throw new AppError('line_not_connected', standingDetails(standing));
}
