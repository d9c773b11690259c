import { PROTOCOL } from '../wa-proto.ts';
import type { ChangeKind } from './change.ts';
import { InputError } from './input.ts';
import { text } from './text.ts';

const EDIT = PROTOCOL.messageEdit;

/** `{to, message_id, body}`: a new text for an own text message. */
export const edit: ChangeKind = {
  build(input, target, { key, nowMs }) {
    if (!target.fromMe || target.content.type !== 'text' || target.isRevoked) {
      throw new InputError('message_id', 'must be a text that this phone sent and has not deleted');
    }
    const editedMessage = { conversation: input.text('body') };
    const protocolMessage = { type: EDIT, key, editedMessage, timestampMs: nowMs() };
    return { message: { editedMessage: { message: { protocolMessage } } }, shape: { type: 'text', edit: '1' } };
  },
  apply(message, envelope, { inbox }) {
    // Phones wrap it in editedMessage; some clients send the protocol message alone (Baileys
    // messages.js).
    const change = message.editedMessage?.message?.protocolMessage ?? message.protocolMessage;
    if (change?.type !== EDIT || !change.editedMessage) return false;
    const content = text.read(change.editedMessage);
    const caption = content?.body ?? captionOf(change.editedMessage);
    inbox.update(envelope.chat, change.key?.id ?? '', (entry) => {
      if (entry.from !== envelope.from || entry.isRevoked || caption === undefined) return entry;
      return { ...entry, isEdited: true, content: { ...entry.content, body: caption } };
    });
    return true;
  },
};

// Media keep what they are; only their caption is edited.
function captionOf(message: object): string | undefined {
  for (const part of Object.values(message)) {
    if (typeof part === 'object' && part !== null && typeof part.caption === 'string') return part.caption;
  }
  return undefined;
}
