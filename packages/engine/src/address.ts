/**
 * WhatsApp addresses. No other module splits a JID by hand.
 *
 * Forms seen on the wire: `15550001234@s.whatsapp.net` (a phone number, "pn"), `9007199@lid` (a
 * LID: the privacy id WhatsApp moved 1:1 chats to in 2025), `120363…@g.us` (group), `…@newsletter`
 * (channel), `status@broadcast`, and device forms `user:device@server`. Some clients also write an
 * agent (`user_agent:device@server`), which carries no identity and is dropped.
 */
export type Jid = string;

export const SERVER_PN = 's.whatsapp.net';
export const SERVER_LID = 'lid';
export const SERVER_GROUP = 'g.us';
export const SERVER_NEWSLETTER = 'newsletter';
export const SERVER_BROADCAST = 'broadcast';
/** WhatsApp's own assistants, such as Meta AI. */
export const SERVER_BOT = 'bot';
export const STATUS_BROADCAST: Jid = 'status@broadcast';

export interface JidParts {
  /** Digits for people and groups; a word for the others. Empty for a bare server. */
  user: string;
  server: string;
  /** 0 is the phone itself. */
  device: number;
}

const JID = /^([A-Za-z0-9.+-]*?)(?:_(\d{1,3}))?(?::(\d{1,5}))?@([a-z.]+)$/;

/** Splits a JID. Undefined when the text is not one. */
export function parseJid(jid: string): JidParts | undefined {
  const match = JID.exec(jid);
  if (!match) return undefined;
  return { user: match[1] ?? '', server: match[4] ?? '', device: match[3] ? Number(match[3]) : 0 };
}

/** Writes a JID; device 0 is left out, as WhatsApp does. */
export function formatJid(user: string, server: string, device = 0): Jid {
  return device === 0 ? `${user}@${server}` : `${user}:${device}@${server}`;
}

/** The same address without its device and agent. Text that is no JID comes back unchanged. */
export function bareJid(jid: string): Jid {
  const parts = parseJid(jid);
  return parts ? formatJid(parts.user, parts.server) : jid;
}

/** True when both name the same user, whatever the device. */
export function sameUser(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && bareJid(a) === bareJid(b);
}

export const isPn = (jid: string | undefined): boolean => jid !== undefined && parseJid(jid)?.server === SERVER_PN;
export const isBot = (jid: string | undefined): boolean => jid !== undefined && parseJid(jid)?.server === SERVER_BOT;
export const isLid = (jid: string | undefined): boolean => jid !== undefined && parseJid(jid)?.server === SERVER_LID;
export const isGroup = (jid: string | undefined): boolean =>
  jid !== undefined && parseJid(jid)?.server === SERVER_GROUP;
export const isNewsletter = (jid: string | undefined): boolean =>
  jid !== undefined && parseJid(jid)?.server === SERVER_NEWSLETTER;

/**
 * The digits of a phone-number JID; undefined for every other address (a LID's digits are never a
 * phone number).
 */
export function phoneOf(jid: string | undefined): string | undefined {
  const parts = jid === undefined ? undefined : parseJid(jid);
  return parts?.server === SERVER_PN && /^\d+$/.test(parts.user) ? parts.user : undefined;
}

/**
 * What a person typed, in plain signs: full-width forms become ordinary ones, all dashes and spaces
 * are one each, invisible marks go.
 */
function plainTyped(input: string): string {
  return input
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .replace(/[\p{Pd}\u2212]/gu, '-')
    .replace(/\s+/g, ' ')
    .trim();
}

/**
 * Country codes whose national numbers begin with a zero that stays (ITU-T numbering plans: Italy,
 * San Marino, Ivory Coast, Gabon, Congo). A zero in brackets may mean either there.
 */
const ZERO_STAYS = new Set(['39', '378', '225', '241', '242']);

/**
 * The number without the zero that is only dialled inside its country: `+44 (0)20` is `+44 20`.
 * Undefined when a zero in brackets may mean something else.
 */
function withoutTrunkZero(typed: string): string | undefined {
  const brackets = [...typed.matchAll(/\(\s*(0[^)]*)\)/g)];
  if (brackets.length === 0) return typed;
  const [only] = brackets;
  if (!only || brackets.length > 1) return undefined;
  const country = typed
    .slice(0, only.index)
    .replace(/[\s().-]/g, '')
    .replace(/^\+|^00/, '');
  if (!/^[1-9]\d{0,2}$/.test(country)) return undefined;
  const isZero = only[1]?.trim() === '0';
  if (ZERO_STAYS.has(country)) return isZero ? undefined : typed;
  return isZero ? typed.slice(0, only.index) + typed.slice(only.index + only[0].length) : undefined;
}

/**
 * Digits of a phone number typed by a person: spaces, dashes, dots, brackets, a leading `+` or
 * `00`, full-width signs and invisible marks are accepted, so is the number with `@c.us` or
 * `@s.whatsapp.net`. The zero in brackets after a country code is left out; undefined where it may
 * mean something else. Undefined when it cannot be a number (E.164 allows 15 digits; fewer than 6
 * is no number). Whether it is on WhatsApp only WhatsApp knows.
 */
export function parsePhone(input: string): string | undefined {
  const typed = withoutTrunkZero(plainTyped(input).replace(/ ?@(?:c\.us|s\.whatsapp\.net)$/i, ''));
  const digits = typed?.replace(/[ ().-]/g, '').replace(/^\+|^00/, '');
  return digits !== undefined && /^[1-9]\d{5,14}$/.test(digits) ? digits : undefined;
}

/** A chat as callers name it: a phone number or a full JID. Undefined when it is neither. */
export function parseChat(input: string): Jid | undefined {
  const trimmed = plainTyped(input);
  // `@c.us` is how WhatsApp Web calls numbers; phones themselves never say it.
  if (!trimmed.includes('@') || /@c\.us$/i.test(trimmed)) {
    const phone = parsePhone(trimmed);
    return phone === undefined ? undefined : formatJid(phone, SERVER_PN);
  }
  if (trimmed === STATUS_BROADCAST) return STATUS_BROADCAST;
  const parts = parseJid(trimmed);
  if (!parts || parts.user === '') return undefined;
  const known = [SERVER_PN, SERVER_LID, SERVER_GROUP, SERVER_NEWSLETTER].includes(parts.server);
  return known && /^\d[\d-]*$/.test(parts.user) ? formatJid(parts.user, parts.server) : undefined;
}

/**
 * One person (or group), by every address WhatsApp disclosed. At least one of the two is set for
 * people; `jid` is the form WhatsApp used. `pn` is never made of a LID's digits.
 */
export interface Party {
  jid: Jid;
  /** `…@lid` without device. */
  lid?: Jid;
  /** `…@s.whatsapp.net` without device; undefined when WhatsApp never disclosed the number. */
  pn?: Jid;
  /** The handle the person chose, without the @; undefined when WhatsApp did not tell one. */
  username?: string;
}

/** Who a line is, once paired. */
export interface Self {
  pn: Jid;
  lid?: Jid;
  /** The name on the account's profile; empty until WhatsApp sent it. */
  name: string;
}
