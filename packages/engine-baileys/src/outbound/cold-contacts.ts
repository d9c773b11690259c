import { createHmac } from 'node:crypto';
import {
  EngineError,
  isLid,
  isPn,
  type Jid,
  type Node,
  parseJid,
  parseRestrictions,
  type Restriction,
  type RestrictionCause,
  reachoutTimelockQuery,
} from '@ponte/engine';
import type { SignalRepositoryWithLIDStore } from '../baileys.ts';
import type { KeyVault } from '../store/key-vault.ts';

const SALT = 'nct-salt';
const LIMITS = 'restriction';
const ID = 'own';
/** WhatsApp's code for a send that a restriction forbids (Baileys messages-recv.js). */
const RESTRICTED = 463;
/** Privacy tokens are good for four weeks (Baileys tc-token-utils.js). */
const TOKEN_SECONDS = 28 * 24 * 60 * 60;
/** Public announcements and business bots need no token (whatsmeow cstoken.go). */
const NO_PERSON = new Set(['0']);

type Limits = Partial<Record<RestrictionCause, number | null>>;

export interface ColdContactsParts {
  vault: KeyVault;
  nowSeconds(): number;
  sessions: Pick<SignalRepositoryWithLIDStore, 'validateSession'>;
  query(node: Node): Promise<Node>;
  /** Makes a stanza durable, as if WhatsApp had sent it by itself. */
  keep(stanza: Node): Promise<void>;
}

/** Keeps the salt that the phone hands over with its history or settings, for `<cstoken>`. */
export async function keepContactSalt(vault: KeyVault, salt: Uint8Array): Promise<void> {
  if (salt.length > 0) await vault.commit({ [SALT]: { [ID]: Buffer.from(salt) } });
}

/** The phone took the salt back. */
export const forgetContactSalt = (vault: KeyVault): Promise<void> => vault.commit({ [SALT]: { [ID]: null } });

export async function hasContactSalt(vault: KeyVault): Promise<boolean> {
  return (await vault.get(SALT, [ID]))[ID] !== undefined;
}

/**
 * First messages to people who never wrote: WhatsApp wants a token beside them, and restricts who
 * sends too many (463). A person's own token goes with the message in any case; this is what
 * WhatsApp Web shows without one, and what must not be tried while the account is restricted.
 */
export class ColdContacts {
  readonly #parts: ColdContactsParts;

  constructor(parts: ColdContactsParts) {
    this.#parts = parts;
  }

  /** Unix seconds. */
  now(): number {
    return this.#parts.nowSeconds();
  }

  /**
   * `<cstoken>` for a person who gave no token: HMAC-SHA256 of the LID under the account's salt
   * (whatsmeow cstoken.go). Undefined when there is no salt, which some accounts never get.
   */
  async token(to: Jid): Promise<Node | undefined> {
    if (!isLid(to) || NO_PERSON.has(parseJid(to)?.user ?? '') || (await this.#hasToken(to))) return undefined;
    const salt = (await this.#parts.vault.get(SALT, [ID]))[ID];
    if (!(salt instanceof Uint8Array) || salt.length === 0) return undefined;
    return { tag: 'cstoken', attrs: {}, content: createHmac('sha256', salt).update(to).digest() };
  }

  /**
   * Rejects with `rejected` and 463 when the account may not write to strangers now and this is
   * one: nothing leaves, for every try makes the restriction longer.
   */
  async requireAllowed(to: Jid): Promise<void> {
    if (!isLid(to) && !isPn(to)) return;
    const until = await this.#lockedUntil();
    if (until === undefined || (await this.#hasToken(to))) return;
    if ((await this.#parts.sessions.validateSession(to)).exists) return;
    const end = until === null ? 'until it says otherwise' : `until ${new Date(until * 1_000).toISOString()}`;
    throw new EngineError(
      'rejected',
      `WhatsApp restricts this account ${end}: it may not write to people who never wrote to it. The message was not tried`,
      { serverCode: RESTRICTED },
    );
  }

  /** Asks WhatsApp whether the account is restricted; a limit that is in force becomes an event. */
  async ask(): Promise<void> {
    const { query, keep, nowSeconds } = this.#parts;
    const answer = await query(reachoutTimelockQuery());
    const dated = { ...answer, attrs: { ...answer.attrs, t: String(nowSeconds()) } };
    const told = await this.take(dated);
    if (told.some(({ isActive }) => isActive)) await keep(dated);
  }

  /** Remembers the limits that a stanza tells of. */
  async take(stanza: Node): Promise<Restriction[]> {
    const told = parseRestrictions(stanza, this.#parts.nowSeconds());
    if (told.length === 0) return told;
    const limits = await this.#limits();
    for (const { cause, isActive, until } of told) {
      if (isActive) limits[cause] = until;
      else delete limits[cause];
    }
    await this.#parts.vault.commit({ [LIMITS]: { [ID]: limits } });
    return told;
  }

  /** The last end of a limit that is in force; null = not told; undefined = there is none. */
  async #lockedUntil(): Promise<number | null | undefined> {
    const ends = Object.values(await this.#limits());
    const now = this.#parts.nowSeconds();
    const open = ends.filter((end) => end === null || end > now);
    if (open.length === 0) return undefined;
    return open.includes(null) ? null : Math.max(...open.map(Number));
  }

  async #limits(): Promise<Limits> {
    const stored = (await this.#parts.vault.get(LIMITS, [ID]))[ID];
    return typeof stored === 'object' && stored !== null ? { ...(stored as Limits) } : {};
  }

  async #hasToken(person: Jid): Promise<boolean> {
    const entry = (await this.#parts.vault.get('tctoken', [person]))[person];
    if (typeof entry !== 'object' || entry === null) return false;
    const token: unknown = Reflect.get(entry, 'token');
    const givenAt = Number(Reflect.get(entry, 'timestamp'));
    return token instanceof Uint8Array && token.length > 0 && givenAt + TOKEN_SECONDS > this.#parts.nowSeconds();
  }
}
