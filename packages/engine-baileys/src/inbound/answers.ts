import { createHash } from 'node:crypto';
import { EngineError, type EngineEvent, type MessageLookup, type MessageStanza, type Party } from '@ponte/engine';
import { decryptEventResponse, decryptPollVote, proto } from '../baileys.ts';
import { readContent, unwrapMessage } from './message-content.ts';

const { EventResponseType } = proto.Message.EventResponseMessage;
const RESPONSES: Record<number, Extract<EngineEvent, { type: 'event.response' }>['response'] | undefined> = {
  [EventResponseType.GOING]: 'going',
  [EventResponseType.NOT_GOING]: 'not_going',
  [EventResponseType.MAYBE]: 'maybe',
};

interface Sealed {
  encPayload: Uint8Array;
  encIv: Uint8Array;
}

/** The ciphertext of something that is sealed, as a message carries it. */
export interface SealedBytes {
  encPayload?: Uint8Array | null;
  encIv?: Uint8Array | null;
}

/** Under which two addresses an answer may have been sealed. */
interface Pair {
  author: string;
  answerer: string;
}

/**
 * A vote or the answer to an invitation, opened with the secret of the message it answers.
 * `envelope` must have its people completed: clients disagree whether the key is made with numbers
 * or LIDs (Baileys #2342), so each of the at most four pairs is tried; the tag of the cipher tells
 * the right one. Undefined when the message is neither. Rejects with `unknown_message` when the
 * poll or invitation is not known.
 */
export async function readAnswer(
  message: proto.IMessage,
  envelope: MessageStanza,
  lookup: MessageLookup,
): Promise<EngineEvent | undefined> {
  const { pollUpdateMessage, encEventResponseMessage } = message;
  const who = {
    id: envelope.id,
    chat: envelope.chat,
    sender: envelope.sender,
    fromMe: envelope.fromMe,
    pushName: envelope.pushName,
    timestamp: envelope.timestamp,
  };
  if (pollUpdateMessage?.vote) {
    const pollId = pollUpdateMessage.pollCreationMessageKey?.id ?? '';
    const target = await targetOf(pollId, envelope, lookup);
    const vote = openPairwise(target, pollUpdateMessage.vote, envelope, (sealed, { author, answerer }, pollEncKey) =>
      decryptPollVote(sealed, { pollCreatorJid: author, pollMsgId: pollId, pollEncKey, voterJid: answerer }),
    );
    if (!vote) return notReadable(envelope, 'the vote does not open with the secret of its poll');
    return { type: 'poll.vote', ...who, pollId, options: chosen(target.message, vote.selectedOptions ?? []) };
  }
  if (!encEventResponseMessage) return undefined;
  const eventId = encEventResponseMessage.eventCreationMessageKey?.id ?? '';
  const target = await targetOf(eventId, envelope, lookup);
  const answer = openPairwise(target, encEventResponseMessage, envelope, (sealed, { author, answerer }, eventEncKey) =>
    decryptEventResponse(sealed, {
      eventCreatorJid: author,
      eventMsgId: eventId,
      eventEncKey,
      responderJid: answerer,
    }),
  );
  const response = RESPONSES[answer?.response ?? EventResponseType.UNKNOWN];
  if (!answer || response === undefined) {
    return notReadable(envelope, 'the answer does not open with the secret of its invitation');
  }
  return { type: 'event.response', ...who, eventId, response, extraGuestCount: answer.extraGuestCount ?? 0 };
}

export interface Target {
  sender: Party;
  secret: Uint8Array | undefined;
  message: proto.IMessage;
}

/** The message that another one answers or changes. Rejects with `unknown_message`. */
export async function targetOf(id: string, { chat }: MessageStanza, lookup: MessageLookup): Promise<Target> {
  const found = id === '' ? undefined : await lookup.proto(id, chat.lid ?? chat.pn ?? chat.jid);
  if (!found) throw new EngineError('unknown_message', `the message ${id} that was answered is not known on this line`);
  const outer = proto.Message.decode(found.proto);
  const { message } = unwrapMessage(outer);
  const secret = outer.messageContextInfo?.messageSecret ?? message.messageContextInfo?.messageSecret ?? undefined;
  return { sender: found.sender, secret, message };
}

/** Tries every pair of addresses; undefined when none fits. */
export function openPairwise<T>(
  { sender, secret }: Target,
  { encPayload, encIv }: SealedBytes,
  envelope: MessageStanza,
  decrypt: (sealed: Sealed, pair: Pair, secret: Uint8Array) => T,
): T | undefined {
  if (!secret || !encPayload || !encIv) return undefined;
  for (const author of addressesOf(sender)) {
    for (const answerer of addressesOf(envelope.sender)) {
      try {
        return decrypt({ encPayload, encIv }, { author, answerer }, secret);
      } catch {
        // The tag does not fit: it was sealed under another pair of addresses.
      }
    }
  }
  return undefined;
}

/** The form WhatsApp used first: it is most likely the one the key was made with. */
const addressesOf = ({ jid, lid, pn }: Party): Set<string> =>
  new Set([jid, lid, pn].filter((address) => address !== undefined));

/** A vote names its options by their hashes. */
function chosen(poll: proto.IMessage, hashes: Uint8Array[]): string[] {
  const wanted = new Set(hashes.map((hash) => Buffer.from(hash).toString('hex')));
  const options = readContent(poll).poll?.options ?? [];
  return options.filter((option) => wanted.has(createHash('sha256').update(option).digest('hex')));
}

/** Something about another message that does not open. */
export function notReadable(envelope: MessageStanza, reason: string): EngineEvent {
  return { type: 'message.undecryptable', ...envelope, isAnswer: true, cause: 'decryption_failed', reason };
}
