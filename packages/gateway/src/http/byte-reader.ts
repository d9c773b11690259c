import type { Readable } from 'node:stream';
import type { Clock } from '../core/clock.ts';
import { nextPiece, tooSlow } from './next-piece.ts';

/** Between two pieces of a body. */
const STALL_MS = 30_000;
/** Minimum per minute; a slower upload only occupies a place, and is refused. */
const MIN_BYTES = 16_384;
const WITHIN_MS = 60_000;

/**
 * Reads a body piece by piece, up to marks in it. Holds one piece at a time, and the start of a
 * mark that may go on in the next.
 */
export class ByteReader {
  readonly #pieces: AsyncIterator<unknown>;
  readonly #clock: Clock;
  #rest: Buffer;
  #isEnded = false;
  #since: number;
  #came = 0;

  /**
   * `before` is read first. Leaving early does not destroy the stream: an answer may still have to
   * go out.
   */
  constructor(stream: Readable, clock: Clock, before: Uint8Array = new Uint8Array()) {
    this.#clock = clock;
    this.#since = clock.monotonic();
    this.#pieces = stream.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]();
    this.#rest = Buffer.from(before);
  }

  /**
   * Everything before `mark`; the mark is skipped. Throws what `early` makes when the body ends
   * first.
   */
  async *until(mark: Buffer, early: () => Error): AsyncGenerator<Buffer> {
    for (;;) {
      const at = this.#rest.indexOf(mark);
      if (at >= 0) {
        const found = this.#rest.subarray(0, at);
        this.#rest = this.#rest.subarray(at + mark.length);
        if (found.length > 0) yield found;
        return;
      }
      const sure = this.#rest.length - (mark.length - 1);
      if (sure > 0) {
        const piece = this.#rest.subarray(0, sure);
        this.#rest = this.#rest.subarray(sure);
        yield piece;
      }
      if (!(await this.#more())) throw early();
    }
  }

  /** The next piece, whatever it is; undefined at the end. */
  async next(): Promise<Buffer | undefined> {
    if (this.#rest.length === 0 && !(await this.#more())) return undefined;
    const piece = this.#rest;
    this.#rest = Buffer.alloc(0);
    return piece;
  }

  /** Puts bytes back in front. */
  unread(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([bytes, this.#rest]);
  }

  #keepPace(bytes: number): void {
    this.#came += bytes;
    const now = this.#clock.monotonic();
    if (now - this.#since < WITHIN_MS) return;
    if (this.#came < MIN_BYTES) throw tooSlow();
    this.#since = now;
    this.#came = 0;
  }

  async #more(): Promise<boolean> {
    if (this.#isEnded) return false;
    const piece = await nextPiece(this.#pieces, this.#clock, STALL_MS);
    if (!piece) {
      this.#isEnded = true;
      return false;
    }
    this.#keepPace(piece.length);
    this.#rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    return true;
  }
}
