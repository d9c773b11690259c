/**
 * Prologue of every connection: `WA`, protocol 6, token dictionary 3 (Baileys `NOISE_WA_HEADER`).
 */
export const WA_HEADER = Uint8Array.of(0x57, 0x41, 6, 3);

/** No frame before login needs more than a certificate or a client payload. */
export const HANDSHAKE_FRAME_MAX_BYTES = 64 * 1024;
/**
 * The length prefix could say 16 MiB; no stanza of ours comes near (a message to 1,000 devices is
 * about 200 KiB).
 */
export const FRAME_MAX_BYTES = 4 * 1024 * 1024;

const ROUTING_INFO_MAX_BYTES = 4096;

/** The peer broke the framing rules; its connection cannot be continued. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** A payload behind its 3-byte big-endian length, as both directions send it. */
export function frame(payload: Uint8Array): Uint8Array {
  if (payload.length > 0xffffff) throw new FrameError(`a frame of ${payload.length} bytes has no length prefix`);
  const out = new Uint8Array(payload.length + 3);
  out[0] = payload.length >>> 16;
  out[1] = (payload.length >>> 8) & 0xff;
  out[2] = payload.length & 0xff;
  out.set(payload, 3);
  return out;
}

/**
 * Cuts the bytes of a WebSocket into frames: once an optional edge-routing block (`ED`, 0, 1,
 * 3-byte length, info; Baileys noise-handler.js) and the `WA` header, then frames. Holds at most
 * one unfinished frame of `maxBytes`.
 */
export class FrameReader {
  maxBytes = HANDSHAKE_FRAME_MAX_BYTES;
  /** What the client sent back of an earlier `edge_routing`, if anything. */
  routingInfo: Uint8Array | undefined;
  #rest = Buffer.alloc(0);
  #hasHeader = false;

  /**
   * Frames completed by these bytes, in order. Throws FrameError; the reader is unusable after
   * that.
   */
  *push(chunk: Uint8Array): Generator<Uint8Array> {
    this.#rest = this.#rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#rest, chunk]);
    if (!this.#hasHeader && !this.#readHeader()) return;
    while (this.#rest.length >= 3) {
      const length = this.#rest.readUIntBE(0, 3);
      if (length > this.maxBytes)
        throw new FrameError(`a frame of ${length} bytes is over the limit of ${this.maxBytes}`);
      if (this.#rest.length < length + 3) return;
      const payload = this.#rest.subarray(3, length + 3);
      this.#rest = this.#rest.subarray(length + 3);
      yield payload;
    }
  }

  #readHeader(): boolean {
    if (this.#rest.length >= 7 && this.#rest[0] === 0x45 && this.#rest[1] === 0x44 && !this.routingInfo) {
      const length = this.#rest.readUIntBE(4, 3);
      if (length > ROUTING_INFO_MAX_BYTES) throw new FrameError(`routing info of ${length} bytes is over the limit`);
      if (this.#rest.length < 7 + length) return false;
      this.routingInfo = Uint8Array.from(this.#rest.subarray(7, 7 + length));
      this.#rest = this.#rest.subarray(7 + length);
    }
    if (this.#rest.length < WA_HEADER.length) return false;
    if (!WA_HEADER.every((byte, i) => this.#rest[i] === byte)) {
      throw new FrameError('the connection does not start with the WA header 57 41 06 03');
    }
    this.#rest = this.#rest.subarray(WA_HEADER.length);
    this.#hasHeader = true;
    return true;
  }
}
