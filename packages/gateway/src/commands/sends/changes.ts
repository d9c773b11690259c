import { bareJid, isGroup, type Jid, type MessageKind, type OutboundContent } from '@ponte/engine';
import { AppError, invalid } from '../../core/app-error.ts';
import type { Line } from '../../core/lines.ts';
import { findKnownMessage, type KnownMessage } from '../../store/messages/known-message.ts';
import { requireConnected } from '../chats/read-messages.ts';
import type { SendCommand } from '../command.ts';
import type { Context } from '../context.ts';
import type { LineName } from '../lines/find-line.ts';
import { type Sent, sendMessage } from './sends.ts';

/** A message to change, and how long to wait for WhatsApp's word. */
export interface ChangeInput {
  line: LineName;
  to: Jid;
  messageId: string;
  waitMs: number;
}

/** WhatsApp's servers refuse edits after twenty minutes (whatsmeow send.go EditWindow). */
const EDIT_WINDOW_S = 20 * 60;
const EDITABLE: readonly MessageKind[] = ['text', 'image', 'video', 'document'];

/**
 * A change is a message of its own on its way: accepted durably, idempotent, in the order of its
 * chat.
 */
function changeCommand<I extends ChangeInput>(
  contentOf: (context: Context, line: Line, input: I) => Promise<OutboundContent>,
): SendCommand<I, Sent> {
  return {
    ...sendMessage,
    async accept(context, line, input, once) {
      requireConnected(context, line);
      const content = await contentOf(context, line, input);
      return sendMessage.accept(context, line, { line: input.line, to: input.to, content, waitMs: input.waitMs }, once);
    },
  };
}

/** Reacts to a message; an empty emoji takes the reaction back. `message_not_found`. */
export const reactToMessage = changeCommand(async (context, line, input: ChangeInput & { emoji: string }) => {
  await known(context, line, input);
  return { kind: 'reaction', targetId: input.messageId, emoji: input.emoji };
});

/**
 * Gives an own text or caption another wording. `message_not_found`, `edit_window_closed`,
 * `validation_error` for what has no text.
 */
export const editMessage = changeCommand(async (context, line, input: ChangeInput & { body: string }) => {
  const { fromMe, facts, timestamp } = await known(context, line, input);
  if (!fromMe) throw invalid('id', 'Only messages sent from this number can be edited.');
  if (!EDITABLE.includes(facts.content.kind)) throw invalid('id', 'Only texts and captions can be edited.');
  if (context.clock.now() / 1_000 - timestamp > EDIT_WINDOW_S) throw new AppError('edit_window_closed');
  return { kind: 'edit', targetId: input.messageId, body: input.body };
});

/**
 * Deletes a message for everyone: an own one, or another's in a group where this number is admin.
 * `sender` spares the look into what is stored. `message_not_found`.
 */
export const revokeMessage = changeCommand(async (context, line, input: ChangeInput & { sender?: Jid }) => {
  const { messageId: targetId, to, sender } = input;
  if (sender !== undefined && !isOwn(line, sender)) {
    const stored = await findKnownMessage(context.store.db, line.id, to, targetId);
    if (stored?.facts.revoked) throw new AppError('message_revoked');
    if (!isGroup(to)) throw invalid('sender', 'Messages of others can be deleted in groups only. Leave sender out.');
    return { kind: 'revoke', targetId, author: sender };
  }
  const { fromMe, facts } = await known(context, line, input);
  if (fromMe) return { kind: 'revoke', targetId };
  if (!isGroup(to)) throw invalid('id', 'Messages of others can be deleted in groups only.');
  return { kind: 'revoke', targetId, author: facts.sender.jid };
});

async function known({ store }: Context, line: Line, { to, messageId }: ChangeInput): Promise<KnownMessage> {
  const message = await findKnownMessage(store.db, line.id, to, messageId);
  if (message?.facts.revoked) throw new AppError('message_revoked');
  if (!message?.hasContent) throw new AppError('message_not_found');
  return message;
}

const isOwn = ({ jid, lid }: Line, sender: Jid): boolean =>
  [jid, lid].some((own) => own !== null && bareJid(own) === sender);
