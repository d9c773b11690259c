import { inspect } from 'node:util';
import type { Jid, Self } from '../address.ts';
import type { Engine, EngineChange, EngineOptions, KnownMessage } from '../engine.ts';
import type { InboxEntry } from '../engine-store.ts';
import type { EngineEvent } from '../events.ts';
import type { ReceivedMessage } from '../received-message.ts';
import { MemoryStore, type StoreHandle, type StoreWrite, type WriteFate } from './memory-store.ts';
import type { ConformanceNetwork, ConformancePhone } from './network.ts';
import { until } from './until.ts';

/**
 * One process that runs a line: an engine over a handle of the line's store, and a journal that
 * reads the inbox.
 */
export class EngineLine {
  readonly id: string;
  readonly store: MemoryStore;
  readonly handle: StoreHandle;
  readonly changes: EngineChange[] = [];
  /** Rows as they were before the journal closed them. */
  readonly #read: InboxEntry[] = [];
  /** Every event of the inbox, in order, as often as rows say it. */
  readonly events: EngineEvent[] = [];
  /** Messages of the inbox, for what changes or answers them. */
  readonly #said = new Map<string, KnownMessage>();
  readonly #network: ConformanceNetwork;
  #engine: Engine | undefined;

  private constructor(network: ConformanceNetwork, id: string, store: MemoryStore, handle: StoreHandle) {
    this.#network = network;
    this.id = id;
    this.store = store;
    this.handle = handle;
  }

