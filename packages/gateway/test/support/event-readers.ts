import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';

export interface SseEvent {
  id?: string;
  event?: string;
  data?: string;
}

/**
 * Reads `text/event-stream` as the HTML standard says, keeping what came; comments are kept apart.
 */
export class SseReader {
  readonly events: SseEvent[] = [];
  /** The last `id`, also of messages without data. */
  lastId = '';
  comments = 0;
  isOver = false;
  status = 0;
  #response: IncomingMessage | undefined;
  readonly #checks = new Set<() => void>();

  static async open(url: string, headers: Record<string, string>): Promise<SseReader> {
    const reader = new SseReader();
    // A connection of its own: a pool would open another one when this one is cut.
    const request = get(url, { agent: false, headers: { accept: 'text/event-stream', ...headers } });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    reader.#response = response;
    reader.status = response.statusCode ?? 0;
    void reader
      .#read(response)
      .catch(() => {})
      .finally(() => {
        reader.isOver = true;
        reader.#changed();
      });
    return reader;
  }

  async #read(response: IncomingMessage): Promise<void> {
    let rest = '';
    for await (const chunk of response.setEncoding('utf8')) {
      rest += String(chunk);
      const blocks = rest.split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block);
      this.#changed();
    }
  }

  #take(block: string): void {
    const message: SseEvent = {};
    for (const line of block.split('\n')) {
      if (line.startsWith(':')) this.comments += 1;
      const [, field, value] = /^(id|event|data): (.*)$/.exec(line) ?? [];
      if (field && value !== undefined) message[field as keyof SseEvent] = value;
    }
    if (message.id !== undefined) this.lastId = message.id;
    if (message.data !== undefined) this.events.push(message);
  }

  #changed(): void {
    for (const check of this.#checks) check();
  }

  until(holds: (reader: SseReader) => boolean): Promise<this> {
    return new Promise((resolve) => {
      const check = () => {
        if (!holds(this)) return;
        this.#checks.delete(check);
        resolve(this);
      };
      this.#checks.add(check);
      check();
    });
  }

  close(): void {
    this.#response?.destroy();
  }
}

export interface SocketMessage {
  type: string;
  cursor?: string;
  body?: { event: string; id: string; data: Record<string, unknown> };
  error?: unknown;
}

/** A WebSocket that keeps what came. */
export class SocketReader {
  readonly messages: SocketMessage[] = [];
  readonly socket: WebSocket;
  closed: { code: number } | undefined;
  readonly #checks = new Set<() => void>();

  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(url, { headers });
    this.socket.on('message', (data) => {
      this.messages.push(JSON.parse(String(data)) as SocketMessage);
      for (const check of this.#checks) check();
    });
    this.socket.on('error', () => {});
    this.socket.on('close', (code) => {
      this.closed = { code };
      for (const check of this.#checks) check();
    });
  }

  async opened(): Promise<this> {
    await once(this.socket, 'open');
    return this;
  }

  until(holds: (reader: SocketReader) => boolean): Promise<this> {
    return new Promise((resolve) => {
      const check = () => {
        if (!holds(this)) return;
        this.#checks.delete(check);
        resolve(this);
      };
      this.#checks.add(check);
      check();
    });
  }
}
