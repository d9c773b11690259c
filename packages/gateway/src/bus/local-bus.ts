import type { Clock } from '../core/clock.ts';
import { type Bus, BusError, decodeMessage, encodeMessage, plainSubject } from './bus.ts';
import { answerOf, serveInMeasure } from './serve-in-measure.ts';

type Server = (request: Uint8Array) => Promise<Uint8Array>;

/** A bus inside this process. All buses connected to the same hub hear each other. */
export class LocalBusHub {
  readonly #clock: Clock;
  readonly servers = new Map<string, Server[]>();
  readonly listeners = new Map<string, Set<(bytes: Uint8Array) => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  connect(): Bus {
    return new LocalBus(this, this.#clock);
  }
}

class LocalBus implements Bus {
  readonly #hub: LocalBusHub;
  readonly #clock: Clock;
  readonly #ends = new Set<() => void>();
  /** Aborts pending requests when the bus is closed. */
  readonly #over = new AbortController();
  #next = 0;

  constructor(hub: LocalBusHub, clock: Clock) {
    this.#hub = hub;
    this.#clock = clock;
  }

  get isUp(): boolean {
    return !this.#over.signal.aborted;
  }

  async request(subject: string, body: unknown, { timeoutMs }: { timeoutMs: number }): Promise<unknown> {
    const request = encodeMessage(plainSubject(subject), body);
    if (!this.isUp) throw new BusError('away', subject);
    const servers = this.#hub.servers.get(subject) ?? [];
    this.#next += 1;
    const server = servers[this.#next % Math.max(1, servers.length)];
    if (!server) throw new BusError('no_responders', subject);
    const answered = new AbortController();
    const signal = AbortSignal.any([answered.signal, this.#over.signal]);
    const late = this.#clock.sleep(timeoutMs, signal).then(() => {
      throw new BusError(this.isUp ? 'timeout' : 'away', subject);
    });
    // An answer in time leaves it unheard.
    late.catch(() => {});
    try {
      return answerOf(subject, await Promise.race([server(request), late]));
    } finally {
      answered.abort();
    }
  }

  serve(subject: string, handler: (body: unknown) => Promise<unknown>): () => void {
    const { servers } = this.#hub;
    const server = serveInMeasure(plainSubject(subject), handler);
    servers.set(subject, [...(servers.get(subject) ?? []), server]);
    return this.#ending(() => {
      const left = (servers.get(subject) ?? []).filter((one) => one !== server);
      if (left.length > 0) servers.set(subject, left);
      else servers.delete(subject);
    });
  }

  publish(subject: string, body: unknown): void {
    const bytes = encodeMessage(plainSubject(subject), body);
    if (!this.isUp) return;
    for (const listener of this.#hub.listeners.get(subject) ?? []) queueMicrotask(() => listener(bytes));
  }

  subscribe(subject: string, listener: (body: unknown) => void): () => void {
    const { listeners } = this.#hub;
    let isOver = false;
    const hear = (bytes: Uint8Array) => {
      const message = decodeMessage(bytes);
      if (message && !isOver) listener(message.body);
    };
    listeners.set(subject, (listeners.get(plainSubject(subject)) ?? new Set()).add(hear));
    return this.#ending(() => {
      isOver = true;
      const left = listeners.get(subject);
      left?.delete(hear);
      if (left?.size === 0) listeners.delete(subject);
    });
  }

  async settled(): Promise<void> {}

  async close(): Promise<void> {
    for (const end of [...this.#ends]) end();
    this.#over.abort();
  }

  #ending(work: () => void): () => void {
    const end = () => {
      if (this.#ends.delete(end)) work();
    };
    this.#ends.add(end);
    return end;
  }
}
