import { bareJid } from '@ponte/engine';
import type { MessageFacts } from '../../core/events.ts';
import { EVERYBODY, mentionedIn } from '../../core/message-facts.ts';

/** What every answer and event says of a message beside its content. */
export const nuances = (of: Omit<MessageFacts, 'content' | 'chat'> | MessageFacts) => ({
  mentions_me: of.mentionsMe ?? false,
  forwarded: of.forwarded ?? false,
  view_once: of.viewOnce ?? false,
  expires_in_seconds: of.expiresInSeconds ?? null,
  edited: of.edited !== undefined,
  revoked: of.revoked !== undefined,
});

/** Whom a message names, in the form of `from`; `all` when it is everybody in the group. */
export const mentionsAnswer = (of: Pick<MessageFacts, 'mentions' | 'mentionsAll'>): string[] => [
  ...mentionedIn(of).map(({ pn, jid }) => bareJid(pn ?? jid)),
  ...(of.mentionsAll ? [EVERYBODY] : []),
];
