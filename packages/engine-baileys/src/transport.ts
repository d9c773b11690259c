import type { WASocket } from './baileys.ts';

/** How long a closing handshake may take before the socket is cut. */
const CLOSING_MS = 500;

/** The parts of `ws` that lie under Baileys' own client. */
interface WebSocketLike {
  readonly readyState: number;
  close(): void;
  terminate(): void;
  once(event: 'close', listener: () => void): unknown;
}

const CLOSED = 3;

/**
 * Bounds how long Baileys' WebSocket takes to go. As it is, closing waits up to 30 s for the other
 * side, and callers that wait for an answer never get one, since Baileys removes the listeners for
 * `close` first.
 */
export class Transport {
  readonly #client: WASocket['ws'];

  constructor(client: WASocket['ws']) {
    this.#client = client;
    client.close = () => this.#close();
  }

  /** Cuts the connection: not one more byte leaves. */
  cut(): void {
    this.#socket()?.terminate();
  }

  /** Rejects every call that still waits for an answer. */
  rejectWaiting(reason: string): void {
    this.#client.emit('error', new Error(reason));
  }

  async #close(): Promise<void> {
    const socket = this.#socket();
    if (!socket || socket.readyState === CLOSED) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => socket.terminate(), CLOSING_MS);
      socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      socket.close();
    });
  }

  #socket(): WebSocketLike | undefined {
    // A protected member of Baileys' client; there is no other way to the socket itself.
    const socket: unknown = Reflect.get(this.#client, 'socket');
    return isWebSocket(socket) ? socket : undefined;
  }
}

function isWebSocket(value: unknown): value is WebSocketLike {
  return typeof value === 'object' && value !== null && 'terminate' in value && 'readyState' in value;
}
