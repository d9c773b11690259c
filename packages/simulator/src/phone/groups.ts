import { child, children, childrenOf, formatJid, type Jid, type Node, parseJid } from '@ponte/engine';
import type { AddressBook } from './address-book.ts';
import type { Directory } from './directory.ts';
import { type DeviceLink, IqError, type PhoneStore } from './network.ts';

/** This phone is not in the group, or there is no such group. */
export class NotInGroupError extends Error {
  override readonly name = 'NotInGroupError';
}

/** Who reads a group. */
export interface Roster {
  mode: 'pn' | 'lid';
  /** Every device of every member in the addressing of the group, this phone's own among them. */
  devices: Jid[];
}

/**
 * Asks the server who is in a group and which devices they have: two queries, however large the
 * group. Throws NotInGroupError.
 */
export async function rosterOf(
  parts: { link: DeviceLink; book: AddressBook; directory: Directory },
  groupJid: Jid,
): Promise<Roster> {
  const { link, book, directory } = parts;
  const group = await metadata(link, groupJid);
  const members = childrenOf(group, 'participant').map(({ attrs }) => attrs);
  for (const { jid, phone_number, lid } of members) book.learn(jid, phone_number ?? lid);
  const jids = members.flatMap(({ jid }) => jid ?? []);
  const contacts = await directory.contacts(jids);
  const devices = jids.flatMap((jid, index) => {
    const name = parseJid(jid);
    return (contacts[index]?.devices ?? []).map((device) =>
      formatJid(name?.user ?? '', name?.server ?? '', parseJid(device)?.device ?? 0),
    );
  });
  return { mode: group.attrs.addressing_mode === 'pn' ? 'pn' : 'lid', devices };
}

/** Seconds until messages of this group disappear; 0 = never. Throws NotInGroupError. */
export async function ephemeralOf(link: DeviceLink, groupJid: Jid): Promise<number> {
  return Number(child(await metadata(link, groupJid), 'ephemeral')?.attrs.expiration ?? 0);
}

/**
 * A notice that names more people is not learned from, as all members would do so at once: a
 * sender's addresses come with their messages.
 */
const NOTICED_MAX = 64;

/**
 * Learns the numbers of the people that a notice about a group names, unless it is the whole of a
 * large group.
 */
export function learnNoticed(notice: Node, book: AddressBook): void {
  if (peopleIn(notice) <= NOTICED_MAX) learnMembers(notice, book);
}

const peopleIn = (node: Node): number =>
  children(node).reduce((count, part) => count + (part.tag === 'participant' ? 1 : peopleIn(part)), 0);

/** Learns the numbers of members that an answer about a group names, wherever in it they stand. */
export function learnMembers(notice: Node, book: AddressBook): void {
  for (const node of children(notice)) {
    const { jid, phone_number, lid } = node.attrs;
    if (node.tag === 'participant') book.learn(jid, phone_number ?? lid);
    else learnMembers(node, book);
  }
}

async function metadata(link: DeviceLink, groupJid: Jid): Promise<Node> {
  const attrs = { to: groupJid, type: 'get', xmlns: 'w:g2' };
  try {
    const answer = await link.query({
      tag: 'iq',
      attrs,
      content: [{ tag: 'query', attrs: { request: 'interactive' } }],
    });
    const group = child(answer, 'group');
    if (group) return group;
  } catch (error) {
    if (!(error instanceof IqError) || (error.code !== 403 && error.code !== 404)) throw error;
  }
  throw new NotInGroupError(`this phone is not in the group ${groupJid}; add it with POST /groups/{jid}/participants`);
}

const KIND = 'sender-key-sent';

/**
 * Which devices have our sender key of a group, so that they are not sent it again with every
 * message.
 */
export class SenderKeyMemory {
  readonly #store: PhoneStore;

  constructor(store: PhoneStore) {
    this.#store = store;
  }

  /** Names of Signal sessions. */
  of(groupJid: Jid): Set<string> {
    const stored = this.#store.get(KIND, groupJid);
    return new Set(stored ? (JSON.parse(new TextDecoder().decode(stored)) as string[]) : []);
  }

  set(groupJid: Jid, sessions: Set<string>): void {
    this.#store.set(
      KIND,
      groupJid,
      sessions.size === 0 ? null : new TextEncoder().encode(JSON.stringify([...sessions])),
    );
  }
}
