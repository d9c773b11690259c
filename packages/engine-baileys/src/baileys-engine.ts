import {
  type AddressPair,
  child,
  type Engine,
  EngineError,
  type EngineEvent,
  type EngineFactory,
  type EngineOptions,
  type Expiration,
  formatJid,
  type HistoryPart,
  type HistoryPiece,
  type InboxEntry,
  isChange,
  isGroup,
  isLid,
  isPn,
  type Jid,
  type NumberLookup,
  type OutboundContent,
  type OutboundContext,
  type Prepared,
  parseUsyncNumbers,
  readReceipt,
  SERVER_PN,
  type Self,
  type ServerAck,
  STATUS_BROADCAST,
  type UsyncNumber,
  usyncNumbers,
} from '@ponte/engine';
import { BaileysAccount } from './account/baileys-account.ts';
import { afresh, toldAfresh } from './afresh.ts';
import { type AuthenticationCreds, Curve, initAuthCreds, proto as protobuf } from './baileys.ts';
import { Connection } from './connection.ts';
import type { ConnectionParts } from './connection-parts.ts';
import { BaileysGroups } from './groups/baileys-groups.ts';
import { assertHardened } from './hardening/assert-hardened.ts';
import { BaileysHistory } from './history/baileys-history.ts';
import { decodeEntry } from './inbound/decode.ts';
import { describeError } from './library-log.ts';
import { readLoginCount } from './login/login-counter.ts';
import { BaileysMedia } from './media/baileys-media.ts';
import { mediaNetwork } from './media/media-network.ts';
import { claimNoiseRoot } from './noise-root.ts';
import { buildMessage } from './outbound/build-message.ts';
import { FreshLids } from './outbound/fresh-lids.ts';
import { addressMentions } from './outbound/mentions.ts';
import { type Recipient, resolveRecipient } from './outbound/resolve-recipient.ts';
import { requireGroup } from './outbound/transmit.ts';
import { selfOf } from './self-of.ts';
import { CREDS_ID, CREDS_KIND, decodeCreds } from './store/credentials.ts';
import { KeyVault } from './store/key-vault.ts';
import { LidMap } from './store/lid-map.ts';
import { withOwnBytes } from './store/own-bytes.ts';

const UNKNOWN_MAX = 100;
/** Messages per receipt, as WhatsApp Web sends them (whatsapp-rust 5e7213e6). */
const RECEIPT_IDS_MAX = 256;
/** Numbers per question to WhatsApp. */
const LOOKUP_MAX = 50;

/**
 * The engine over Baileys 7.0.0-rc14. All engines of a process share one noise root: opening a
 * second network in the same process is refused.
 */
export function createBaileysEngine(): EngineFactory {
  return { name: 'baileys', open };
}

async function open(options: EngineOptions): Promise<Engine> {
  assertHardened({ Curve, proto: protobuf });
  claimNoiseRoot(options.endpoint.noiseRoot);
  if (options.endpoint.proxyUrl !== undefined) {
    throw new EngineError('wrong_state', 'endpoint.proxyUrl: this engine connects directly only; leave the proxy out');
  }
  const vault = new KeyVault(options.store);
  const creds = await loadCreds(options);
  if (creds && !creds.myAppStateKeyId) {
    // The key is stored with its message, its name a moment later: a crash in between leaves it to
    // be found here.
    const newest = (await vault.ids('app-state-sync-key')).at(-1);
    if (newest !== undefined) creds.myAppStateKeyId = newest;
  }
  return new BaileysEngine(toldAfresh(options), vault, { creds, logins: await readLoginCount(vault) });
}

async function loadCreds({ store }: EngineOptions): Promise<AuthenticationCreds | undefined> {
  const stored = (await store.get(CREDS_KIND, [CREDS_ID])).get(CREDS_ID);
  if (!stored) return undefined;
  try {
    return decodeCreds(stored);
  } catch (cause) {
    throw new EngineError(
      'credentials_unreadable',
      `the line's credentials cannot be read (${describeError(cause)}); restore them, or log the line out and pair it anew`,
      { cause },
    );
  }
}

class BaileysEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #vault: KeyVault;
  readonly #lids: LidMap;
  readonly account: BaileysAccount;
  readonly groups: BaileysGroups;
  readonly media: BaileysMedia;
  readonly #history: BaileysHistory;
  #creds: AuthenticationCreds | undefined;
  #logins: number;
  #connection: Connection | undefined;
  readonly #freshLids: FreshLids;
  #questions = 0;
  /** Kinds of messages that were reported. */
  readonly #unknown = new Set<string>();

  constructor(
    options: EngineOptions,
    vault: KeyVault,
    { creds, logins }: { creds: AuthenticationCreds | undefined; logins: number },
  ) {
    this.#options = options;
    this.#vault = vault;
    this.#lids = new LidMap(vault, (pairs) => options.onChange({ type: 'addresses', pairs }));
    this.#creds = creds;
    this.#logins = logins;
    const { clock, endpoint, log, session } = options;
    const network = mediaNetwork(endpoint);
    this.media = new BaileysMedia({
      network,
      files: options.files,
      nowMs: () => clock.now(),
      self: () => this.self(),
      connection: () => this.#open(),
    });
    this.account = new BaileysAccount({
      vault,
      mediaNetwork: network,
      nowMs: () => clock.now(),
      self: () => this.self(),
      connection: () => this.#open(),
      resolve: (chat) => this.#resolve(chat),
      warn: (error, message) => log.warn({ session, error: describeError(error) }, message),
    });
    this.#history = new BaileysHistory({
      ...{ vault, lids: this.#lids, endpoint },
      self: () => this.self(),
      connection: () => (this.#connection?.isOpen ? this.#connection : undefined),
    });
    this.#freshLids = new FreshLids({
      vault,
      askNumber: (phone) => this.#askNumber(phone),
      learn: (pairs) => this.#learn(pairs),
      warn: (message) => log.warn({ session }, message),
    });
    this.groups = new BaileysGroups({ lids: this.#lids, self: () => this.self(), connection: () => this.#open() });
  }

  self(): Self | undefined {
    return this.#creds && selfOf(this.#creds);
  }

  async connect(pairing?: { kind: 'qr' } | { kind: 'code'; phone: string }): Promise<void> {
    if (this.#connection) throw new EngineError('wrong_state', 'the line has a connection already');
    // Those that pairing made are cut from slabs, too.
    const creds = this.#creds ? withOwnBytes(this.#creds) : initAuthCreds();
    const wish = this.#creds ? undefined : pairing;
    if (!this.#creds && !wish) throw new EngineError('wrong_state', 'the line is not paired: say how to pair it');
    const parts: ConnectionParts = {
      options: this.#options,
      vault: this.#vault,
      lids: this.#lids,
      creds,
      pairing: wish,
      nextLogin: () => ++this.#logins,
      onPaired: () => {
        this.#creds = creds;
      },
      onOpened: () => void this.account.renew(),
      onEnded: () => {
        if (this.#connection === connection) this.#connection = undefined;
      },
    };
    const connection = afresh(() => new Connection(parts));
    this.#connection = connection;
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    connection?.end({ reason: 'closed', detail: 'closed on request' });
    await connection?.ended;
  }

  async logout(timeoutMs: number): Promise<{ unlinked: boolean }> {
    const connection = this.#connection;
    const unlinked = connection?.isOpen === true && (await this.#unlink(connection, timeoutMs));
    connection?.end({ reason: 'logged_out', detail: 'logged out on request' });
    await connection?.ended;
    this.#creds = undefined;
    this.#logins = 0;
    await this.#vault.clear();
    return { unlinked };
  }

  async prepare(content: OutboundContent, to: Jid, id: string): Promise<Prepared> {
    if (!this.#creds) throw new EngineError('wrong_state', 'the line is not paired');
    const address = await this.#resolve(to);
    const { wording, mentions } = await addressMentions(content, address.to, {
      lids: this.#lids,
      addressing: () => this.#addressingOf(address.to),
    });
    const expiration = await this.#expirationOf(content, address.to);
    const { proto, attrs, meta } = await buildMessage(wording, address.to, {
      lookup: this.#options.lookup,
      expiration,
      recipient: address.recipient,
      nowMs: this.#options.clock.now(),
      callLink: (media, startAt) => this.#callLink(media, startAt),
      upload: (kind, file) => this.media.upload(kind, file),
    });
    const { to: jid, recipient } = address;
    const audience =
      jid === STATUS_BROADCAST && !isChange(content) ? await this.#audienceOf(content.context) : undefined;
    return {
      id,
      to: jid,
      recipient,
      proto,
      attrs: { ...address.attrs, ...attrs },
      ...(meta ? { meta } : {}),
      ...(audience ? { audience } : {}),
      ...(mentions.length > 0 ? { mentions } : {}),
      ...(expiration && expiration.seconds > 0 ? { expiresInSeconds: expiration.seconds } : {}),
    };
  }

  /**
   * How long the chat keeps messages. For groups WhatsApp is asked; private chats go by what is
   * stored.
   */
  async #expirationOf(content: OutboundContent, to: Jid): Promise<Expiration | undefined> {
    if (isChange(content)) return undefined;
    if (!isGroup(to)) return isLid(to) || isPn(to) ? content.context?.expiration : undefined;
    const connection = this.#open();
    const group = await connection.whileConnected(requireGroup(connection.groups, to));
    return { seconds: group.ephemeralDuration ?? 0, setAt: 0 };
  }

  /**
   * Whom a status is encrypted for: by their LIDs where they are known, and the own account
   * (whatsmeow broadcast.go).
   */
  async #audienceOf(context: OutboundContext | undefined): Promise<Jid[]> {
    const self = this.self();
    const people = [...(context?.audience ?? []), ...(self ? [self.pn] : [])];
    const known = await Promise.all(
      people.map(async (jid) => (isPn(jid) ? await this.#lids.lidOf(jid) : undefined) ?? jid),
    );
    return [...new Set(known)];
  }

  async transmit(prepared: Prepared, signal?: AbortSignal, onLeaving?: () => void | Promise<void>): Promise<ServerAck> {
    const connection = this.#open();
    return afresh(() => connection.transmit(prepared, { freshLids: this.#freshLids, signal, onLeaving }));
  }

  async decode(entry: InboxEntry): Promise<EngineEvent[]> {
    const self = this.self();
    if (!self) throw new EngineError('wrong_state', 'the line is not paired: its own messages are unknown');
    return decodeEntry(entry, {
      ...{ self, lids: this.#lids, lookup: this.#options.lookup },
      onUnknown: (kind) => this.#reportUnknown(kind),
    });
  }

  /** Each kind once, for as long as the line lives here. */
  #reportUnknown(kind: string): void {
    if (this.#unknown.has(kind) || this.#unknown.size >= UNKNOWN_MAX) return;
    this.#unknown.add(kind);
    const { log, session } = this.#options;
    log.warn({ session, kind }, 'a message of a kind that is not known here is kept as it came');
  }

  readHistory(part: HistoryPart, signal: AbortSignal): AsyncIterable<HistoryPiece> {
    return this.#history.read(part, signal);
  }

  async lookupNumbers(phones: string[]): Promise<NumberLookup[]> {
    const answers = await this.#askNumbers(phones);
    return answers.map(({ phone, registered, pn, lid, username, isBusiness }) => ({
      phone,
      registered,
      ...(pn === undefined ? {} : { jid: pn }),
      ...(lid === undefined ? {} : { lid }),
      ...(username === undefined ? {} : { username }),
      isBusiness,
    }));
  }

  async markRead(chat: Jid, ids: string[], sender: Jid | undefined, played: boolean): Promise<void> {
    if (ids.length === 0) return;
    const connection = this.#open();
    const what = played ? 'played' : 'read';
    const type = (await connection.phone.tellsReads()) ? what : (`${what}-self` as const);
    const author = isGroup(chat) ? sender : undefined;
    const nowSeconds = Math.floor(this.#options.clock.now() / 1000);
    for (let from = 0; from < ids.length; from += RECEIPT_IDS_MAX) {
      const some = ids.slice(from, from + RECEIPT_IDS_MAX);
      await connection.send(readReceipt({ chat, ids: some, sender: author, type, nowSeconds }));
    }
  }

  #resolve(chat: Jid): Promise<Recipient> {
    const lids = this.#lids;
    return resolveRecipient(chat, {
      lids,
      learn: (pairs) => this.#learn(pairs),
      askNumber: (phone) => this.#askNumber(phone),
    });
  }

  async #learn(pairs: AddressPair[]): Promise<void> {
    const connection = this.#connection;
    await (connection ? connection.learn(pairs) : this.#lids.learn(pairs));
  }

  async #askNumber(phone: string): Promise<UsyncNumber> {
    const [answer] = await this.#askNumbers([phone]);
    return answer ?? { phone, registered: false, isBusiness: false };
  }

  /**
   * How the members of a group are named in it. By LID where WhatsApp does not say, as in all of
   * today's groups; whatever is wrong with the group, the sending itself tells.
   */
  async #addressingOf(group: Jid): Promise<'lid' | 'pn'> {
    const connection = this.#connection;
    if (!connection?.isOpen) return 'lid';
    try {
      return await connection.whileConnected(connection.groups.addressingOf(group));
    } catch (error) {
      const { log, session } = this.#options;
      log.debug({ session, error: describeError(error) }, 'WhatsApp did not say how a group names its members');
      return 'lid';
    }
  }

  #open(): Connection {
    if (this.#connection?.isOpen) return this.#connection;
    throw new EngineError('not_connected', 'the line is not connected');
  }

  async #askNumbers(phones: string[]): Promise<UsyncNumber[]> {
    const answers: UsyncNumber[] = [];
    for (let start = 0; start < phones.length; start += LOOKUP_MAX) {
      const connection = this.#open();
      const part = phones.slice(start, start + LOOKUP_MAX);
      const answer = await connection.query(usyncNumbers(part, `usync-${++this.#questions}`));
      const numbers = parseUsyncNumbers(answer, part);
      await connection.learn(
        numbers.flatMap(({ lid, pn }) => (lid !== undefined && pn !== undefined ? [{ lid, pn }] : [])),
      );
      answers.push(...numbers);
    }
    this.#tellAliases(answers);
    return answers;
  }

  #tellAliases(answers: UsyncNumber[]): void {
    const aliases = answers.flatMap(({ phone, pn }) => {
      const asked = formatJid(phone, SERVER_PN);
      return pn === undefined || pn === asked ? [] : [{ asked, pn }];
    });
    if (aliases.length > 0) this.#options.onChange({ type: 'aliases', aliases });
  }

  /** Draws a link to a call at WhatsApp (Baileys chats.js createCallLink); answers its token. */
  async #callLink(media: 'audio' | 'video', startAt: number): Promise<string> {
    const event = { tag: 'event', attrs: { start_time: String(startAt) } };
    const request = {
      tag: 'call',
      attrs: { to: '@call' },
      content: [{ tag: 'link_create', attrs: { media }, content: [event] }],
    };
    const token = child(await this.#open().query(request), 'link_create')?.attrs.token;
    if (token === undefined) throw new EngineError('rejected', 'WhatsApp gave no link to a call');
    return token;
  }

  async #unlink(connection: Connection, timeoutMs: number): Promise<boolean> {
    const jid = this.#creds?.me?.id;
    if (jid === undefined) return false;
    const request = {
      tag: 'iq',
      attrs: { to: '@s.whatsapp.net', type: 'set', xmlns: 'md' },
      content: [{ tag: 'remove-companion-device', attrs: { jid, reason: 'user_initiated' } }],
    };
    try {
      await connection.query(request, timeoutMs);
      return true;
    } catch (error) {
      // WhatsApp confirms by ending the connection as well, and that may come first.
      if (connection.ending?.reason === 'logged_out') return true;
      const { log, session } = this.#options;
      log.warn({ session, error: describeError(error) }, 'WhatsApp did not confirm the logout');
      return false;
    }
  }
}
