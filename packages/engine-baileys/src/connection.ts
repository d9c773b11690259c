import {
  type AddressPair,
  ackFor,
  EngineError,
  type Node,
  type Prepared,
  packNode,
  personJid,
  type ServerAck,
} from '@ponte/engine';
import { ContactSalt } from './account/contact-salt.ts';
import { OwnPhone } from './account/own-phone.ts';
import { PhoneSettings } from './account/phone-settings.ts';
import { type AuthenticationCreds, makeWASocket, type SocketConfig, type WASocket } from './baileys.ts';
import { type Ending, endingOf, type Stage } from './close-reason.ts';
import type { ConnectionParts } from './connection-parts.ts';
import { SendableGroups } from './groups/sendable-groups.ts';
import { GuardedLidMapping } from './inbound/guarded-lid-mapping.ts';
import { makeGate } from './inbound/make-gate.ts';
import { OfflineBatches } from './inbound/offline-batches.ts';
import { makeSealingRepository } from './inbound/sealing-repository.ts';
import type { StanzaGate } from './inbound/stanza-gate.ts';
import { StanzaLinks } from './inbound/stanza-links.ts';
import { Interruptions } from './interruptions.ts';
import { describeError, libraryLog } from './library-log.ts';
import { clientExpiry } from './login/client-expiry.ts';
import { completeLogin } from './login/login.ts';
import { countedLogin } from './login/login-counter.ts';
import { PreKeys, saysFewPreKeys } from './login/pre-keys.ts';
import { RetryWaiter } from './media/retry-waiter.ts';
import { OpeningLimits } from './opening-limits.ts';
import { AckWaiter } from './outbound/ack-waiter.ts';
import { ColdContacts } from './outbound/cold-contacts.ts';
import { DeviceCache } from './outbound/device-cache.ts';
import type { FreshLids } from './outbound/fresh-lids.ts';
import { ownMessage } from './outbound/own-message.ts';
import { Resends } from './outbound/resends.ts';
import { RetryBudget } from './outbound/retry-budget.ts';
import { transmit } from './outbound/transmit.ts';
import { completePayload } from './pairing/device-description.ts';
import { makePairing } from './pairing/make-pairing.ts';
import type { Pairing, PairingWish } from './pairing/pairing.ts';
import { toEngineError } from './query-error.ts';
import { selfOf } from './self-of.ts';
import { mediaOptions, QUERY_MS, socketConfig } from './socket-config.ts';
import { listenToSocket } from './socket-events.ts';
import { KeyTransactions } from './store/key-transactions.ts';
import { StoreGuard } from './store/store-guard.ts';
import { Transport } from './transport.ts';

/** One socket from its opening to its end. Never reconnects. */
export class Connection {
  readonly #parts: ConnectionParts;
  readonly #logger: SocketConfig['logger'];
  readonly #guard: StoreGuard;
  readonly #keys: KeyTransactions;
  readonly #coldContacts: ColdContacts;
  readonly #salt: ContactSalt;
  readonly #links = new StanzaLinks();
  readonly #acks = new AckWaiter();
  readonly settings: PhoneSettings;
  readonly groups: SendableGroups;
  readonly phone: OwnPhone;
  readonly #sock: WASocket;
  readonly #retries: RetryWaiter;
  readonly #transport: Transport;
  readonly #gate: StanzaGate;
  readonly #preKeys: PreKeys;
  readonly #pairing: Pairing | undefined;
  readonly #batches = new OfflineBatches((node) => this.send(node));
  readonly #limits: OpeningLimits;
  #stage: Stage = 'connecting';
  #isOpen = false;
  #name: string | undefined;
  #ending: Ending | undefined;
  readonly #interruptions = new Interruptions();
  readonly #over = Promise.withResolvers<void>();
  /** Resolves when nothing of the connection runs any more. */
  readonly ended = this.#over.promise;

