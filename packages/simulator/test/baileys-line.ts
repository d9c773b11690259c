import { Agent as HttpsAgent } from 'node:https';
import {
  type AuthenticationState,
  type BaileysEventMap,
  BufferJSON,
  type ConnectionState,
  downloadMediaMessage,
  initAuthCreds,
  makeWASocket,
  proto,
  type SignalDataSet,
  type SignalDataTypeMap,
  type SignalKeyStore,
  WA_CERT_DETAILS,
  type WAMessage,
} from 'baileys';
import { Agent, buildConnector } from 'undici';
import type { Simulator } from '../src/simulator.ts';
import { letClientTimersGo } from './client-timers.ts';

/** What a client must know of a network. */
type Reachable = Pick<Simulator, 'wsUrl' | 'noiseRootPublicKey' | 'mediaCaPem' | 'mediaPort'>;
type Sock = ReturnType<typeof makeWASocket>;
type Logger = NonNullable<Parameters<typeof makeWASocket>[0]['logger']>;

const silent: Logger = {
  level: 'silent',
  child: () => silent,
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
};

const WAIT_MS = 15_000;

letClientTimersGo();
// libsignal prints whole sessions, private keys included, through these two.
console.info = () => undefined;
console.warn = () => undefined;

/**
 * A line played by stock Baileys: credentials in memory, reconnects only when told (and once by
 * itself after pairing).
 */
export class BaileysLine {
  readonly id: string;
  readonly received: WAMessage[] = [];
  /** What the own phone told this line: keys, history, answers. */
  readonly peer: WAMessage[] = [];
  readonly history: BaileysEventMap['messaging-history.set'][] = [];
  readonly updates: BaileysEventMap['messages.update'] = [];
  readonly calls: BaileysEventMap['call'] = [];
  readonly closes: (number | undefined)[] = [];
  readonly stanzas: { tag: string; attrs: Record<string, string>; content?: unknown }[] = [];
  qr: string | undefined;
  isOpen = false;
  isPaired = false;
  /** Pending notifications were all delivered after the last login. */
  isDrained = false;
  sock: Sock | undefined;
  readonly auth: AuthenticationState;
  readonly #simulator: () => Reachable;
  readonly #tenant: string;
  #uploads: HttpsAgent | undefined;
  #downloads: Agent | undefined;
  readonly #waiters = new Set<() => void>();
  readonly #options: { markOnline: boolean; isSyncing: boolean };

  constructor(
    simulator: () => Reachable,
    id: string,
    options: { tenant?: string; markOnline?: boolean; isSyncing?: boolean } = {},
  ) {
    this.#simulator = simulator;
    this.id = id;
    this.#tenant = options.tenant ?? 'test';
    this.#options = { markOnline: options.markOnline ?? false, isSyncing: options.isSyncing ?? false };
    this.auth = { creds: initAuthCreds(), keys: memoryKeys() };
  }

