import type { Readable } from 'node:stream';
import type { Clock } from '../core/clock.ts';
import { within } from '../core/within.ts';
import { FetchError, toFetchError } from './fetch-error.ts';
import type { FetchOptions } from './fetch-options.ts';

export type ReadableBody = Readable;

/** Slower than this over the whole wait is a drip, not a transfer. */
const MIN_BYTES_PER_SECOND = 1_024;
const STALL_MS = 10_000;

interface Limits {
  options: FetchOptions;
  headers: Record<string, string>;
  clock: Clock;
  /** Ends the time limits of the exchange; called once. */
  finish: () => void;
}

/** The next chunk, or FetchError `timeout` when it does not come within `waitMs`. */
async function nextChunk(source: AsyncIterator<Uint8Array>, clock: Clock, waitMs: number) {
  const next = await within(clock, source.next(), waitMs);
  if (!next) throw new FetchError('timeout');
  return next;
}

/** Refused by its headers alone. */
function refusedByHead({ options, headers }: Limits): FetchError | undefined {
  if (options.purpose === 'webhook') return undefined;
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') return new FetchError('encoding');
  return Number(headers['content-length'] ?? 0) > options.maxBytes ? new FetchError('too_large') : undefined;
}

async function* readLimited(source: ReadableBody, limits: Limits): AsyncIterable<Uint8Array> {
  const { options, clock, finish } = limits;
  const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let received = 0;
  let waitedMs = 0;
  try {
    const refused = refusedByHead(limits);
    if (refused) throw refused;
    for (;;) {
      const from = clock.monotonic();
      // A webhook's answer has its total limit, and no rate to keep up.
      const chunk = await (options.purpose === 'media' ? nextChunk(iterator, clock, STALL_MS) : iterator.next());
      if (chunk.done) return;
      waitedMs += clock.monotonic() - from;
      received += chunk.value.length;
      const excess = received - options.maxBytes;
      if (excess > 0 && options.purpose === 'media') throw new FetchError('too_large');
      yield excess > 0 ? chunk.value.subarray(0, chunk.value.length - excess) : chunk.value;
      if (excess >= 0 && options.purpose === 'webhook') return;
      if (options.purpose === 'media' && waitedMs > STALL_MS && received < (waitedMs / 1_000) * MIN_BYTES_PER_SECOND)
        throw new FetchError('timeout');
    }
  } catch (error) {
    throw toFetchError(error, 'exchange');
  } finally {
    finish();
    source.destroy();
  }
}

/** The body of an answer under its limits: bytes, total time, stalls and drips. */
export function limitedBody(
  source: ReadableBody,
  limits: Limits,
): { body: AsyncIterable<Uint8Array>; discard(): void } {
  return {
    body: readLimited(source, limits),
    discard() {
      limits.finish();
      source.destroy();
    },
  };
}
