import { EVENT_RESPONSE, proto } from '../wa-proto.ts';
import { namesFor, openAnyAnswer } from './answers.ts';
import type { ChangeKind } from './change.ts';
import { InputError } from './input.ts';
import { sealAnswer, secretOf } from './message-secret.ts';

const MAX_EXTRA_GUESTS = 50;

/**
 * `{to, event_id, response, extra_guest_count?}`: replaces this person's earlier answer. Encrypted
 * with the event's secret.
 */
export const rsvp: ChangeKind = {
  build(input, target, { key, own, book, random, nowMs }) {
    const secret = secretOf(target);
    if (target.content.type !== 'event' || !secret) throw new InputError('event_id', 'must be an event of this chat');
    const response = EVENT_RESPONSE[input.choice('response', ['going', 'not_going', 'maybe'] as const)];
    const extraGuestCount = input.integer('extra_guest_count', 0, MAX_EXTRA_GUESTS, 0);
    const answer = { response, timestampMs: nowMs(), extraGuestCount };
    const encIv = random(12);
    const scope = {
      use: 'Event Response',
      secret,
      messageId: target.messageId,
      ...namesFor(target, input, { own, book }),
    } as const;
    const encPayload = sealAnswer(scope, proto.Message.EventResponseMessage.encode(answer).finish(), encIv);
    return {
      message: { encEventResponseMessage: { eventCreationMessageKey: key, encPayload, encIv } },
      shape: { type: 'event', meta: { event_type: 'response' } },
    };
  },
  apply(message, envelope, { inbox, own, book }) {
    const { encEventResponseMessage: sealed } = message;
    if (!sealed) return false;
    inbox.update(envelope.chat, sealed.eventCreationMessageKey?.id ?? '', (entry) => {
      const opened = openAnyAnswer(entry, envelope, { own, book }, 'Event Response', sealed);
      if (!opened) return entry;
      const answer = proto.Message.EventResponseMessage.decode(opened);
      const response = Object.entries(EVENT_RESPONSE).find(([, value]) => value === answer.response)?.[0];
      if (response === undefined) return entry;
      const others = entry.answers.filter(({ from }) => from !== envelope.from);
      const given = { from: envelope.from, response, extraGuestCount: answer.extraGuestCount ?? 0 };
      return { ...entry, answers: [...others, given] };
    });
    return true;
  },
};
