import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { BlobError } from './blobs.ts';
import { directPathOf, readDirectPath, type UploadTokens } from './media-network.ts';
import { type MediaLink, type MediaStore, UPLOAD_MAX_BYTES } from './media-store.ts';
import { pemOf, type TlsIdentity } from './tls-certificates.ts';

const REQUEST_MS = 120_000;
const IDLE_MS = 30_000;
const CONNECTIONS_MAX = 2_000;
/**
 * Kinds of the `/mms/` paths clients use (Baileys MEDIA_PATH_MAP, whatsmeow mediaTypeToMMSType).
 */
const KINDS = new Set([
  'image',
  'video',
  'audio',
  'ptt',
  'ptv',
  'gif',
  'document',
  'sticker',
  'md-app-state',
  'md-msg-hist',
  'thumbnail-link',
]);
const UPLOAD_PATH = /^\/mms\/([a-z-]{2,20})\/([A-Za-z0-9_-]{43}=?)$/;
const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

export interface MediaServerOptions {
  store: MediaStore;
  tokens: UploadTokens;
  identity: TlsIdentity;
  /** The PEM of the authority goes with the certificate. */
  authority: Uint8Array;
  host: string;
  port: number;
  urlOf: (directPath: string) => string;
  /** A profile or group picture by the path of its URL. */
  picture: (path: string) => Uint8Array | undefined;
  /** An HTTP status to answer instead (an injected fault); asked once per request. */
  failure: (tenant: string, lineId: string | undefined) => number | undefined;
  problem: (text: string, cause: unknown) => void;
  /** Resolves once everything written so far is committed. */
  settled: () => Promise<void>;
}

export interface MediaServer {
  port: number;
  close(): Promise<void>;
}

/** A request that is answered with this status and a JSON `{error}`. */
class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * The media host: HTTPS, `POST /mms/{kind}/{hash}?auth=` to upload (the hash of the bytes is
 * checked), `GET` of a direct path with Range to download. The signature of an address that ran out
 * is refused (403), what never was is 404, as on WhatsApp (whatsmeow download.go).
 */
export async function startMediaServer(options: MediaServerOptions): Promise<MediaServer> {
  const server = createServer(
    {
      key: options.identity.privateKey.export({ format: 'pem', type: 'pkcs8' }),
      cert: pemOf(options.identity.certificate) + pemOf(options.authority),
      requestTimeout: REQUEST_MS,
      headersTimeout: IDLE_MS,
      keepAliveTimeout: 5_000,
    },
    (request, response) => {
      answer(request, response, options).catch((error: unknown) => {
        if (!(error instanceof Refusal) && !isHangUp(error)) {
          options.problem(`media ${request.method} ${request.url?.split('?')[0]} failed`, error);
        }
        refuse(request, response, error instanceof Refusal ? error : new Refusal(500, 'the media host failed'));
      });
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.timeout = REQUEST_MS;
  // A client that does not trust the authority is its own affair.
  server.on('tlsClientError', () => undefined);
  await listen(server, options.port, options.host);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, options: MediaServerOptions): Promise<void> {
  const url = URL.canParse(request.url ?? '/', 'https://media')
    ? new URL(request.url ?? '/', 'https://media')
    : undefined;
  if (!url) throw new Refusal(400, 'the path is none');
  if (request.method === 'POST') await upload(request, response, url, options);
  else if (request.method === 'GET' || request.method === 'HEAD') await download(request, response, url, options);
  else throw new Refusal(405, `${request.method} is not served`);
}

async function upload(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { store, tokens, failure, urlOf, settled }: MediaServerOptions,
): Promise<void> {
  const [, kind = '', name = ''] = UPLOAD_PATH.exec(url.pathname) ?? [];
  if (!KINDS.has(kind)) throw new Refusal(404, 'upload to /mms/{kind}/{base64url of the SHA-256}');
  const right = tokens.check(url.searchParams.get('auth') ?? '');
  if (!right) throw new Refusal(401, 'auth is not a token of media_conn, or it is too old');
  const token = url.searchParams.get('token');
  if (token !== null && token.replace(/=+$/, '') !== name.replace(/=+$/, '')) {
    throw new Refusal(403, 'token is not the hash of the path');
  }
  if (Number(request.headers['content-length'] ?? 0) > UPLOAD_MAX_BYTES) {
    throw new Refusal(413, `more than ${UPLOAD_MAX_BYTES} bytes`);
  }
  const failed = failure(right.tenant, right.lineId);
  if (failed !== undefined) throw new Refusal(failed, 'a fault was wished for');
  const hash = Buffer.from(name, 'base64url').toString('hex');
  const source = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>;
  const link = await store.put(right.tenant, kind, hash, source).catch((error: unknown) => {
    if (!(error instanceof BlobError)) throw error;
    throw new Refusal(error.reason === 'too_large' ? 413 : 400, error.message);
  });
  await settled();
  const directPath = directPathOf(right.tenant, link);
  const body = JSON.stringify({ url: urlOf(directPath), direct_path: directPath });
  response.writeHead(200, { 'content-type': 'application/json' }).end(body);
}

async function download(
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  { store, failure, picture }: MediaServerOptions,
): Promise<void> {
  const jpeg = picture(url.pathname);
  if (jpeg) {
    response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': String(jpeg.length) });
    response.end(request.method === 'HEAD' ? undefined : jpeg);
    return;
  }
  const path = readDirectPath(url.pathname);
  if (!path) throw new Refusal(404, 'no such media');
  const failed = failure(path.tenant, undefined);
  if (failed !== undefined) throw new Refusal(failed, 'a fault was wished for');
  const link = store.find(path.tenant, path.id);
  if (link === 'missing') throw new Refusal(404, 'no such media');
  if (link === 'expired') throw new Refusal(403, 'URL signature expired; ask the phone to upload again');
  const range = rangeOf(request.headers.range, link.size);
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${link.size}` }).end();
    return;
  }
  const { start, end } = range ?? { start: 0, end: link.size - 1 };
  response.writeHead(range ? 206 : 200, {
    'content-type': 'application/octet-stream',
    'content-length': String(end - start + 1),
    'accept-ranges': 'bytes',
    'cache-control': 'private, max-age=3600',
    ...(range ? { 'content-range': `bytes ${start}-${end}/${link.size}` } : {}),
  });
  if (request.method === 'HEAD' || link.size === 0) response.end();
  else await send(store, path.tenant, link, { start, end }, response);
}

function send(
  store: MediaStore,
  tenant: string,
  link: MediaLink,
  { start, end }: { start: number; end: number },
  response: ServerResponse,
): Promise<void> {
  return pipeline(store.read(tenant, link, start, end), response);
}

/**
 * One range of RFC 9110, 14.1.2. Undefined: the whole; several ranges are answered with the whole,
 * too.
 */
function rangeOf(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const [, first = '', last = ''] = RANGE.exec(header ?? '') ?? [];
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start > end || start >= size ? 'unsatisfiable' : { start, end };
}

function refuse(request: IncomingMessage, response: ServerResponse, { status, message }: Refusal): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  // What was not read of an upload must not be taken for the next request.
  const close = request.complete ? {} : { connection: 'close' };
  response.writeHead(status, { 'content-type': 'application/json', ...close }).end(JSON.stringify({ error: message }));
}

function isHangUp(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'EPIPE';
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
