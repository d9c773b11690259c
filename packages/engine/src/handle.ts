import type { Jid } from './address.ts';

/**
 * A username in the place of an address: a question for WhatsApp, and no address of its own. It is
 * answered by a LID before anything else happens (docs/live.md).
 */
export interface Handle {
  /** Without the @, in small letters. */
  username: string;
  /** Some people let only those find them who know the key of their username. */
  key?: string;
}

const SERVER_HANDLE = 'username';
/** WhatsApp's usernames have 3 to 35 letters, digits, dots and underscores; keys are digits. */
const TYPED = /^@([a-z0-9._]{3,35})(?:#(\d{4,8}))?$/i;
const KEPT = /^([a-z0-9._]{3,35})(?:#(\d{4,8}))?@username$/;

/**
 * What looks like a username and is none: the server of an address whose user was left out, a web
 * address, digits alone, and dots at an end or beside each other. WhatsApp gives out none of these.
 */
const SERVERS = /^(?:g\.us|c\.us|s\.whatsapp\.net|lid|newsletter|broadcast|bot|username)$/i;
const NEVER_GIVEN = /^www\.|\.(?:com|net|org)$|^[\d._]*$|^\.|\.$|\.\./i;

/** `@nora.writes` or `@nora.writes#1234` as a caller writes it; undefined when it is neither. */
export function parseHandle(input: string): Jid | undefined {
  const [, username, key] = TYPED.exec(input.trim()) ?? [];
  if (username === undefined || SERVERS.test(username) || NEVER_GIVEN.test(username)) return undefined;
  return `${username.toLowerCase()}${key === undefined ? '' : `#${key}`}@${SERVER_HANDLE}`;
}

/** What `parseHandle` made; undefined for every address. */
export function handleOf(jid: Jid): Handle | undefined {
  const [, username, key] = KEPT.exec(jid) ?? [];
  if (username === undefined) return undefined;
  return key === undefined ? { username } : { username, key };
}
