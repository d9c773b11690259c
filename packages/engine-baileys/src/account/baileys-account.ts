import {
  type AccountOperations,
  chatState,
  contactQr,
  type Done,
  EngineError,
  isGroup,
  isLid,
  isPn,
  isSelf,
  type Jid,
  type Node,
  type Party,
  type PersonInfo,
  type Picture,
  parseContactQr,
  parsePictureUrl,
  parseStatusAudience,
  parseUsyncPerson,
  parseUsyncUsername,
  party,
  personJid,
  pictureOf,
  presence,
  presenceSubscription,
  removePicture,
  type Self,
  type StatusAudience,
  setAboutByIq,
  setAboutByMex,
  setPicture,
  statusAudience,
  usyncPerson,
  usyncUsername,
  withUsername,
} from '@ponte/engine';
import type { Dispatcher } from 'undici';
import { BoundedCache } from '../bounded-cache.ts';
import type { Connection } from '../connection.ts';
import type { Recipient } from '../outbound/resolve-recipient.ts';
import type { KeyVault } from '../store/key-vault.ts';
import { fetchPicture } from './fetch-picture.ts';
import { PresenceWish } from './presence-wish.ts';

/** Some pictures are never answered for (Baileys #2498): not worth the usual wait. */
const PICTURE_MS = 10_000;
/** Privacy tokens are good for four weeks (Baileys tc-token-utils.js). */
const TOKEN_SECONDS = 28 * 24 * 60 * 60;
/** Codes that say that there is no picture, or none for us. */
const NO_PICTURE = new Set([401, 403, 404]);
const FOUND_MAX = 1_000;
const FOUND_MS = 10 * 60_000;
const DONE: Done = {};

type Found = ReturnType<AccountOperations['findUsername']>;

export interface AccountParts {
  vault: KeyVault;
  /** How the media hosts are reached. */
  mediaNetwork: Dispatcher;
  nowMs(): number;
  self(): Self | undefined;
  /** The open connection; throws `not_connected`. */
  connection(): Connection;
  /** Where WhatsApp wants a chat to be addressed; asks it when that is not known. */
  resolve(chat: Jid): Promise<Recipient>;
  warn(error: unknown, message: string): void;
}

/**
 * Everything beside messages, over queries of our own: Baileys has no method for half of it, and
 * its others lose the answers.
 */
export class BaileysAccount implements AccountOperations {
  readonly #parts: AccountParts;
  readonly #wish: PresenceWish;
  /** Who has which username: people give theirs up, and others take it. */
  readonly #found: BoundedCache;
  #questions = 0;

  constructor(parts: AccountParts) {
    this.#parts = parts;
    this.#wish = new PresenceWish(parts.vault);
    this.#found = new BoundedCache(FOUND_MAX, FOUND_MS, () => parts.nowMs());
  }

  async typing({ chat, state, mode }: Parameters<AccountOperations['typing']>[0]): Promise<Done> {
    const { to } = await this.#resolve(chat);
    await this.#parts.connection().send(chatState(to, state, mode));
    return DONE;
  }

