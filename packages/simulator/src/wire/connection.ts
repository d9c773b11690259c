import type { Duplex } from 'node:stream';
import type { Node } from '@ponte/engine';
import type { RawData, WebSocket } from 'ws';
import type { SharedCommit } from '../world/shared-commit.ts';
import { decodeStanza, encodeStanza } from './codec.ts';
import { FRAME_MAX_BYTES, FrameReader, frame } from './frames.ts';
import type { NoiseResponder } from './noise.ts';
import { type ClientPayload, proto } from './wire-proto.ts';

/** Above this much unsent data a connection says it is congested; pushes wait. */
const HIGH_WATER_BYTES = 512 * 1024;
/** A client that lets this much pile up is not reading any more; it is cut. */
const OUTGOING_MAX_BYTES = 16 * 1024 * 1024;

/** What a connection tells the session that drives it. Nothing is called after `closed`. */
export interface ConnectionEvents {
  /** The Noise handshake is done: who the client says it is, and the key it proved. */
  opened(payload: ClientPayload, noiseKey: Uint8Array): void;
  received(node: Node): void;
  /** Earlier congestion is over. */
  drained(): void;
  closed(reason: string): void;
}

export interface ConnectionOptions {
  noise: NoiseResponder;
  /** The socket under the WebSocket: what goes out in one turn leaves in one write. */
  socket: Duplex;
  /** What is sent leaves once everything that led to it is committed. */
  commit: SharedCommit;
  events: ConnectionEvents;
}

/**
 * One WebSocket of one client: frames, Noise and the stanza codec, in order and without a queue of
 * its own on the way in. A malformed frame ends this connection and no other. Outgoing data is
 * bounded: `isCongested` first, then the cut.
 */
export class Connection {
  readonly #ws: WebSocket;
  readonly #noise: NoiseResponder;
  readonly #events: ConnectionEvents;
  readonly #socket: Duplex;
  readonly #commit: SharedCommit;
  readonly #frames = new FrameReader();
  #stage: 'hello' | 'finish' | 'open' | 'closed' = 'hello';
  #isCongested = false;
  #held: Uint8Array[] | undefined;
  #heldBytes = 0;
  /** What leaves at the end of this turn. */
  #leaving: Uint8Array[] = [];
  #leavingBytes = 0;
  #isCut = false;
  /** performance.now() of the last frame; the server's sweep ends silent connections. */
  lastSeenMs = performance.now();

  constructor(ws: WebSocket, options: ConnectionOptions) {
    this.#ws = ws;
    this.#noise = options.noise;
    this.#events = options.events;
    this.#socket = options.socket;
    this.#commit = options.commit;
    ws.on('message', (data: RawData) => this.#receive(data));
    ws.on('close', () => this.#finish('the client closed the connection'));
    ws.on('error', (error: Error) => this.#finish(error.message));
  }

  get isOpen(): boolean {
    return this.#stage === 'open';
  }

  get isClosed(): boolean {
    return this.#stage === 'closed';
  }

  /** True while the client does not keep up; senders that can wait should. */
  get isCongested(): boolean {
    return this.#isCongested || this.#held !== undefined;
  }

  /**
   * Encrypts and sends. Ignored when the connection is not open: whatever must arrive is in a
   * device's queue.
   */
  send(node: Node): void {
    if (this.#stage !== 'open') return;
    this.#write(this.#noise.seal(encodeStanza(node)));
  }

  /**
   * Sends nothing and reads nothing until `release`; data waits in bounded buffers on both sides,
   * as on a dead network path.
   */
  hold(): void {
    if (this.#stage === 'closed' || this.#held) return;
    this.#held = [];
    this.#ws.pause();
  }

  release(): void {
    const held = this.#held;
    if (!held) return;
    this.#held = undefined;
    this.#heldBytes = 0;
    if (this.#stage === 'closed') return;
    for (const payload of held) this.#leave(payload);
    this.#ws.resume();
    this.#events.drained();
  }

  /** Lets what was sent leave, then closes. */
  close(reason: string): void {
    if (this.#stage === 'closed') return;
    const held = this.#held !== undefined;
    this.#finish(reason);
    if (held) this.#ws.terminate();
    else
      this.#commit.afterCommit(
        () => this.#ws.close(1000),
        () => this.#ws.terminate(),
      );
  }

  /** Drops the socket at once, as a broken network does. */
  cut(reason: string): void {
    if (this.#stage === 'closed') return;
    this.#finish(reason);
    this.#isCut = true;
    this.#ws.terminate();
  }

  #receive(data: RawData): void {
    if (this.#stage === 'closed') return;
    this.lastSeenMs = performance.now();
    const chunk = Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
    try {
      for (const payload of this.#frames.push(chunk)) {
        this.#take(payload);
        if (this.isClosed) return;
      }
    } catch (error) {
      // Whatever a client sends may end its own connection, never the server.
      this.cut(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    }
  }

  #take(payload: Uint8Array): void {
    if (this.#stage === 'hello') {
      this.#write(this.#noise.readHello(payload));
      this.#stage = 'finish';
      return;
    }
    if (this.#stage === 'finish') {
      const finish = this.#noise.readFinish(payload);
      const client = proto.ClientPayload.decode(finish.payload);
      this.#frames.maxBytes = FRAME_MAX_BYTES;
      this.#stage = 'open';
      this.#events.opened(client, finish.staticKey);
      return;
    }
    this.#events.received(decodeStanza(this.#noise.open(payload)));
  }

  #write(payload: Uint8Array): void {
    if (!this.#held) {
      this.#leave(payload);
      return;
    }
    this.#held.push(payload);
    this.#heldBytes += payload.length;
    if (this.#heldBytes > OUTGOING_MAX_BYTES) this.cut('too much unsent data');
  }

  #leave(payload: Uint8Array): void {
    if (this.#leaving.length === 0) {
      const lost = (): void => this.cut('the network failed');
      this.#commit.afterCommit(() => this.#flush(), lost);
    }
    this.#leaving.push(payload);
    this.#leavingBytes += payload.length;
    const unsentBytes = this.#ws.bufferedAmount + this.#leavingBytes;
    if (unsentBytes > HIGH_WATER_BYTES) this.#isCongested = true;
    if (unsentBytes > OUTGOING_MAX_BYTES) this.cut('the client does not read');
  }

  #flush(): void {
    const leaving = this.#leaving;
    this.#leaving = [];
    this.#leavingBytes = 0;
    if (this.#isCut) return;
    const last = leaving.pop();
    this.#socket.cork();
    for (const payload of leaving) this.#ws.send(frame(payload));
    if (last) this.#ws.send(frame(last), () => this.#drained());
    this.#socket.uncork();
  }

  #drained(): void {
    if (!this.#isCongested || this.isClosed || this.#ws.bufferedAmount >= HIGH_WATER_BYTES / 2) return;
    this.#isCongested = false;
    this.#events.drained();
  }

  #finish(reason: string): void {
    if (this.#stage === 'closed') return;
    this.#stage = 'closed';
    this.#held = undefined;
    this.#events.closed(reason);
  }
}
