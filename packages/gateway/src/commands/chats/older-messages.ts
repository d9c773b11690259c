import type { Jid } from '@ponte/engine';
import { AppError } from '../../core/app-error.ts';
import { findChat, oldestOf } from '../../store/messages/reading.ts';
import { lineCommand } from '../command.ts';
import { ask } from '../contacts/contacts.ts';
import type { Context } from '../context.ts';
import type { LineName } from '../lines/find-line.ts';
import { requireConnected } from './read-messages.ts';

/**
 * Asks the phone for messages of a chat that are older than those known here. They come by
 * themselves, while the phone is online, and are read like the history after the pairing.
 * `chat_not_found` when no message of the chat is known: the phone is asked for what is before one.
 */
export const askOlderMessages = lineCommand(
  { scope: 'messages:read' },
  async (context: Context, line, { chat, count }: { line: LineName; chat: Jid; count: number }) => {
    requireConnected(context, line);
    const { db } = context.store;
    const known = await findChat(db, line.id, chat);
    const oldest = known && (await oldestOf(db, line.id, known.jid));
    if (!oldest) throw new AppError('chat_not_found');
    await ask(context, line, 'account.askOlder', { chat: known.jid, oldest, count });
    return { chat, before: oldest.timestamp };
  },
);
