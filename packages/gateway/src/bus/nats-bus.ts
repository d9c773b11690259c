import { setMaxListeners } from 'node:events';
import type { ConnectionOptions, errors as Errors, Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../observe/logger.ts';
import { type Bus, BusError, decodeMessage, encodeMessage, plainSubject } from './bus.ts';
import { answerOf, serveInMeasure } from './serve-in-measure.ts';

export interface NatsOptions {
  /** `nats://user:password@host:4222` or `tls://…`; several with commas between them. */
  url: string;
  /** First words of every subject: installations on one server do not hear each other. */
  prefix: string;
  /** What the server shows of this connection. */
  name: string;
  /** In place of those in the URL. */
  user?: string;
  password?: string;
  /** Contents of a credentials file (JWT and key). */
  credentials?: string;
  /** PEM: whom to trust, and who we are. */
  tls?: { ca?: string; cert?: string; key?: string };
  clock: Clock;
  log: Log;
}

const CONNECT_WITHIN_MS = 5_000;
const RETRY_FIRST_MS = 250;
const RETRY_MOST_MS = 5_000;
/** A connection that says nothing to two of these is dead. */
const PING_MS = 5_000;
const FLUSH_WITHIN_MS = 2_000;

/**
 * The bus over a NATS server: core publish, request/reply and queue groups, nothing that a server
 * keeps. Returns at once; connecting goes on in the background, for as long as it takes, and again
 * whenever the connection is lost.
 */
export function createNatsBus(options: NatsOptions): Bus {
  return new NatsBus(options);
}

/** Something that is served or listened to, on whatever connection there is. */
interface Interest {
  subject: string;
  isServer: boolean;
  hear(message: Msg): void;
  subscription: Subscription | undefined;
}

class NatsBus implements Bus {
  readonly #options: NatsOptions;
  readonly #interests = new Set<Interest>();
  readonly #over = new AbortController();
  readonly #connecting: Promise<void>;
  #connection: NatsConnection | undefined;
  #isUp = false;
  /** Aborted when the connection is lost. */
  #dropped = new AbortController();
  #errors: typeof Errors | undefined;

  constructor(options: NatsOptions) {
    this.#options = options;
    this.#connecting = this.#stayConnected();
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  async request(subject: string, body: unknown, { timeoutMs }: { timeoutMs: number }): Promise<unknown> {
    const request = encodeMessage(plainSubject(subject), body);
    const connection = this.#connection;
    if (!connection || !this.#isUp) throw new BusError('away', subject);
    const { signal } = this.#dropped;
    const asked = connection.request(this.#full(subject), request, { timeout: timeoutMs });
    const answer = await unlessAborted(asked, signal).catch((error: unknown) => {
      // It was under way when the connection ended: whether it was done is unknown.
      throw new BusError(signal.aborted ? 'timeout' : this.#failureOf(error), subject, error);
    });
    return answerOf(subject, answer.data);
  }

  serve(subject: string, handler: (body: unknown) => Promise<unknown>): () => void {
    const server = serveInMeasure(plainSubject(subject), handler);
    return this.#add({
      subject,
      isServer: true,
      hear: (message) => void server(message.data).then((answer) => message.respond(answer)),
      subscription: undefined,
    });
  }

  publish(subject: string, body: unknown): void {
    const bytes = encodeMessage(plainSubject(subject), body);
    if (this.#isUp) this.#connection?.publish(this.#full(subject), bytes);
  }

  subscribe(subject: string, listener: (body: unknown) => void): () => void {
    return this.#add({
      subject: plainSubject(subject),
      isServer: false,
      hear(received) {
        const message = decodeMessage(received.data);
        if (message) listener(message.body);
      },
      subscription: undefined,
    });
  }

  async settled(): Promise<void> {
    const { clock } = this.#options;
    const over = new AbortController();
    await Promise.race([this.#connection?.flush().catch(() => {}), clock.sleep(FLUSH_WITHIN_MS, over.signal)]);
    over.abort();
  }

  async close(): Promise<void> {
    this.#over.abort();
    this.#down();
    await this.#connection?.close().catch(() => {});
    await this.#connecting;
  }

  #full(subject: string): string {
    return `${this.#options.prefix}.${subject}`;
  }

  #add(interest: Interest): () => void {
    this.#interests.add(interest);
    this.#enforce(interest);
    return () => {
      this.#interests.delete(interest);
      interest.subscription?.unsubscribe();
    };
  }

  /** The client keeps a subscription over reconnections of the same connection. */
  #enforce(interest: Interest): void {
    const connection = this.#connection;
    if (!connection || connection.isClosed()) return;
    interest.subscription = connection.subscribe(this.#full(interest.subject), {
      ...(interest.isServer ? { queue: 'one' } : {}),
      callback: (error, message) => {
        if (!error && this.#interests.has(interest)) interest.hear(message);
      },
    });
  }

  async #stayConnected(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#over;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const connection = await this.#connect();
        if (signal.aborted) {
          await connection.close();
          return;
        }
        failures = 0;
        this.#connection = connection;
        this.#up();
        log.info({ server: connection.getServer() }, 'the bus is there');
        for (const interest of this.#interests) this.#enforce(interest);
        await this.#watch(connection);
        this.#down();
        this.#connection = undefined;
        if (!signal.aborted) log.warn({}, 'the connection to the bus ended; it is made again');
      } catch (error) {
        failures += 1;
        if (failures === 1) log.warn({ error }, 'the bus cannot be reached; it is tried again and again');
        const waitMs = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** Math.min(failures, 10));
        await clock.sleep(waitMs * (0.5 + clock.random() / 2), signal);
      }
    }
  }

  async #connect(): Promise<NatsConnection> {
    // An installation of one node never loads it.
    const { connect, credsAuthenticator, errors } = await import('@nats-io/transport-node');
    this.#errors = errors;
    const { url, name, user, password, credentials, tls } = this.#options;
    const servers = url.split(',').map((one) => new URL(one.trim()));
    const [first] = servers;
    const isTls = tls !== undefined || servers.some(({ protocol }) => protocol === 'tls:');
    const settings: ConnectionOptions = {
      servers: servers.map(({ host }) => host),
      name,
      timeout: CONNECT_WITHIN_MS,
      pingInterval: PING_MS,
      maxPingOut: 2,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      reconnectTimeWait: RETRY_FIRST_MS,
      ...(first?.username && first.password
        ? { user: decodeURIComponent(first.username), pass: decodeURIComponent(first.password) }
        : {}),
      ...(first?.username && !first.password ? { token: decodeURIComponent(first.username) } : {}),
      ...(user === undefined ? {} : { user, pass: password }),
      ...(credentials === undefined ? {} : { authenticator: credsAuthenticator(Buffer.from(credentials)) }),
      ...(isTls ? { tls: tls ?? {} } : {}),
    };
    return connect(settings);
  }

  #up(): void {
    this.#dropped = new AbortController();
    setMaxListeners(0, this.#dropped.signal);
    this.#isUp = true;
  }

  #down(): void {
    this.#isUp = false;
    this.#dropped.abort();
  }

  #failureOf(error: unknown): 'no_responders' | 'timeout' | 'away' {
    const causes = [error, error instanceof Error ? error.cause : undefined];
    const is = (kind: typeof Errors.TimeoutError | typeof Errors.NoRespondersError | undefined) =>
      kind !== undefined && causes.some((cause) => cause instanceof kind);
    if (is(this.#errors?.NoRespondersError)) return 'no_responders';
    return is(this.#errors?.TimeoutError) ? 'timeout' : 'away';
  }

  /** Resolves when the connection is over for good. */
  async #watch(connection: NatsConnection): Promise<void> {
    const { log } = this.#options;
    const ended = connection.closed();
    void (async () => {
      for await (const { type } of connection.status()) {
        if (this.#connection !== connection) return;
        if (type === 'disconnect' || type === 'staleConnection') {
          if (this.#isUp) log.warn({}, 'the bus is away; nothing is lost, what it carries comes late');
          this.#down();
        } else if (type === 'reconnect') {
          this.#up();
          log.info({ server: connection.getServer() }, 'the bus is back');
        }
      }
    })().catch(() => {});
    await ended;
  }
}

/** What the promise says; rejects at once when the signal is aborted. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new Error('the connection to the bus was lost'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
