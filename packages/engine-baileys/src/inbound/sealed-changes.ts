import { createDecipheriv, hkdfSync } from 'node:crypto';
import type { EngineEvent, MessageLookup, MessageStanza, Self } from '@ponte/engine';
import { proto } from '../baileys.ts';
import { notReadable, openPairwise, type SealedBytes, targetOf } from './answers.ts';
import { readContent, surroundingsOf, toNumber, unwrapMessage } from './message-content.ts';

const { SecretEncType } = proto.Message.SecretEncryptedMessage;
/** Newer than the library's schema (zapo spec/proto, 2026-08). */
const POLL_EDIT = 4;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** What a change was sealed for: part of its key (whatsmeow msgsecret.go MsgSecretType). */
const EDIT_USES: Record<number, string | undefined> = {
  [SecretEncType.EVENT_EDIT]: 'Event Edit',
  [SecretEncType.MESSAGE_EDIT]: 'Message Edit',
  [POLL_EDIT]: 'Poll Edit',
};

interface SealedChange {
  use: string;
  targetId: string;
  sealed: SealedBytes;
  read(plaintext: Uint8Array, envelope: MessageStanza, targetId: string, self: Self): EngineEvent | undefined;
}

/** True for a message that changes or answers another one, sealed with that one's secret. */
export const isSealedChange = (message: proto.IMessage): boolean => sealedChangeOf(message) !== undefined;

/**
 * A sealed edit, reaction or comment, opened with the secret of the message it is about: since
 * 2026-05 phones seal edits (Baileys #2541), in announcement groups reactions and comments, too.
 * Undefined when the message is none of them. Rejects with `unknown_message` when that message is
 * not known.
 */
export async function readSealedChange(
  message: proto.IMessage,
  envelope: MessageStanza,
  { self, lookup }: { self: Self; lookup: MessageLookup },
): Promise<EngineEvent | undefined> {
  const change = sealedChangeOf(message);
  if (!change) return undefined;
  const { use, targetId, sealed, read } = change;
  const target = await targetOf(targetId, envelope, lookup);
  const plaintext = openPairwise(target, sealed, envelope, ({ encPayload, encIv }, { author, answerer }, secret) =>
    open(hkdfSync('sha256', secret, new Uint8Array(), `${targetId}${author}${answerer}${use}`, 32), encPayload, encIv),
  );
  const event = plaintext && read(plaintext, envelope, targetId, self);
  return event ?? notReadable(envelope, 'the change does not open with the secret of its message');
}

function sealedChangeOf({
  secretEncryptedMessage: change,
  encReactionMessage: reaction,
  encCommentMessage: comment,
}: proto.IMessage): SealedChange | undefined {
  const idOf = (sealed: { targetMessageKey?: proto.IMessageKey | null }) => sealed.targetMessageKey?.id ?? '';
  const use = EDIT_USES[change?.secretEncType ?? SecretEncType.UNKNOWN];
  if (change && use !== undefined) return { use, targetId: idOf(change), sealed: change, read: editOf };
  if (reaction) return { use: 'Enc Reaction', targetId: idOf(reaction), sealed: reaction, read: reactionOf };
  if (comment) return { use: 'Enc Comment', targetId: idOf(comment), sealed: comment, read: commentOf };
  return undefined;
}

/** Without associated data, unlike votes. Throws when the key is another. */
function open(key: ArrayBuffer, sealed: Uint8Array, iv: Uint8Array): Uint8Array {
  if (iv.length !== IV_BYTES || sealed.length < TAG_BYTES) throw new RangeError('this is no sealed change');
  const decipher = createDecipheriv('aes-256-gcm', new Uint8Array(key), iv).setAuthTag(sealed.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]);
}

/** Whose message it is a change of is checked where the message is stored. */
function editOf(plaintext: Uint8Array, envelope: MessageStanza, id: string): EngineEvent | undefined {
  const { message } = unwrapMessage(proto.Message.decode(plaintext));
  return editEvent(message.protocolMessage ?? undefined, envelope, id);
}

/** The edit of the message `id` that a protocol message describes; undefined when it has none. */
export function editEvent(
  edit: proto.Message.IProtocolMessage | undefined,
  { id: changeId, chat, sender, fromMe, pushName, timestamp }: MessageStanza,
  id: string,
): EngineEvent | undefined {
  if (!edit?.editedMessage) return undefined;
  const { body } = readContent(unwrapMessage(edit.editedMessage).message);
  const editedAtMs = toNumber(edit.timestampMs);
  const editedAt = editedAtMs ? Math.floor(editedAtMs / 1000) : timestamp;
  return { type: 'message.edited', id, changeId, chat, sender, fromMe, pushName, body, timestamp: editedAt };
}

function reactionOf(
  plaintext: Uint8Array,
  { id, chat, sender, fromMe, pushName, timestamp }: MessageStanza,
  targetId: string,
): EngineEvent {
  const emoji = proto.Message.ReactionMessage.decode(plaintext).text ?? '';
  return { type: 'reaction', id, targetId, chat, sender, fromMe, emoji, pushName, timestamp };
}

/** A comment is an answer to its message. */
function commentOf(plaintext: Uint8Array, envelope: MessageStanza, targetId: string, self: Self): EngineEvent {
  const outer = commentIn(plaintext, targetId);
  const { message, viewOnce } = unwrapMessage(outer);
  return {
    type: 'message',
    message: {
      ...envelope,
      content: readContent(message),
      ...surroundingsOf(message, self),
      quotedId: targetId,
      viewOnce,
      proto: proto.Message.encode(outer).finish(),
    },
  };
}

/**
 * What a comment says: a message (whatsmeow DecryptComment), or one inside a `CommentMessage` that
 * names its target again (zapo addon-crypto.ts). The name tells which.
 */
function commentIn(plaintext: Uint8Array, targetId: string): proto.IMessage {
  try {
    const comment = proto.Message.CommentMessage.decode(plaintext);
    if (comment.message && comment.targetMessageKey?.id === targetId) return comment.message;
  } catch {
    // A plain message need not be readable as a comment.
  }
  return proto.Message.decode(plaintext);
}
