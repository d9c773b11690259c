import { Readable } from 'node:stream';
import { EngineError } from '@ponte/engine';
import { type Dispatcher, request } from 'undici';
import { encryptFile, type MeasuredFile } from './encrypt-file.ts';
import type { MediaConn } from './media-conn.ts';
import type { MediaKeys, MediaType } from './media-keys.ts';

/** Nothing moves for this long: the host is given up. */
const STALL_MS = 60_000;
/** Slower than this on the whole is no upload. */
const MIN_BYTES_PER_SECOND = 64 * 1024;
const ANSWER_MAX_BYTES = 64 * 1024;
/** Tries per host; after a refused authorization with a new one. */
const ROUNDS = 2;
const PAUSE_MS = 500;
const ORIGIN = 'https://web.whatsapp.com';
/** Answers that mean that the right to upload is too old. */
const UNAUTHORIZED = new Set([401, 403]);

export interface Upload {
  /** The file from its beginning; called once for each attempt. */
  read(): Promise<AsyncIterable<Uint8Array>>;
  keys: MediaKeys;
  measured: MeasuredFile;
  type: MediaType;
}

/** Where an uploaded file lies. */
export interface UploadedPlace {
  url: string;
  directPath: string;
}

type Attempt = { place: UploadedPlace } | { status: number } | { failure: unknown };

/**
 * Uploads a file to WhatsApp, encrypted on the way. Tries each host twice, with a pause in between.
 * Rejects with `rejected` and the HTTP status for what no host takes, and `timeout` when none could
 * be reached or all failed: the same file may be tried again.
 */
export async function uploadFile(upload: Upload, conn: MediaConn, network: Dispatcher): Promise<UploadedPlace> {
  let last: Attempt | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const { auth, hosts } = await conn.right();
    for (const host of hosts) {
      if (last) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * (0.5 + Math.random())));
      const attempt = await post(upload, host, auth, network);
      if ('place' in attempt) return attempt.place;
      last = attempt;
      if (!('status' in attempt) || attempt.status >= 500) continue;
      if (!UNAUTHORIZED.has(attempt.status)) throw refusal(attempt.status);
      conn.forget();
      break;
    }
  }
  if (last && 'status' in last && UNAUTHORIZED.has(last.status)) throw refusal(last.status);
  const cause = last && 'failure' in last ? last.failure : undefined;
  throw new EngineError('timeout', 'no media host took the file', { cause });
}

const refusal = (status: number) =>
  new EngineError('rejected', `WhatsApp's media host refused the file (HTTP ${status})`, { serverCode: status });

async function post({ read, keys, measured, type }: Upload, host: string, auth: string, network: Dispatcher) {
  const name = Buffer.from(measured.fileEncSha256).toString('base64url');
  const query = new URLSearchParams({ auth, token: name });
  const controller = new AbortController();
  const stalled = setTimeout(() => controller.abort(new Error('the upload stands still')), STALL_MS);
  const totalMs = STALL_MS + (measured.encryptedBytes / MIN_BYTES_PER_SECOND) * 1_000;
  const late = setTimeout(() => controller.abort(new Error('the upload is too slow')), totalMs);
  const pieces = lazily(async () => encryptFile(await read(), keys, measured.mac));
  const body = Readable.from(watched(pieces, stalled), { objectMode: false });
  try {
    const answer = await request(`https://${host}/mms/${type.path}/${name}?${query}`, {
      dispatcher: network,
      method: 'POST',
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(measured.encryptedBytes),
        origin: ORIGIN,
      },
      body,
      // Both of them are watched here: a long upload is not a late answer.
      headersTimeout: 0,
      signal: controller.signal,
    });
    return await readAnswer(answer);
  } catch (failure) {
    return { failure };
  } finally {
    clearTimeout(stalled);
    clearTimeout(late);
    body.destroy();
  }
}

/** Opened when the first piece is asked for. */
async function* lazily(open: () => Promise<AsyncIterable<Uint8Array>>): AsyncGenerator<Uint8Array> {
  yield* await open();
}

/** Every piece that is taken puts the alarm off. */
async function* watched(pieces: AsyncIterable<Uint8Array>, alarm: NodeJS.Timeout): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) {
    alarm.refresh();
    yield piece;
  }
}

async function readAnswer({ statusCode, body }: Dispatcher.ResponseData): Promise<Attempt> {
  // A response abandoned halfway also emits 'error'; without a listener that would be uncaught.
  body.on('error', () => {});
  if (statusCode !== 200) {
    body.destroy();
    return { status: statusCode };
  }
  let text = '';
  for await (const piece of body as AsyncIterable<Uint8Array>) {
    text += Buffer.from(piece).toString('latin1');
    if (text.length > ANSWER_MAX_BYTES) throw new Error('the answer is too long');
  }
  const answer: unknown = JSON.parse(text);
  const field = (key: string): unknown =>
    typeof answer === 'object' && answer !== null ? Reflect.get(answer, key) : undefined;
  const [url, directPath] = [field('url'), field('direct_path')];
  if (typeof url !== 'string' || typeof directPath !== 'string') throw new Error('the answer names no place');
  return { place: { url, directPath } };
}
