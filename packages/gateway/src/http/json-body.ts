import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { AppError, invalid } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { jsonProblem, type TakenOut } from './json-problem.ts';
import { nextPiece } from './next-piece.ts';

/**
 * How much of a body that is too large is read and thrown away, so that the client finishes writing
 * and hears why.
 */
const MAX_DISCARD_BYTES = 64 * 1024 * 1024;
const DISCARD_WITHIN_MS = 10_000;
/** For a whole body. */
const READ_WITHIN_MS = 60_000;
/** Objects and arrays inside one another. */
const MAX_DEPTH = 32;

/**
 * Reads a JSON body of at most `maxBytes`; undefined when it is empty. `payload_too_large` above
 * that, after the rest was thrown away (up to 64 MiB, 10 s); `validation_error` for what is no
 * UTF-8 JSON or nests deeper than 32 levels.
 */
export async function readJsonBody(stream: Readable, maxBytes: number, clock: Clock): Promise<unknown> {
  return parseJson(await readBytes(stream, maxBytes, clock));
}

/**
 * JSON of bytes; undefined when there are none. Refuses what `readJsonBody` refuses, and names
 * places as if nothing had been taken out.
 */
export function parseJson(bytes: Uint8Array, takenOut?: TakenOut): unknown {
  if (bytes.length === 0) return undefined;
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) throw compressed('gzip');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError(
      'validation_error',
      { details: [{ path: '', message: 'The body is not UTF-8.' }] },
      { message: 'The body is not UTF-8. Send JSON as UTF-8.', cause },
    );
  }
  if (nesting(text) > MAX_DEPTH) throw invalid('', `The body nests deeper than ${MAX_DEPTH} levels.`);
  try {
    return JSON.parse(text);
  } catch (error) {
    // The parser's own sentence quotes the body; ours must not.
    const message = `The body is not valid JSON: ${jsonProblem(text, error, takenOut)}.`;
    throw new AppError('validation_error', { details: [{ path: '', message }] }, { message });
  }
}

/**
 * Refuses a body that was compressed, by the name of its coding (Content-Encoding): nothing here
 * unpacks one.
 */
export async function refuseCompressed(stream: IncomingMessage, clock: Clock): Promise<void> {
  const codings = stream.headers['content-encoding']?.trim().toLowerCase();
  if (!codings || codings === 'identity' || !hasBody(stream)) return;
  await discardBody(stream, clock);
  throw compressed(codings.slice(0, 64));
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

const compressed = (coding: string): AppError => {
  const message = `The body is compressed (${coding}), which is not taken. Send it as it is, without Content-Encoding.`;
  return new AppError('unsupported_media_type', {}, { message });
};

/** Reads a body of a type we do not take: nothing may be in it. */
export async function refuseBody(stream: Readable, maxBytes: number, clock: Clock): Promise<undefined> {
  const bytes = await readBytes(stream, maxBytes, clock);
  if (bytes.length > 0) throw new AppError('unsupported_media_type');
  return undefined;
}

/** Reads and throws away the rest of a body that was refused, as far as that makes sense. */
export async function discardBody(stream: Readable, clock: Clock): Promise<void> {
  if (stream.readableEnded || stream.destroyed) return;
  try {
    await readBytes(stream, 0, clock, DISCARD_WITHIN_MS);
  } catch {
    // That it is too large is known; that it broke off is no news either.
  }
}

async function readBytes(stream: Readable, maxBytes: number, clock: Clock, withinMs = READ_WITHIN_MS): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const startedAt = clock.monotonic();
  // Leaving the loop must not destroy the request: the answer still has to go out.
  const pieces = stream.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]();
  for (;;) {
    const leftMs = Math.max(0, withinMs - (clock.monotonic() - startedAt));
    const bytes = await nextPiece(pieces, clock, leftMs);
    if (!bytes) break;
    size += bytes.length;
    if (size <= maxBytes) chunks.push(bytes);
    else {
      chunks.length = 0;
      if (size > MAX_DISCARD_BYTES || clock.monotonic() - startedAt > DISCARD_WITHIN_MS) break;
    }
  }
  if (size > maxBytes) {
    throw new AppError('payload_too_large', { limit_bytes: maxBytes });
  }
  return Buffer.concat(chunks, size);
}

/**
 * The deepest nesting of a JSON text, brackets in strings aside. Linear, no recursion: it runs
 * before the parser.
 */
function nesting(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i += 1;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x7b || c === 0x5b) {
      depth += 1;
      if (depth > deepest) deepest = depth;
    } else if (c === 0x7d || c === 0x5d) depth -= 1;
  }
  return deepest;
}
