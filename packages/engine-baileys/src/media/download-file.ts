import type { FileKind } from '@ponte/engine';
import { EngineError } from '@ponte/engine';
import { type Dispatcher, request } from 'undici';
import { decryptFile, NotKeptError } from './decrypt-file.ts';
import { type FilePart, MEDIA_KEY_BYTES, MEDIA_TYPES, mediaKeys } from './media-keys.ts';

/** Where files lie whose message names no host (Baileys DEF_MEDIA_HOST, whatsmeow download.go). */
const DEFAULT_HOST = 'mmg.whatsapp.net';
/** WhatsApp's largest file, and what the encryption adds to it. */
const FILE_MAX_BYTES = 2 * 1024 ** 3 + 64;
const PADDING_MAX_BYTES = 26;
const HEAD_MS = 60_000;
/** Slower than this on the whole is no download. */
const MIN_BYTES_PER_SECOND = 64 * 1024;
const ATTEMPTS = 3;
const PAUSE_MS = 300;
const ORIGIN = 'https://web.whatsapp.com';
/**
 * WhatsApp's words for a file that it has no more, or whose signed address ran out (403): the phone
 * can give it another one (whatsmeow download.go).
 */
const GONE = new Set([403, 404, 410]);

export interface Download {
  kind: FileKind;
  part: FilePart;
  /** Keeps the plain file, whole or not at all (EngineFiles). */
  write(pieces: AsyncIterable<Uint8Array>): Promise<void>;
}

/**
 * Downloads and opens the file of a message, over at most three tries. Rejects with `media_gone`
 * when WhatsApp has it no more, `media_damaged` when it is not the file of the message, `rejected`
 * for another refusal, `timeout` when no host answered as it should.
 */
export async function downloadFile(
  { kind, part, write }: Download,
  network: Dispatcher,
): Promise<{ sizeBytes: number; sha256: Uint8Array }> {
  const { mediaKey } = part;
  if (mediaKey?.length !== MEDIA_KEY_BYTES)
    throw new EngineError('media_damaged', 'the message has no key of its file');
  const keys = mediaKeys(mediaKey, MEDIA_TYPES[kind].use);
  const expected = { fileSha256: part.fileSha256 ?? undefined, fileEncSha256: part.fileEncSha256 ?? undefined };
  const places = placesOf(part);
  let last: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempt * (0.5 + Math.random())));
    const place = places[attempt % places.length] ?? '';
    const open = (source: AsyncIterable<Uint8Array>) => decryptFile(source, keys, expected, write);
    try {
      return await get(place, limitOf(part), network, open);
    } catch (error) {
      const isKnown = error instanceof EngineError && error.code !== 'timeout';
      if (isKnown || isOurs(error)) throw error;
      last = error;
    }
  }
  throw new EngineError('timeout', 'no media host delivered the file', { cause: last });
}

/** A full disk or a defect of ours: another host does not help. */
const isOurs = (error: unknown): boolean =>
  error instanceof NotKeptError || error instanceof TypeError || error instanceof RangeError;

/** The file's addresses: on the host of its message, then on the general one. */
function placesOf({ url, directPath }: FilePart): string[] {
  const given = url && URL.canParse(url) ? new URL(url) : undefined;
  if (!directPath) {
    if (given) return [given.href];
    throw new EngineError('media_gone', 'the message does not say where its file is');
  }
  const hosts = [given?.host, DEFAULT_HOST].filter((host) => host !== undefined);
  return [...new Set(hosts)].map((host) => new URL(directPath, `https://${host}`)).map(onlyOwnHost(hosts));
}

/** A direct path that is an address of its own (`//host/…`) must not lead elsewhere. */
const onlyOwnHost = (hosts: string[]) => (url: URL) => {
  if (!hosts.includes(url.host)) throw new EngineError('media_damaged', 'the place of the file is none');
  return url.href;
};

function limitOf({ fileLength }: FilePart): number {
  const announced = Number(fileLength?.toString() ?? 0);
  return announced > 0 ? Math.min(announced + PADDING_MAX_BYTES, FILE_MAX_BYTES) : FILE_MAX_BYTES;
}

async function get<T>(
  url: string,
  maxBytes: number,
  network: Dispatcher,
  open: (source: AsyncIterable<Uint8Array>) => Promise<T>,
): Promise<T> {
  const signal = AbortSignal.timeout(HEAD_MS + Math.ceil((maxBytes / MIN_BYTES_PER_SECOND) * 1_000));
  const { statusCode, body } = await request(url, { dispatcher: network, headers: { origin: ORIGIN }, signal });
  // A response abandoned halfway also emits 'error'; without a listener that would be uncaught.
  body.on('error', () => {});
  try {
    if (statusCode === 200) return await open(limited(body, maxBytes));
    const serverCode = { serverCode: statusCode };
    if (GONE.has(statusCode)) throw new EngineError('media_gone', 'WhatsApp has the file no more', serverCode);
    const code = statusCode >= 500 ? 'timeout' : 'rejected';
    throw new EngineError(code, `WhatsApp's media host answered HTTP ${statusCode}`, serverCode);
  } finally {
    body.destroy();
  }
}

async function* limited(body: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > maxBytes) throw new EngineError('media_damaged', 'the file is larger than its message says');
    yield piece;
  }
}
