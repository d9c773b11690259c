import { bareJid, type Party } from '@ponte/engine';
import { z } from 'zod';
import type { MessageFacts } from '../core/events.ts';
import { ALL_MEMBERS, mentionedIn } from '../core/message-facts.ts';

/** The words of a handle, wherever one is shown. */
export const USERNAME = { description: 'The handle the person chose, without the @; absent when none is known.' };

/** What every answer and event says of a message beside its content. */
export const nuances = (of: MessageFacts) => ({
  mentions_me: of.mentionsMe ?? false,
  forwarded: of.forwarded ?? false,
  view_once: of.viewOnce ?? false,
  expires_in_seconds: of.expiresInSeconds ?? null,
  edited: of.edited !== undefined,
  revoked: of.revoked !== undefined,
  ...usernameOf(of.sender),
});

/** A person's handle; left out while WhatsApp told none. */
export const usernameOf = ({ username }: Party): { username?: string } => (username === undefined ? {} : { username });

/** The people a message mentions, in the form of `from`; `all` when it mentions the whole group. */
export const mentionsAnswer = (of: Pick<MessageFacts, 'mentions' | 'mentionsAll'>): string[] => [
  ...mentionedIn(of).map(({ pn, jid }) => bareJid(pn ?? jid)),
  ...(of.mentionsAll ? [ALL_MEMBERS] : []),
];

/** Who changed or deleted a message, and when (Unix seconds); null while unchanged. */
export const changesAnswer = ({ edited, revoked }: MessageFacts) => ({
  edited_at: edited?.at ?? null,
  edited_by: edited ? bareJid(edited.by.pn ?? edited.by.jid) : null,
  revoked_at: revoked?.at ?? null,
  revoked_by: revoked ? bareJid(revoked.by.pn ?? revoked.by.jid) : null,
});

/** The schemas of the three. */
export const mentionsShape = z
  .string()
  .array()
  .meta({ description: 'People named in the text, in the form of from; all when all members are named.' });
export const nuancesShape = {
  mentions_me: z.boolean().meta({ description: 'The line itself is named, or all members are.' }),
  forwarded: z.boolean(),
  view_once: z.boolean(),
  expires_in_seconds: z.int().nullable().meta({ description: 'It disappears so long after it was sent.' }),
  edited: z.boolean(),
  revoked: z.boolean().meta({ description: 'Deleted for everyone: it keeps its type, its content is gone.' }),
  username: z.string().optional().meta(USERNAME),
};
export const changesShape = {
  edited_at: z.int().nullable().meta({ description: 'When its text was changed last, in Unix seconds.' }),
  edited_by: z.string().nullable().meta({ description: 'Who changed it, in the form of from.' }),
  revoked_at: z.int().nullable().meta({ description: 'When it was deleted for everyone, in Unix seconds.' }),
  revoked_by: z.string().nullable().meta({ description: 'Who deleted it, in the form of from.' }),
};

const seconds = z.int().nullable();
/** How far a message came with a member of a group. */
export const readingShape = {
  delivered_at: seconds.meta({ description: 'When it was delivered, in Unix seconds; null while only more is known.' }),
  read_at: seconds.meta({ description: 'When it was read, in Unix seconds.' }),
  played_at: seconds.meta({ description: 'When it was played, in Unix seconds.' }),
};