  connect(): Sock {
    const simulator = this.#simulator();
    WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(simulator.noiseRootPublicKey);
    this.isOpen = false;
    this.isDrained = false;
    this.qr = undefined;
    this.#letMediaGo();
    this.#uploads = new HttpsAgent({ ca: simulator.mediaCaPem });
    this.#downloads = mediaAgent(simulator);
    const sock = makeWASocket({
      auth: this.auth,
      waWebSocketUrl: simulator.wsUrl(this.#tenant, this.id),
      logger: silent,
      markOnlineOnConnect: this.#options.markOnline,
      syncFullHistory: false,
      shouldSyncHistoryMessage: () => this.#options.isSyncing,
      // Trusts the simulator's own authority for media, as a client of WhatsApp trusts the public
      // ones.
      fetchAgent: this.#uploads,
      options: this.#fetchOptions(),
      getMessage: async (key) => this.sent.get(key.id ?? ''),
      retryRequestDelayMs: 10,
    });
    this.sock = sock;
    sock.ws.on('frame', (node: { tag?: string; attrs?: Record<string, string>; content?: unknown }) => {
      if (node.tag) this.stanzas.push({ tag: node.tag, attrs: node.attrs ?? {}, content: node.content });
      this.#changed();
    });
    sock.ev.on('creds.update', (update) => Object.assign(this.auth.creds, update));
    sock.ev.on('connection.update', (update) => this.#connection(sock, update));
    sock.ev.on('messages.upsert', ({ messages }) => {
      for (const message of messages) (message.category === 'peer' ? this.peer : this.received).push(message);
      this.#changed();
    });
    sock.ev.on('call', (calls) => {
      this.calls.push(...calls);
      this.#changed();
    });
    sock.ev.on('messaging-history.set', (history) => {
      this.history.push(history);
      this.#changed();
    });
    sock.ev.on('messages.update', (updates) => {
      this.updates.push(...updates);
      this.#changed();
    });
    return sock;
  }

  readonly sent = new Map<string, { conversation: string }>();

  async sendText(to: string, text: string): Promise<string> {
    const sock = this.sock;
    if (!sock) throw new Error(`line ${this.id} is not connected`);
    const id = `3EB0${Buffer.from(`${Math.random()}`).toString('hex').toUpperCase().slice(0, 18)}`;
    this.sent.set(id, { conversation: text });
    await sock.relayMessage(to, { conversation: text }, { messageId: id });
    return id;
  }

  /** Resolves when the condition holds; rejects after 15 s with what it waited for. */
  until<T>(what: string, condition: () => T | undefined | false): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const value = condition();
        if (value === undefined || value === false) return;
        clearTimeout(timer);
        this.#waiters.delete(check);
        resolve(value);
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(check);
        reject(new Error(`line ${this.id} waited ${WAIT_MS} ms for ${what}`));
      }, WAIT_MS);
      this.#waiters.add(check);
      check();
    });
  }

  text(body: string): Promise<WAMessage> {
    return this.until(`the text "${body}"`, () =>
      this.received.find((m) => m.message?.conversation === body || m.message?.extendedTextMessage?.text === body),
    );
  }

  ack(id: string): Promise<Record<string, string>> {
    return this.until(`the ack of ${id}`, () => {
      return this.stanzas.find((n) => n.tag === 'ack' && n.attrs.class === 'message' && n.attrs.id === id)?.attrs;
    });
  }

  async close(): Promise<void> {
    const sock = this.sock;
    this.sock = undefined;
    if (sock) await sock.end(undefined);
    await this.#letMediaGo();
    this.isOpen = false;
  }

  /**
   * The file of a received message, as an application of Baileys gets it: after 403, 404 and 410
   * the phone is asked to upload it again. (Baileys' own `downloadMediaMessage` never asks: it
   * looks for `error.status`, and its errors have `output.statusCode`.)
   */
  async download(message: WAMessage): Promise<Uint8Array> {
    const get = (): Promise<Uint8Array> => downloadMediaMessage(message, 'buffer', { options: this.#fetchOptions() });
    try {
      return await get();
    } catch (error) {
      const status = (error as { output?: { statusCode?: number } }).output?.statusCode;
      if (status !== 403 && status !== 404 && status !== 410) throw error;
      await this.sock?.updateMediaMessage(message);
      return get();
    }
  }

  // The types that Node brings are of another version of undici.
  #fetchOptions(): RequestInit {
    const options: unknown = { dispatcher: this.#downloads };
    return options as RequestInit;
  }

  async #letMediaGo(): Promise<void> {
    this.#uploads?.destroy();
    await this.#downloads?.destroy();
  }

  #connection(sock: Sock, update: Partial<ConnectionState>): void {
    if (sock !== this.sock) return;
    if (update.qr !== undefined) this.qr = update.qr;
    if (update.isNewLogin) this.isPaired = true;
    if (update.connection === 'open') this.isOpen = true;
    if (update.receivedPendingNotifications) this.isDrained = true;
    if (update.connection === 'close') {
      this.isOpen = false;
      const code = (update.lastDisconnect?.error as { output?: { statusCode?: number } } | undefined)?.output
        ?.statusCode;
      this.closes.push(code);
      if (code === 515) this.connect();
    }
    this.#changed();
  }

  #changed(): void {
    for (const check of [...this.#waiters]) check();
  }
}

/**
 * Trusts the simulator's authority, and leads WhatsApp's own media hosts to the simulator's: some
 * links name no other.
 */
function mediaAgent({ mediaCaPem, mediaPort }: Reachable): Agent {
  const connect = buildConnector({ ca: mediaCaPem });
  return new Agent({
    connect(options, callback) {
      const isWhatsApp = options.hostname.endsWith('.whatsapp.net');
      const host = { hostname: '127.0.0.1', port: String(mediaPort), servername: options.hostname };
      connect(isWhatsApp ? { ...options, ...host } : options, callback);
    },
  });
}

function memoryKeys(): SignalKeyStore {
  const data = new Map<string, string>();
  return {
    get: async (type, ids) => {
      const out: { [id: string]: SignalDataTypeMap[typeof type] } = {};
      for (const id of ids) {
        const stored = data.get(`${type} ${id}`);
        if (stored === undefined) continue;
        const value = JSON.parse(stored, BufferJSON.reviver);
        // A protobuf object writes its bytes as base64 text (Baileys' own useMultiFileAuthState
        // reads it the same way).
        out[id] = type === 'app-state-sync-key' ? proto.Message.AppStateSyncKeyData.fromObject(value) : value;
      }
      return out;
    },
    set: async (update: SignalDataSet) => {
      for (const [type, entries] of Object.entries(update)) {
        for (const [id, value] of Object.entries(entries ?? {})) {
          if (value === null || value === undefined) data.delete(`${type} ${id}`);
          else data.set(`${type} ${id}`, JSON.stringify(value, BufferJSON.replacer));
        }
      }
    },
  };
}
