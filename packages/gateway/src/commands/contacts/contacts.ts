import { isLid, isPn, type Jid, type PersonInfo } from '@ponte/engine';
import { AppError } from '../../core/app-error.ts';
import type { LineCommandName, LineCommands } from '../../core/line-commands.ts';
import type { Line } from '../../core/lines.ts';
import { type Contact, findContact, listContacts, noteBusiness, noteUsernames } from '../../store/messages/contacts.ts';
import { requireConnected } from '../chats/read-messages.ts';
import { lineCommand } from '../command.ts';
import type { Context } from '../context.ts';
import type { LineName } from '../lines/find-line.ts';

/** For two questions to WhatsApp at most: who that is, and what was asked. */
const ANSWER_WITHIN_MS = 30_000;

/** Asks the line's engine. `line_not_connected`, `whatsapp_timeout`, `whatsapp_error`. */
export function ask<N extends Extract<LineCommandName, `account.${string}`>>(
  context: Context,
  line: Line,
  name: N,
  input: LineCommands[N]['in'],
): Promise<LineCommands[N]['out']> {
  requireConnected(context, line);
  return context.router.run(line.id, name, input, { timeoutMs: ANSWER_WITHIN_MS });
}

const NOTHING = {};

export type { Contact } from '../../store/messages/contacts.ts';

/** All people the line knows; needs no connection. */
export const allContacts = lineCommand(
  { scope: 'contacts:read' },
  async (context: Context, line, { after, limit }: { line: LineName; after?: Jid; limit?: number }) => {
    // One more than asked for shows whether there is a next page.
    const contacts = await listContacts(context.store.db, line.id, {
      after,
      ...(limit === undefined ? {} : { limit: limit + 1 }),
    });
    const hasMore = limit !== undefined && contacts.length > limit;
    const page = hasMore ? contacts.slice(0, limit) : contacts;
    return { contacts: page, next: hasMore ? (page.at(-1)?.party.jid ?? null) : null };
  },
);

export interface ContactDetail extends Contact {
  /** Null when hidden or empty. */
  about: string | null;
}

/**
 * One person, as WhatsApp shows them now. `contact_not_found` for numbers without an account, and
 * for what is no person.
 */
export const getContact = lineCommand(
  { scope: 'contacts:read' },
  async (context: Context, line, { jid }: { line: LineName; jid: Jid }): Promise<ContactDetail> => {
    requireConnected(context, line);
    if (!isPn(jid) && !isLid(jid)) throw new AppError('contact_not_found');
    const person = await ask(context, line, 'account.person', { jid });
    if (!person) throw new AppError('contact_not_found');
    const addresses = addressesOf(person);
    await noteBusiness(context.store.db, line.id, addresses, person.isBusiness);
    await noteUsernames(context.store.db, line.id, [person.party]);
    const known = await findContact(context.store.db, line.id, addresses);
    const { username } = person.party.username === undefined ? (known?.party ?? {}) : person.party;
    const party = username === undefined ? person.party : { ...person.party, username };
    return { party, name: known?.name ?? '', isBusiness: person.isBusiness, about: person.about };
  },
);

const addressesOf = ({ party: { jid, lid, pn } }: PersonInfo): Jid[] =>
  [...new Set([jid, lid, pn])].filter((address) => address !== undefined);

/**
 * The picture of a person or group, as a JPEG. `avatar_not_found` when there is none, or it is
 * hidden from this line.
 */
export const getPicture = lineCommand(
  { scope: 'contacts:read' },
  async (context: Context, line, { jid }: { line: LineName; jid: Jid }) => {
    const picture = await ask(context, line, 'account.picture', { of: jid });
    if (!picture) throw new AppError('avatar_not_found');
    return picture;
  },
);

export interface Profile {
  line: Line;
  about: string | null;
}

/** The line's own profile as others see it. */
export const getProfile = lineCommand(
  { scope: 'contacts:read' },
  async (context: Context, line, _: { line: LineName }): Promise<Profile> => {
    const person = await ask(context, line, 'account.person', { jid: ownJid(context, line) });
    return { line, about: person?.about ?? null };
  },
);

export const getOwnPicture = lineCommand(
  { scope: 'contacts:read' },
  async (context: Context, line, _: { line: LineName }) => {
    const picture = await ask(context, line, 'account.picture', { of: ownJid(context, line) });
    if (!picture) throw new AppError('avatar_not_found');
    return picture;
  },
);

export const removeOwnPicture = lineCommand(
  { scope: 'lines:write' },
  async (context: Context, line, _: { line: LineName }) => ask(context, line, 'account.removePicture', NOTHING),
);

export const setAbout = lineCommand(
  { scope: 'lines:write', speaks: true },
  async (context: Context, line, { text }: { line: LineName; text: string }) =>
    ask(context, line, 'account.setAbout', { text }),
);

/** The link that starts a chat with this line. */
export const getContactLink = lineCommand(
  { scope: 'contacts:read' },
  async (context: Context, line, _: { line: LineName }) => ask(context, line, 'account.contactLink', NOTHING),
);

/** Who sees status updates; the list in force first. */
export const getStatusAudience = lineCommand(
  { scope: 'contacts:read' },
  async (context: Context, line, _: { line: LineName }) => ask(context, line, 'account.statusAudience', NOTHING),
);

/** Shows the line online or not; kept over reconnects. */
export const setPresence = lineCommand(
  { scope: 'messages:send' },
  async (context: Context, line, { state }: { line: LineName; state: 'available' | 'unavailable' }) =>
    ask(context, line, 'account.presence', { state }),
);

/**
 * Subscribes to a person's typing and presence; renewed after every reconnect. `not_on_whatsapp`.
 */
export const watchPresence = lineCommand(
  { scope: 'messages:send' },
  async (context: Context, line, { chat }: { line: LineName; chat: Jid }) =>
    ask(context, line, 'account.watch', { person: chat }),
);

/** Shows the other side that the line types or records, or stopped. `not_on_whatsapp`. */
export const showTyping = lineCommand(
  { scope: 'messages:send' },
  async (
    context: Context,
    line,
    { line: _, ...activity }: { line: LineName; chat: Jid; state: 'composing' | 'paused'; mode: 'text' | 'voice' },
  ) => ask(context, line, 'account.typing', activity),
);

function ownJid(context: Context, line: Line): Jid {
  requireConnected(context, line);
  if (line.jid === null) throw new AppError('line_not_connected', { status: line.status });
  return line.jid;
}
