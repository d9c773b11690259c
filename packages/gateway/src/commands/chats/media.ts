import type { OpenFile } from '../../blobs/account-files.ts';
import { AppError } from '../../core/app-error.ts';
import { findMessagesWithBytes, updateMessageBytes } from '../../store/messages/message-files.ts';
import { lineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import type { LineName } from '../lines/find-line.ts';

/** For the largest files, and for the phone to upload one again. */
const FETCH_MS = 600_000;

/** The file of a message. */
export interface StoredFile {
  /** To be closed by the caller. */
  file: OpenFile;
  mimeType: string;
  /** As the sender named it; null when he did not. */
  fileName: string | null;
}

/**
 * The file of a message, from the cache or from WhatsApp, checked against the hashes of the
 * message. `message_not_found`, `media_not_found`, `media_expired`, `whatsapp_error` when it was
 * damaged, `whatsapp_timeout`, `line_not_connected` when the phone would have to be asked.
 */
export const getMedia = lineCommand(
  { scope: 'messages:read' },
  async (context: Context, line, { messageId }: { line: LineName; messageId: string }): Promise<StoredFile> => {
    const { store, media, router } = context;
    const [message] = await findMessagesWithBytes(store.db, line.id, messageId);
    if (!message) throw new AppError('message_not_found');
    const { facts, proto, fromMe, chatJid } = message;
    const about = facts.content.media;
    if (!about || !proto) throw new AppError('media_not_found');
    const which = { accountId: line.accountId, lineId: line.id, key: `${chatJid} ${facts.sender.jid} ${messageId}` };
    const file = await media.cache.get(which, async (name) => {
      const asked = { id: messageId, chat: facts.chat.jid, sender: facts.sender.jid, fromMe, proto };
      const input = { message: asked, name };
      const fetched = await router.run(line.id, 'media.fetch', input, { timeoutMs: FETCH_MS });
      if (fetched.proto) await updateMessageBytes(store.db, { lineId: line.id, messageId, chatJid }, fetched.proto);
    });
    return { file, mimeType: about.mimeType, fileName: about.fileName ?? null };
  },
);
