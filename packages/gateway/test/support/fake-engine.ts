import { randomBytes } from 'node:crypto';
import {
  type AccountOperations,
  CREDENTIALS_KIND as CREDENTIALS,
  type Engine,
  type EngineChange,
  EngineError,
  type EngineEvent,
  type EngineFactory,
  type EngineOptions,
  type GroupOperations,
  type HistoryPiece,
  type InboxEntry,
  type MediaOperations,
  type NumberLookup,
  type OutboundContent,
  type Prepared,
  type Self,
  type ServerAck,
} from '@ponte/engine';

const SELF: Self = { pn: '15559990000@s.whatsapp.net', lid: '7000@lid', name: 'Acme' };

/** This engine is in no group. */
const NO_GROUPS = new EngineError('rejected', 'no such group', { serverCode: 404 });

/** What an engine put on the wire. */
export interface Transmission {
  id: string;
  to: string;
  /** Hex of the bytes. */
  proto: string;
}

/**
 * An engine that does what a test says: no network, no encryption; its credentials and inbox lie in
 * the real store.
 */
export class FakeEngine implements Engine {
  readonly options: EngineOptions;
  readonly connects: (Parameters<Engine['connect']>[0] | 'login')[] = [];
  readonly wire: Transmission[] = [];
  readonly reads: unknown[] = [];
  /** What was asked of the account: name and input. */
  readonly asked: [name: string, input: unknown][] = [];
  readonly account: AccountOperations = {
    typing: (input) => this.#note('typing', input, {}),
    presence: (input) => this.#note('presence', input, {}),
    watch: (input) => this.#note('watch', input, {}),
    person: (input) => this.#note('person', input, { party: { jid: input.jid }, about: 'At work', isBusiness: false }),
    findUsername: (input) => this.#note('findUsername', input, { needsKey: false }),
    setAbout: (input) => this.#note('setAbout', input, {}),
    contactLink: (input) => this.#note('contactLink', input, { link: 'https://wa.me/qr/ABC' }),
    statusAudience: (input) => this.#note('statusAudience', input, []),
    picture: (input) => this.#note('picture', input, null),
    setPicture: (input) => this.#note('setPicture', input, { id: '1' }),
    removePicture: (input) => this.#note('removePicture', input, {}),
    archive: (input) => this.#note('archive', input, {}),
    askOlder: (input) => this.#note('askOlder', input, {}),
    syncSettings: (input) => this.#note('syncSettings', input, {}),
  };
  /** What every part of history says. */
  readonly past: HistoryPiece[] = [];
  readonly groups: GroupOperations = {
    create: () => Promise.reject(NO_GROUPS),
    all: (input) => this.#note('groups.all', input, []),
    info: () => Promise.reject(NO_GROUPS),
    changeMembers: () => Promise.reject(NO_GROUPS),
    setSubject: () => Promise.reject(NO_GROUPS),
    setDescription: () => Promise.reject(NO_GROUPS),
    change: () => Promise.reject(NO_GROUPS),
    setPicture: () => Promise.reject(NO_GROUPS),
    removePicture: () => Promise.reject(NO_GROUPS),
    invite: () => Promise.reject(NO_GROUPS),
    invited: () => Promise.reject(NO_GROUPS),
    join: () => Promise.reject(NO_GROUPS),
    leave: () => Promise.reject(NO_GROUPS),
    requests: () => Promise.reject(NO_GROUPS),
    decide: () => Promise.reject(NO_GROUPS),
  };
  readonly media: MediaOperations = {
    fetch: (input) => this.#note('fetch', input, { sizeBytes: 0, sha256: '' }),
  };
  /** Logging in succeeds by itself. */
  isWelcoming = true;
  /** Acknowledgements come by themselves. */
  isAcking = true;
  prepareError: EngineError | undefined;
  transmitError: EngineError | undefined;
  connectError: EngineError | undefined;
  decodeError: ((entry: InboxEntry) => Error | undefined) | undefined;
  isOpen = false;
  #self: Self | undefined;
  readonly #acks = new Map<string, { resolve(ack: ServerAck): void; reject(error: Error): void }>();

  constructor(options: EngineOptions, self: Self | undefined) {
    this.options = options;
    this.#self = self;
  }

