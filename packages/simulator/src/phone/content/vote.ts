import { createHash } from 'node:crypto';
import type { InboxEntry } from '../inbox.ts';
import { proto } from '../wa-proto.ts';
import { namesFor, openAnyAnswer } from './answers.ts';
import type { ChangeKind } from './change.ts';
import { InputError } from './input.ts';
import { sealAnswer, secretOf } from './message-secret.ts';

/**
 * `{to, poll_id, options[]}`: replaces this person's earlier vote; no options take it back.
 * Encrypted with the poll's secret.
 */
export const vote: ChangeKind = {
  build(input, target, { key, own, book, random, nowMs }) {
    const secret = secretOf(target);
    if (target.content.type !== 'poll' || !secret) throw new InputError('poll_id', 'must be a poll of this chat');
    const known = optionsOf(target);
    const chosen = input.texts('options', 0, known.length);
    const unknown = chosen.find((option) => !known.includes(option));
    if (unknown !== undefined) throw new InputError('options', `"${unknown}" is no option of this poll`);
    const max = Number(target.content.fields?.max_answers ?? 0);
    if (max > 0 && chosen.length > max) throw new InputError('options', `this poll takes at most ${max}`);
    const payload = proto.Message.PollVoteMessage.encode({ selectedOptions: chosen.map(hashOf) }).finish();
    const encIv = random(12);
    const scope = {
      use: 'Poll Vote',
      secret,
      messageId: target.messageId,
      ...namesFor(target, input, { own, book }),
    } as const;
    const pollUpdateMessage = {
      pollCreationMessageKey: key,
      vote: { encPayload: sealAnswer(scope, payload, encIv), encIv },
      senderTimestampMs: nowMs(),
    };
    return { message: { pollUpdateMessage }, shape: { type: 'poll', meta: { polltype: 'vote' } } };
  },
  apply(message, envelope, { inbox, own, book }) {
    const { pollUpdateMessage } = message;
    if (!pollUpdateMessage) return false;
    inbox.update(envelope.chat, pollUpdateMessage.pollCreationMessageKey?.id ?? '', (entry) => {
      const opened = openAnyAnswer(entry, envelope, { own, book }, 'Poll Vote', pollUpdateMessage.vote);
      if (!opened) return entry;
      const hashes = proto.Message.PollVoteMessage.decode(opened).selectedOptions ?? [];
      const options = optionsOf(entry).filter((option) =>
        hashes.some((hash) => Buffer.compare(hash, hashOf(option)) === 0),
      );
      const others = entry.votes.filter(({ from }) => from !== envelope.from);
      return { ...entry, votes: options.length === 0 ? others : [...others, { from: envelope.from, options }] };
    });
    return true;
  },
};

function optionsOf(poll: InboxEntry): string[] {
  const options = poll.content.fields?.options;
  return Array.isArray(options) ? options.map(String) : [];
}

function hashOf(option: string): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(option).digest());
}
