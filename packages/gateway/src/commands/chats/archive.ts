import type { Jid } from '@ponte/engine';
import { AppError } from '../../core/app-error.ts';
import type { Line } from '../../core/lines.ts';
import { archiveFacts, noteArchived } from '../../store/messages/archive.ts';
import { lineCommand } from '../command.ts';
import { ask } from '../contacts/contacts.ts';
import type { Context } from '../context.ts';
import type { LineName } from '../lines/find-line.ts';
import { requireConnected } from './read-messages.ts';

/** What becomes of the chat when a message was sent to it. */
export const ARCHIVE_POLICIES = ['never', 'always', 'preserve_if_previously_archived'] as const;
export type ArchivePolicy = (typeof ARCHIVE_POLICIES)[number];

/**
 * Archives a chat, or takes it out of the archive: on the phone, and here. `chat_not_found` for a
 * chat without messages.
 */
export const archiveChat = lineCommand(
  { scope: 'messages:send' },
  async (
    context: Context,
    line,
    input: { line: LineName; chat: Jid; archived: boolean },
  ): Promise<{ archived: boolean }> => {
    requireConnected(context, line);
    const { db } = context.store;
    const known = await archiveFacts(db, line.id, input.chat);
    if (!known) throw new AppError('chat_not_found');
    const lastMessageAt = known.lastMessageAt ?? Math.floor(context.clock.now() / 1_000);
    await ask(context, line, 'account.archive', { chat: input.chat, archived: input.archived, lastMessageAt });
    await noteArchived(db, line.id, input.chat, input.archived);
    return { archived: input.archived };
  },
);

/**
 * Whether a message puts its chat (back) into the archive once it has left. WhatsApp takes a chat
 * out of it on a new message.
 */
export async function archivesAfter(
  { store }: Context,
  line: Line,
  chat: Jid,
  policy: ArchivePolicy | undefined,
): Promise<boolean> {
  if (policy !== 'preserve_if_previously_archived') return policy === 'always';
  return (await archiveFacts(store.db, line.id, chat))?.archived ?? false;
}