  async #note<T>(name: string, input: unknown, answer: T): Promise<T> {
    this.asked.push([name, input]);
    return answer;
  }

  emit(change: EngineChange): void {
    this.options.onChange(change);
  }

  self(): Self | undefined {
    return this.#self;
  }

  async connect(pairing?: Parameters<Engine['connect']>[0]): Promise<void> {
    if (this.isOpen) throw new EngineError('wrong_state', 'a connection is open');
    this.connects.push(pairing ?? 'login');
    if (this.connectError) throw this.connectError;
    this.isOpen = true;
    if (!pairing && this.#self && this.isWelcoming) {
      const self = this.#self;
      queueMicrotask(() => this.isOpen && this.emit({ type: 'open', self }));
    }
  }

  /** The phone scanned: credentials are stored, then WhatsApp asks for a restart. */
  async scan(): Promise<void> {
    await this.options.store.commit([{ kind: CREDENTIALS, id: 'self', value: Buffer.from(JSON.stringify(SELF)) }]);
    this.#self = SELF;
    this.emit({ type: 'paired', self: SELF });
    this.drop('restart_required');
  }

  /** The connection ends; everything on the wire stays without an answer. */
  drop(reason: Extract<EngineChange, { type: 'closed' }>['reason'], retryAt?: number): void {
    this.isOpen = false;
    for (const { reject } of this.#acks.values()) reject(new EngineError('not_connected', 'the connection ended'));
    this.#acks.clear();
    this.emit({ type: 'closed', reason, detail: 'as the test says', retryAt });
  }

  async close(): Promise<void> {
    if (this.isOpen) this.drop('closed');
  }

  async logout(): Promise<{ unlinked: boolean }> {
    const unlinked = this.isOpen && this.#self !== undefined;
    await this.options.store.clear();
    this.#self = undefined;
    if (this.isOpen) this.drop('logged_out');
    return { unlinked };
  }

  async prepare(_content: OutboundContent, to: string, id: string): Promise<Prepared> {
    if (this.prepareError) throw this.prepareError;
    // Random bytes, so that preparing a message twice is noticed.
    return { id, to, recipient: { jid: to, pn: to }, proto: randomBytes(16), attrs: { kind: 'text' } };
  }

  async transmit(
    prepared: Prepared,
    _signal?: AbortSignal,
    onLeaving?: () => void | Promise<void>,
  ): Promise<ServerAck> {
    if (this.isOpen && !this.transmitError) await onLeaving?.();
    this.wire.push({ id: prepared.id, to: prepared.to, proto: Buffer.from(prepared.proto).toString('hex') });
    if (this.transmitError) return Promise.reject(this.transmitError);
    if (!this.isOpen) return Promise.reject(new EngineError('not_connected', 'no connection'));
    if (this.isAcking) return Promise.resolve({ timestamp: 1_777_000_001 });
    return new Promise((resolve, reject) => this.#acks.set(prepared.id, { resolve, reject }));
  }

  ack(id: string): void {
    this.#acks.get(id)?.resolve({ timestamp: 1_777_000_002 });
    this.#acks.delete(id);
  }

  /** One stanza that means these events arrives. */
  async receive(...events: EngineEvent[]): Promise<void> {
    await this.options.store.appendStanza({ stanza: Buffer.from(JSON.stringify(events)), tag: 'message' });
    this.emit({ type: 'inbox' });
  }

  async decode(entry: InboxEntry): Promise<EngineEvent[]> {
    const error = this.decodeError?.(entry);
    if (error) throw error;
    const events = JSON.parse(Buffer.from(entry.stanza).toString()) as EngineEvent[];
    // Bytes do not survive JSON.
    for (const event of events) if (event.type === 'message') event.message.proto = entry.stanza;
    return events;
  }

  async *readHistory(): AsyncGenerator<HistoryPiece> {
    for (const piece of this.past) yield piece;
  }

  async lookupNumbers(phones: string[]): Promise<NumberLookup[]> {
    return phones.map((phone) => ({ phone, registered: true, isBusiness: false }));
  }

  async markRead(...args: Parameters<Engine['markRead']>): Promise<void> {
    this.reads.push(args);
  }
}

/** Makes fake engines and remembers the last one of each line. */
export class FakeFactory implements EngineFactory {
  readonly name = 'fake';
  readonly engines = new Map<string, FakeEngine>();
  /** Shapes each engine before its line gets it. */
  shape: (engine: FakeEngine) => void = () => {};

  async open(options: EngineOptions): Promise<FakeEngine> {
    const stored = (await options.store.get(CREDENTIALS, ['self'])).get('self');
    const self = stored === undefined ? undefined : (JSON.parse(Buffer.from(stored).toString()) as Self);
    const engine = new FakeEngine(options, self);
    this.shape(engine);
    this.engines.set(options.session, engine);
    return engine;
  }
}