  async presence({ state }: Parameters<AccountOperations['presence']>[0]): Promise<Done> {
    const connection = this.#parts.connection();
    await this.#wish.setAvailable(state === 'available');
    await connection.send(presence(state, this.#parts.self()?.name ?? ''));
    return DONE;
  }

  async watch({ person }: { person: Jid }): Promise<Done> {
    const { to } = await this.#resolve(person);
    await this.#wish.watch(to);
    await this.#subscribe(to);
    return DONE;
  }

  async person({ jid }: { jid: Jid }): Promise<PersonInfo | null> {
    let found: Recipient;
    try {
      found = await this.#resolve(jid);
    } catch (error) {
      if (error instanceof EngineError && error.code === 'not_on_whatsapp') return null;
      throw error;
    }
    const { to, recipient } = found;
    if (!isLid(to) && !isPn(to)) return null;
    const question = usyncPerson(to, `person-${++this.#questions}`, await this.#proofOf(recipient));
    const answer = parseUsyncPerson(await this.#parts.connection().query(question));
    if (!answer) return null;
    const { username, ...facts } = answer;
    return { party: withUsername(recipient, username), ...facts };
  }

  async findUsername({ username, key }: Parameters<AccountOperations['findUsername']>[0]): Found {
    const asked = `${username}#${key ?? ''}`;
    const known = this.#found.get<Party>(asked);
    if (known) return { person: known };
    const connection = this.#parts.connection();
    const question = usyncUsername(key === undefined ? { username } : { username, key }, `name-${++this.#questions}`);
    const answer = parseUsyncUsername(await connection.query(question));
    if (!('person' in answer)) return answer;
    const { lid, pn } = answer.person;
    if (lid !== undefined && pn !== undefined) await connection.whileConnected(connection.learn([{ lid, pn }]));
    this.#found.set(asked, answer.person);
    return answer;
  }

  async setAbout({ text }: { text: string }): Promise<Done> {
    const connection = this.#parts.connection();
    try {
      await connection.query(setAboutByMex(text));
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'rejected') throw error;
      // Accounts that were not moved yet know the old query only.
      await connection.query(setAboutByIq(text));
    }
    return DONE;
  }

  async contactLink(): Promise<{ link: string }> {
    const link = parseContactQr(await this.#parts.connection().query(contactQr()));
    if (link === undefined) throw new EngineError('rejected', 'WhatsApp gave no code for the contact QR');
    return { link };
  }

  async statusAudience(): Promise<StatusAudience[]> {
    try {
      return parseStatusAudience(await this.#parts.connection().query(statusAudience()));
    } catch (error) {
      // Nothing was ever chosen: WhatsApp's default holds (whatsmeow broadcast.go).
      if (error instanceof EngineError && error.serverCode === 404)
        return parseStatusAudience({ tag: 'iq', attrs: {} });
      throw error;
    }
  }

  async picture({ of }: { of: Jid }): Promise<Picture | null> {
    const { to, recipient } = await this.#resolve(of);
    const proof = isGroup(to) ? undefined : await this.#proofOf(recipient);
    let found: { id: string; url: string } | undefined;
    try {
      found = parsePictureUrl(await this.#parts.connection().query(pictureOf(to, proof), PICTURE_MS));
    } catch (error) {
      if (error instanceof EngineError && NO_PICTURE.has(error.serverCode ?? 0)) return null;
      throw error;
    }
    return found ? { id: found.id, jpeg: await fetchPicture(found.url, this.#parts.mediaNetwork) } : null;
  }

  async setPicture({ jpeg }: { jpeg: Uint8Array }): Promise<{ id: string }> {
    const answer = await this.#parts.connection().query(setPicture(jpeg));
    const id = Array.isArray(answer.content)
      ? answer.content.find(({ tag }) => tag === 'picture')?.attrs.id
      : undefined;
    return { id: id ?? '' };
  }

  async removePicture(): Promise<Done> {
    await this.#parts.connection().query(removePicture());
    return DONE;
  }

  /**
   * To be called after every login: WhatsApp forgot all of it with the last connection. Never
   * rejects.
   */
  async renew(): Promise<void> {
    try {
      const { isAvailable, watched } = await this.#wish.read();
      if (isAvailable) await this.#parts.connection().send(presence('available', this.#parts.self()?.name ?? ''));
      for (const person of watched) await this.#subscribe(person);
    } catch (error) {
      this.#parts.warn(error, 'presence could not be told again after the login');
    }
  }

  async #subscribe(person: Jid): Promise<void> {
    const proof = isGroup(person) ? undefined : await this.#proofOf(party(person));
    await this.#parts.connection().send(presenceSubscription(person, proof));
  }

  /** The chat may be with the line itself, a group, or the person the lookup finds. */
  async archive({ chat, archived, lastMessageAt }: Parameters<AccountOperations['archive']>[0]): Promise<Done> {
    const { recipient } = isGroup(chat) ? { recipient: { jid: chat } as Party } : await this.#resolve(chat);
    // The setting is filed under the address that the phone has the chat under, which is not
    // disclosed; under another one it does nothing.
    const addresses = new Set([recipient.lid, recipient.pn, recipient.jid].filter((jid) => jid !== undefined));
    for (const jid of addresses) await this.#parts.connection().settings.archive(jid, archived, lastMessageAt);
    return DONE;
  }

  async askOlder({ chat, oldest, count }: Parameters<AccountOperations['askOlder']>[0]): Promise<Done> {
    await this.#parts.connection().phone.askOlder(chat, oldest, count);
    return DONE;
  }

  async syncSettings({ isFresh }: { isFresh: boolean }): Promise<Done> {
    await this.#parts.connection().settings.sync(isFresh);
    return DONE;
  }

  async #resolve(chat: Jid): Promise<Recipient> {
    this.#parts.connection();
    const self = this.#parts.self();
    const jid = personJid(chat);
    if (self && isSelf(jid, self)) return { to: self.pn, recipient: party(self.pn, self.lid), attrs: {} };
    return this.#parts.resolve(jid);
  }

  /**
   * The token that this person gave us: it opens what he shows to his contacts only (Baileys
   * tc-token-utils.js; kept under the LID).
   */
  async #proofOf({ jid, lid }: Party): Promise<Node | undefined> {
    const id = lid ?? jid;
    const self = this.#parts.self();
    if (self && isSelf(id, self)) return undefined;
    const entry = (await this.#parts.vault.get('tctoken', [id]))[id];
    if (typeof entry !== 'object' || entry === null) return undefined;
    const token: unknown = Reflect.get(entry, 'token');
    const givenAt = Number(Reflect.get(entry, 'timestamp'));
    const isGood = givenAt + TOKEN_SECONDS > this.#parts.nowMs() / 1_000;
    if (!(token instanceof Uint8Array) || token.length === 0 || !isGood) return undefined;
    return { tag: 'tctoken', attrs: { t: String(givenAt) }, content: token };
  }
}
