import type { ChangeKind } from './change.ts';
import { InputError } from './input.ts';

/** `{to, message_id, emoji}`; an empty emoji takes the reaction back. One reaction per person. */
export const reaction: ChangeKind = {
  build(input, _target, { key, nowMs }) {
    const text = input.optionalText('emoji', 64);
    if (text === undefined) throw new InputError('emoji', 'is required; an empty text removes the reaction');
    return {
      message: { reactionMessage: { key, text, senderTimestampMs: nowMs() } },
      shape: { type: 'reaction', isHiddenOnFailure: true },
    };
  },
  apply(message, envelope, { inbox }) {
    const { reactionMessage } = message;
    if (!reactionMessage) return false;
    const emoji = reactionMessage.text ?? '';
    inbox.update(envelope.chat, reactionMessage.key?.id ?? '', (entry) => {
      const others = entry.reactions.filter(({ from }) => from !== envelope.from);
      return { ...entry, reactions: emoji === '' ? others : [...others, { from: envelope.from, emoji }] };
    });
    return true;
  },
};
