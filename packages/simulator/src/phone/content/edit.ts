import type { InboxEntry } from '../inbox.ts';
import { type Message, PROTOCOL, proto, SEALED_EDIT } from '../wa-proto.ts';
import { namesFor, openAnyAnswer } from './answers.ts';
import type { ChangeBuildContext, ChangeKind } from './change.ts';
import { type Input, InputError } from './input.ts';
import { sealAnswer, secretOf } from './message-secret.ts';
import { text } from './text.ts';

const EDIT = PROTOCOL.messageEdit;

/** `{to, message_id, body}`: a new text for an own text message. */
export const edit: ChangeKind = {
  build(input, target, context) {
    if (!target.fromMe || target.content.type !== 'text' || target.isRevoked) {
      throw new InputError('message_id', 'must be a text that this phone sent and has not deleted');
    }
    const { key, nowMs } = context;
    const editedMessage = { conversation: input.text('body') };
    const protocolMessage = { type: EDIT, key, editedMessage, timestampMs: nowMs() };
    return { message: sealed(protocolMessage, input, target, context), shape: { type: 'text', edit: '1' } };
  },
  apply(message, envelope, { inbox, own, book }) {
    const { secretEncryptedMessage: secret } = message;
    const isSealed = secret?.secretEncType === SEALED_EDIT;
    // Phones wrap it in editedMessage; some clients send the protocol message alone (Baileys
    // messages.js).
    const change = message.editedMessage?.message?.protocolMessage ?? message.protocolMessage;
    if (!isSealed && (change?.type !== EDIT || !change.editedMessage)) return false;
    const targetId = (isSealed ? secret.targetMessageKey?.id : change?.key?.id) ?? '';
    inbox.update(envelope.chat, targetId, (entry) => {
      const opened = isSealed ? openAnyAnswer(entry, envelope, { own, book }, 'Message Edit', secret) : undefined;
      const edited = opened ? proto.Message.decode(opened).protocolMessage?.editedMessage : change?.editedMessage;
      const caption = edited ? (text.read(edited)?.body ?? captionOf(edited)) : undefined;
      if (entry.from !== envelope.from || entry.isRevoked || caption === undefined) return entry;
      return { ...entry, isEdited: true, content: { ...entry.content, body: caption } };
    });
    return true;
  },
};

/** The edit as it travels: sealed, where the message has a secret and the network wants it so. */
function sealed(
  protocolMessage: NonNullable<Message['protocolMessage']>,
  input: Input,
  target: InboxEntry,
  { key, own, book, random, sealsEdits }: ChangeBuildContext,
): Message {
  const secret = secretOf(target);
  if (!sealsEdits || !secret) return { editedMessage: { message: { protocolMessage } } };
  const names = namesFor(target, input, { own, book });
  const scope = { use: 'Message Edit', secret, messageId: target.messageId, ...names } as const;
  const encIv = random(12);
  const encPayload = sealAnswer(scope, proto.Message.encode({ protocolMessage }).finish(), encIv);
  return { secretEncryptedMessage: { targetMessageKey: key, encPayload, encIv, secretEncType: SEALED_EDIT } };
}

// Media keep what they are; only their caption is edited.
function captionOf(message: object): string | undefined {
  for (const part of Object.values(message)) {
    if (typeof part === 'object' && part !== null && typeof part.caption === 'string') return part.caption;
  }
  return undefined;
}