  constructor(parts: ConnectionParts) {
    const { options, vault, lids, creds } = parts;
    this.#parts = parts;
    this.#name = creds.me?.name;
    this.#logger = libraryLog(options.log, options.session, {
      watch: options.watch,
      onPayload: (payload) => completePayload(payload, () => this.#countLogin()),
    });
    this.#guard = new StoreGuard(
      vault,
      (cause) => this.#storeFailed(cause),
      () => options.onChange({ type: 'inbox' }),
    );
    this.#keys = new KeyTransactions(this.#guard, (pn) => this.#guard.durable(() => lids.lidOf(personJid(pn))));
    this.groups = new SendableGroups(
      (jid) => this.#sock.groupMetadata(jid),
      () => options.clock.now(),
    );
    this.#sock = makeWASocket(
      socketConfig({
        options,
        creds,
        guard: this.#guard,
        logger: this.#logger,
        devices: new DeviceCache(() => options.clock.now()),
        groups: this.groups,
        makeRepository: () => this.#makeRepository(),
      }),
    );
    this.#coldContacts = new ColdContacts({
      vault,
      sessions: this.#sock.signalRepository,
      nowSeconds: () => Math.floor(options.clock.now() / 1_000),
      query: (node) => this.query(node),
      keep: (node) => this.#guard.appendStanza({ stanza: packNode(node), tag: node.tag }),
    });
    this.phone = new OwnPhone(this.#sock, (work) => this.whileConnected(work));
    this.#retries = new RetryWaiter(this.#sock.ws);
    this.#salt = new ContactSalt({
      ...{ creds, vault, mediaOptions: mediaOptions(options.endpoint) },
      query: (node) => this.query(node),
      nowMs: () => options.clock.now(),
    });
    this.settings = new PhoneSettings({
      ...{ sock: this.#sock, creds, vault },
      whileConnected: (work) => this.whileConnected(work),
      onArchived: (chat, archived) => options.onChange({ type: 'archived', chat, archived }),
      onNamed: (people) => options.onChange({ type: 'named', people }),
      onReadable: () => options.onChange({ type: 'settings_readable' }),
      salt: this.#salt,
      onNoSalt: (error) => this.#listenerFailed('salt', error),
    });
    this.#transport = new Transport(this.#sock.ws);
    this.#gate = this.#makeGate();
    this.#preKeys = new PreKeys({
      creds,
      guard: this.#guard,
      updateCreds: (update) => this.#updateCreds(update),
      query: (node) => this.query(node),
    });
    this.#pairing = parts.pairing && this.#makePairing(parts.pairing);
    this.#limits = new OpeningLimits((ending, how) => this.end(ending, how));
    this.#listen();
  }

  /** How the connection ended; undefined while it has not. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** True from the end of the login to the end of the connection. */
  get isOpen(): boolean {
    return this.#isOpen && this.#ending === undefined;
  }

  /**
   * Ends the connection for a reason of ours; the first reason counts. `cut` lets nothing leave any
   * more, not even a goodbye.
   */
  end(ending: Ending, how: 'close' | 'cut' = 'close'): void {
    if (this.#ending) return;
    this.#ending = ending;
    this.#quiet();
    // During the handshake Baileys would start its keep-alive after its own end; it ends itself
    // when the socket is gone.
    if (how === 'cut' || this.#stage !== 'established') this.#transport.cut();
    if (this.#stage === 'established') void this.#sock.end(new Error(ending.detail));
  }

  /** Asks WhatsApp. Rejects with `not_connected`, `timeout`, or `rejected` and WhatsApp's code. */
  async query(node: Node, timeoutMs = QUERY_MS): Promise<Node> {
    const what = `<${node.content?.[0] && typeof node.content[0] === 'object' ? node.content[0].tag : node.tag}>`;
    try {
      const answer: Node | undefined = await this.whileConnected(this.#sock.query(node, timeoutMs));
      if (!answer) throw new EngineError('timeout', 'no answer in time');
      return answer;
    } catch (error) {
      throw toEngineError(error, what);
    }
  }

  /** Sends without waiting for an answer. Rejects with `not_connected`. */
  async send(node: Node): Promise<void> {
    try {
      await this.whileConnected(this.#sock.sendNode(node));
    } catch (error) {
      throw toEngineError(error, `<${node.tag}>`);
    }
  }

  /**
   * Asks the own phone to upload a file again; its answer, or undefined when it gives none within
   * `ms`.
   */
  async mediaRetry(request: Node, ms: number): Promise<Node | undefined> {
    const answer = this.#retries.answer(request.attrs.id ?? '', ms);
    await this.send(request);
    return this.whileConnected(answer);
  }

  transmit(
    prepared: Prepared,
    {
      signal,
      ...how
    }: { freshLids: FreshLids; signal?: AbortSignal | undefined; onLeaving?: (() => void | Promise<void>) | undefined },
  ): Promise<ServerAck> {
    return transmit(prepared, signal, {
      ...how,
      sock: this.#sock,
      acks: this.#acks,
      groups: this.groups,
      coldContacts: this.#coldContacts,
      whileConnected: (work) => this.whileConnected(work),
    });
  }

  /** Takes over what WhatsApp disclosed about addresses; sessions move to the LID with them. */
  async learn(pairs: AddressPair[]): Promise<void> {
    const news = await this.#guard.durable(() => this.#parts.lids.learn(pairs));
    for (const { pn, lid } of news) await this.#sock.signalRepository.migrateSession(pn, lid);
  }

  /** The work, or a rejection with `timeout` when the connection ends first. */
  whileConnected<T>(work: Promise<T>): Promise<T> {
    return this.#interruptions.orInterrupted(work, this.#ending !== undefined);
  }

  /** Counted once the server has proved who it is, right before this client says who it is. */
  #countLogin(): number {
    const login = this.#parts.nextLogin();
    void this.#guard.commit(countedLogin(login));
    return login;
  }

  #makeRepository() {
    const { creds, lids } = this.#parts;
    return makeSealingRepository({
      ...{ creds, guard: this.#guard, keys: this.#keys, links: this.#links, logger: this.#logger },
      lidMapping: new GuardedLidMapping(lids, this.#guard, this.#keys, this.#logger),
      self: () => selfOf(creds),
    });
  }

  #makeGate(): StanzaGate {
    const { options, lids, creds } = this.#parts;
    return makeGate({
      ...{ options, lids, creds },
      ...{ sock: this.#sock, guard: this.#guard, links: this.#links, logger: this.#logger, batches: this.#batches },
      coldContacts: this.#coldContacts,
      salt: this.#salt,
      resends: this.#makeResends(),
      learn: (pairs) => this.learn(pairs),
      send: (node) => this.send(node),
      intercept: (node) => this.#intercept(node),
      onBroken: (detail) => this.end({ reason: 'connection_lost', detail }, 'cut'),
      onListenerError: (event, error) => this.#listenerFailed(event, error),
    });
  }

  #makeResends(): Resends {
    const { options, creds } = this.#parts;
    const budget = new RetryBudget(() => options.clock.now());
    return new Resends({
      sock: this.#sock,
      self: () => selfOf(creds),
      find: (key) => ownMessage(options.lookup, key, budget, (cause) => this.#storeFailed(cause)),
      send: (node) => this.send(node),
      nowMs: () => options.clock.now(),
      warn: (fields, message) => options.log.warn({ session: options.session, ...fields }, message),
    });
  }

  #makePairing(wish: PairingWish): Pairing {
    const { options, creds } = this.#parts;
    const keep = async (update: Partial<AuthenticationCreds>) => {
      this.#updateCreds(update);
      await this.#guard.saveCreds(creds);
      this.#parts.onPaired();
    };
    const wire = { send: (node: Node) => this.send(node), query: (node: Node) => this.query(node) };
    return makePairing({ options, creds, ...wire, keep, end: (ending) => this.end(ending) }, wish);
  }

  #listen(): void {
    listenToSocket(this.#sock, {
      onOpen: () => {
        this.#stage = 'handshake';
      },
      onStanza: (node) => {
        if (this.#stage !== 'established') this.#limits.connected();
        this.#stage = 'established';
        this.#parts.options.watch?.see?.('in', node);
      },
      onRefused: (ending) => this.end(ending, 'cut'),
      onSuccess: (node) => this.#login(node),
      onPairDevice: (node) => {
        this.#limits.letIn();
        return this.#pairing?.onPairDevice(node);
      },
      onPairSuccess: (node) => this.#pairing?.onPairSuccess(node),
      onAck: (node) => this.#acks.onAck(node, Math.floor(this.#parts.options.clock.now() / 1000)),
      onCreds: () => this.#credsChanged(),
      onClosed: (error) => void this.#closed(error),
    });
  }

  async #login(success: Node): Promise<void> {
    const { creds, options, lids } = this.#parts;
    if (this.#pairing || this.#isOpen) return;
    this.#limits.letIn();
    await completeLogin(success, {
      sock: this.#sock,
      creds,
      preKeys: this.#preKeys,
      updateCreds: (update) => this.#updateCreds(update),
      learnSelf: async () => {
        const self = selfOf(creds);
        const lid = self?.lid;
        if (self && lid !== undefined) await this.#guard.durable(() => lids.learn([{ lid, pn: self.pn }]));
      },
      query: (node) => this.query(node),
      warn: (fields, message) => options.log.warn({ session: options.session, ...fields }, message),
    });
    const self = selfOf(creds);
    if (!self || this.#ending) return;
    this.#isOpen = true;
    options.onChange({ type: 'open', self });
    this.#parts.onOpened();
    this.#coldContacts.ask().catch((error: unknown) => this.#listenerFailed('restrictions', error));
  }

  async #intercept(node: Node): Promise<boolean> {
    if (node.tag === 'notification' && node.attrs.type === 'w:gp2') this.groups.changed(node.attrs.from);
    const { clock, onChange } = this.#parts.options;
    const expiry = clientExpiry(node, clock.now());
    if (expiry !== undefined) onChange({ type: 'client_expires', at: expiry });
    if (this.#pairing) {
      await this.#pairing.onStanza(node);
      return true;
    }
    if (!saysFewPreKeys(node)) return false;
    await this.send(ackFor(node));
    // Not awaited: the answer takes a round trip, and the next login asks again if this fails.
    this.#preKeys.onLow().catch((error: unknown) => this.#listenerFailed('pre-keys', error));
    return true;
  }

  #updateCreds(update: Partial<AuthenticationCreds>): void {
    this.#sock.ev.emit('creds.update', update);
  }

  /** Baileys has merged the update already: its own listener was first. */
  #credsChanged(): void {
    const { creds, options } = this.#parts;
    const self = selfOf(creds);
    if (!self) return;
    void this.#guard.saveCreds(creds);
    if (!this.#isOpen || self.name === (this.#name ?? '')) return;
    this.#name = self.name;
    options.onChange({ type: 'self', self });
  }

  #storeFailed(cause: unknown): void {
    this.end({ reason: 'store_failed', detail: describeError(cause) }, 'cut');
  }

  #listenerFailed(event: string, error: unknown): void {
    if (this.#ending) return;
    const { log, session } = this.#parts.options;
    log.warn(
      { session, event: event.split(',')[0], error: describeError(error) },
      'a handler of the connection failed',
    );
    // The frame decoder itself: the stream cannot be read any further.
    if (event === 'message') this.end({ reason: 'connection_lost', detail: describeError(error) }, 'cut');
  }

  /** From here on nothing that is still under way has an effect. */
  #quiet(): void {
    this.#isOpen = false;
    this.#gate.stop();
    this.#batches.stop();
    this.#guard.stop();
    this.#pairing?.stop();
    this.#limits.stop();
  }

  async #closed(error: unknown): Promise<void> {
    const { options, vault } = this.#parts;
    const ending = this.#ending ?? endingOf(error, this.#stage, options.clock.now());
    this.#ending = ending;
    this.#quiet();
    this.#sock.ev.flush();
    this.#acks.rejectAll(new EngineError('timeout', 'the connection ended before WhatsApp acknowledged the message'));
    this.#interruptions.interrupt();
    this.#retries.stop();
    this.#transport.rejectWaiting('the connection ended');
    await vault.settled();
    vault.forget();
    this.#parts.onEnded();
    this.#over.resolve();
    options.onChange({ type: 'closed', ...ending });
  }
}
