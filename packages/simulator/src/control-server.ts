import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Control } from './control/control.ts';

const BODY_MAX_BYTES = 16 * 1024 * 1024;
const BODY_MS = 30_000;
const PAGE_PATH = /^\/t\/([A-Za-z0-9_.-]{1,64})\/sw\.js$/;
const CONTROL_PATH = /^\/control\/([A-Za-z0-9_.-]{1,64})(\/.*)$/;

const FACTS_PATH = '/network';

/** Whom clients of the network must trust, and where its files are. */
export interface NetworkFacts {
  /** Hex. */
  noise_root_public_key: string;
  /** Authority of the media host. */
  media_ca_pem: string;
  /** On the host of the network. */
  media_port: number;
}

/** A request that cannot be passed on; the body says why in the sandbox API's flat form. */
class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/**
 * Binds the control API to HTTP: `/control/{tenant}/<path>`, `Authorization: Bearer <token>`, JSON
 * in (16 MiB at most, within 30 seconds) and out; `GET /network` tells what clients must know.
 * `problem` is called for failures that the caller is only told about as `internal_error`.
 */
export function createControlServer(options: {
  control: Control;
  /** Resolves once everything written so far is committed. */
  settled: () => Promise<void>;
  token: string;
  problem: (text: string, cause: unknown) => void;
  /** The page that tells clients the version of the day. */
  page: (tenant: string) => string;
  /** What clients of the network must know beside its address; asked with the token. */
  facts: () => NetworkFacts;
}): (request: IncomingMessage, response: ServerResponse) => void {
  const { control, settled, token, problem, page, facts } = options;

  async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const url = URL.canParse(request.url ?? '/', 'http://simulator')
      ? new URL(request.url ?? '/', 'http://simulator')
      : undefined;
    if (url?.pathname === FACTS_PATH && request.method === 'GET') {
      requireToken(request, token);
      return { status: 200, body: facts() };
    }
    const [, tenant, path] = (url && CONTROL_PATH.exec(url.pathname)) ?? [];
    if (!url || tenant === undefined || path === undefined)
      throw new HttpError(404, 'not_found', `nothing is at ${request.url}`);
    requireToken(request, token);
    const query = Object.fromEntries(url.searchParams);
    const given = await control.handle({
      tenant,
      method: request.method ?? 'GET',
      path,
      query,
      body: await readJson(request),
    });
    await settled();
    return given;
  }

  return (request, response) => {
    const [, tenant] = (request.method === 'GET' && PAGE_PATH.exec(request.url ?? '')) || [];
    if (tenant !== undefined) {
      response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }).end(page(tenant));
      return;
    }
    answer(request)
      .catch((error: unknown) => {
        if (error instanceof HttpError)
          return { status: error.status, body: { error: error.code, message: error.message } };
        problem(`${request.method} ${request.url} failed`, error);
        return { status: 500, body: { error: 'internal_error', message: 'the simulator failed; see its problems' } };
      })
      .then(({ status, body }) => {
        if (response.writableEnded || response.destroyed) return;
        const text = body === undefined ? '' : JSON.stringify(body);
        // A body that was not read to its end (too large, too slow) must not be taken for the next
        // request.
        const close = request.complete ? {} : { connection: 'close' };
        response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...close }).end(text);
      });
  };
}

function requireToken(request: IncomingMessage, token: string): void {
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return;
  throw new HttpError(401, 'unauthorized', 'send the control token as Authorization: Bearer <token>');
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  const tooSlow = setTimeout(() => request.destroy(new HttpError(408, 'timeout', 'the body took too long')), BODY_MS);
  try {
    // The socket must survive a refusal, or the client would see a reset instead of the reason.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      length += (chunk as Buffer).length;
      if (length > BODY_MAX_BYTES) throw new HttpError(413, 'too_large', `a body may have ${BODY_MAX_BYTES} bytes`);
      chunks.push(chunk as Buffer);
    }
  } finally {
    clearTimeout(tooSlow);
  }
  if (length === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new HttpError(400, 'validation_error', 'the body is not JSON');
  }
}
