import { type Party, party, type ReceivedMessage } from '@ponte/engine';
import type { MessageFacts } from './events.ts';

/** A message as the journal keeps it, whether it just came or is of the past. */
export function factsOf(message: ReceivedMessage): MessageFacts {
  const { id: messageId, quotedId, expiresInSeconds } = message;
  const { chat, sender, fromMe, isGroup, pushName, timestamp, content } = message;
  const { mentions, mentionsAll, mentionsMe, forwarded, viewOnce } = message;
  return {
    ...{ messageId, chat, sender, fromMe, isGroup, pushName, timestamp, content },
    quotedId: quotedId ?? null,
    ...{ mentions, mentionsAll, mentionsMe, forwarded, viewOnce },
    ...(expiresInSeconds === undefined ? {} : { expiresInSeconds }),
  };
}

/** Stands among the people mentioned when all members of the group are. */
export const ALL_MEMBERS = 'all';

/** The people a message names; facts of earlier versions have their plain addresses. */
export function mentionedIn({ mentions }: Pick<MessageFacts, 'mentions'>): Party[] {
  return mentions.map((one) => (typeof one === 'string' ? party(one) : one));
}