  /** Starts a process over the line's store. */
  static async open(
    network: ConformanceNetwork,
    id: string,
    store = new MemoryStore(),
    fate?: (write: StoreWrite) => WriteFate | Promise<WriteFate>,
    { onChange, ...options }: Pick<EngineOptions, 'files'> & Partial<Pick<EngineOptions, 'onChange'>> = {},
  ): Promise<EngineLine> {
    const line = new EngineLine(network, id, store, store.attach(fate));
    line.#engine = await network.factory.open({
      ...options,
      session: id,
      store: line.handle,
      lookup: { proto: async (id) => line.#said.get(id) },
      endpoint: network.endpoint(id),
      clock: Date,
      log: { debug: () => {}, info: () => {}, warn: () => {} },
      onChange: (change) => {
        line.changes.push(change);
        onChange?.(change);
      },
    });
    opened.add(line);
    return line;
  }

  /** A line linked to this phone and logged in. */
  static async paired(network: ConformanceNetwork, id: string, phone: ConformancePhone): Promise<EngineLine> {
    const line = await EngineLine.open(network, id);
    await line.pair(phone);
    await line.login();
    return line;
  }

  /** Sends a text, known from then on as a message of the line. */
  async say(body: string, to: Jid, id: string): Promise<void> {
    const prepared = await this.engine.prepare({ kind: 'text', body }, to, id);
    const self = this.engine.self();
    if (!self) throw new Error('the line is not paired');
    const sender = { jid: self.pn, pn: self.pn };
    this.#said.set(id, { proto: prepared.proto, sender, fromMe: true, chat: prepared.recipient });
    await this.engine.transmit(prepared);
  }

  get engine(): Engine {
    if (!this.#engine) throw new Error('the line has no engine');
    return this.#engine;
  }

  /** Shows a QR code, has it scanned, and waits for the restart WhatsApp asks for. */
  async pair(phone: ConformancePhone): Promise<Self> {
    this.forget();
    await this.engine.connect({ kind: 'qr' });
    const { data } = await this.change('qr');
    await phone.scan(data);
    const { self } = await this.change('paired');
    await this.closed('restart_required');
    return self;
  }

  async login(): Promise<void> {
    this.forget();
    await this.engine.connect();
    await this.change('open');
  }

  /** Waits for something of this process; gives up when it dies. */
  #until<T>(what: string, condition: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
    return until(what, () => {
      if (this.handle.isDead) throw new Error('the process is dead');
      return condition();
    });
  }

  /** The first change of this kind since the last `forget`. */
  change<T extends EngineChange['type']>(type: T): Promise<Extract<EngineChange, { type: T }>> {
    return this.#until(`${this.id} to say ${type}`, () =>
      this.changes.find((change): change is Extract<EngineChange, { type: T }> => change.type === type),
    );
  }

  /** Waits for the end of the connection, and expects this reason. */
  async closed(
    reason: Extract<EngineChange, { type: 'closed' }>['reason'],
  ): Promise<Extract<EngineChange, { type: 'closed' }>> {
    const closed = await this.change('closed');
    if (closed.reason !== reason) throw new Error(`closed for ${inspect(closed)}, expected ${reason}`);
    return closed;
  }

  forget(): void {
    this.changes.length = 0;
  }

  /** Reads the inbox as a journal does: decodes what is new, in order, and closes the rows. */
  async readInbox(): Promise<EngineEvent[]> {
    for (const row of this.store.pending()) {
      const { entry } = row;
      const events = await this.engine.decode(entry);
      for (const event of events) {
        if (event.type === 'message') this.#said.set(event.message.id, event.message);
      }
      this.events.push(...events);
      this.#read.push(entry);
      this.store.close(row);
    }
    return this.events;
  }

  /** A copy with the same keys, and the rows that were read as unread again. */
  unread(): MemoryStore {
    const copy = new MemoryStore();
    for (const [kind, values] of this.store.keys) {
      copy.apply(
        [...values].map(([id, value]) => ({ kind, id, value })),
        undefined,
      );
    }
    for (const entry of this.#read) copy.append(entry);
    return copy;
  }

  /** The messages of the inbox so far. */
  async messages(): Promise<ReceivedMessage[]> {
    await this.readInbox();
    return this.told();
  }

  /** The messages that were read from the inbox. */
  told(): ReceivedMessage[] {
    return this.events.flatMap((event) => (event.type === 'message' ? [event.message] : []));
  }

  /** Waits for a message with this text. */
  text(body: string): Promise<ReceivedMessage> {
    return this.#until(`${this.id} to receive "${body}"`, async () =>
      (await this.messages()).find((m) => m.content.body === body),
    );
  }

  /** Waits for an event of this kind, and for which `test` holds. */
  event<T extends EngineEvent['type']>(
    type: T,
    test: (event: Extract<EngineEvent, { type: T }>) => boolean = () => true,
  ): Promise<Extract<EngineEvent, { type: T }>> {
    return this.#until(`${this.id} to have an event ${type}`, async () =>
      (await this.readInbox()).find(
        (event): event is Extract<EngineEvent, { type: T }> =>
          event.type === type && test(event as Extract<EngineEvent, { type: T }>),
      ),
    );
  }

  /** Stanzas of this tag that the line sent. */
  sent(tag: string, attrs: Record<string, string> = {}): Record<string, string>[] {
    return this.#network
      .wire(this.id)
      .filter((stanza) => stanza.direction === 'in' && stanza.tag === tag)
      .map((stanza) => stanza.attrs)
      .filter((given) => Object.entries(attrs).every(([name, value]) => given[name] === value));
  }

  /** Everything the line said about this message: receipts and acks, positive or negative. */
  answersTo(id: string): Record<string, string>[] {
    return [...this.sent('receipt', { id }), ...this.sent('ack', { id })];
  }

  /** A question to the network and back: whatever left before has arrived there now. */
  async roundTrip(): Promise<void> {
    await this.engine.lookupNumbers(['15550999999']);
  }

  /**
   * The process dies as it is: its socket is gone at this moment, its store says nothing any more.
   */
  async kill(): Promise<void> {
    this.#network.cut(this.id);
    this.handle.bury();
    await this.engine.close();
    opened.delete(this);
  }

  async close(): Promise<void> {
    this.handle.bury();
    await this.engine.close();
    opened.delete(this);
  }
}

const opened = new Set<EngineLine>();

/** Ends every line a test left open. */
export async function closeLines(): Promise<void> {
  for (const line of [...opened]) await line.close();
}
