import type { FastifyRequest } from 'fastify';
import { request as httpRequest } from 'undici';
import type { Caller, Execute } from '../../commands/execute.ts';
import { requireWholeAccount } from '../../commands/line-limits.ts';
import type { LineName } from '../../commands/lines/find-line.ts';
import type { FileFetcher } from '../../commands/sends/file-fetcher.ts';
import { AppError, invalid } from '../../core/app-error.ts';
import type { Clock } from '../../core/clock.ts';
import { flatErrorAnswer, flatErrorSchema } from '../../http/flat-errors.ts';
import { type Answer, type Dialect, type Forward, json } from '../../http/route.ts';
import type { Log } from '../../observe/logger.ts';
import { sandboxRoutes } from './sandbox-routes.ts';

/** Where the simulator's control API listens right now (it may be started again elsewhere). */
export interface SimulatorControl {
  /** `http://127.0.0.1:4711`, without a trailing slash. */
  baseUrl: string;
  token: string;
}

export interface SandboxServices {
  execute: Execute;
  clock: Clock;
  log: Log;
  /** Undefined: the sandbox is off, or starts at this moment. */
  simulator(): SimulatorControl | undefined;
  /** Fetches the files that virtual phones are to send. */
  fetchFile: FileFetcher;
}

const SCOPES = { read: 'sandbox:read', write: 'sandbox:write' } as const;
const PREFIX = '/api/sandbox/v1';
const ANSWER_WITHIN_MS = 30_000;
/** The control API takes bodies of this size: files travel as base64. */
export const SANDBOX_MAX_BODY_BYTES = 16 * 1_048_576;
/** Files of virtual phones (the simulator's own limit). */
const SANDBOX_MAX_FILE_BYTES = 12 * 1_048_576;
/** Calls that send content of a phone. */
const SENDS = /^\/phones\/[^/?]+\/(?:messages|status)(?:\?|$)/;
/**
 * After a scan the line logs in once more: a caller that goes on at once should find it connected.
 */
const CONNECTED_WITHIN_MS = 15_000;
const LOOK_EVERY_MS = 25;

/** The Sandbox API: passes calls of test keys to the simulator, each account to its own world. */
export function createSandboxDialect(services: SandboxServices, prefix = PREFIX): Dialect {
  const forward: Forward = async (request, caller) => {
    requireTestKey(caller);
    const path = request.url.slice(prefix.length);
    const body = await withFetchedFile(services, request, path);
    return callSimulator(services, caller, { method: request.method, path, body: withPlainData(body) });
  };
  const scan: Forward = async (request, caller) => {
    requireTestKey(caller);
    return scanLine(services, request, caller, request.url.slice(prefix.length));
  };
  const unlink: Forward = async (request, caller) => {
    requireTestKey(caller);
    const line = lineNameOf(bodyOf(request));
    const id = line && (await services.execute.run('lines.get', { line }, caller)).line.id;
    const body = id === undefined ? request.body : { ...bodyOf(request), line_id: id };
    return callSimulator(services, caller, { method: 'POST', path: request.url.slice(prefix.length), body });
  };
  return {
    name: 'sandbox',
    prefix,
    title: 'Sandbox API',
    description:
      'The simulated WhatsApp network that lines of wzb_test_ keys live on: virtual phones that scan and chat.',
    cors: false,
    ipLimit: 'sandbox_ip',
    routes: sandboxRoutes({ forward, scan, unlink }, SANDBOX_MAX_BODY_BYTES),
    fallback: { limit: 'sandbox', maxBodyBytes: SANDBOX_MAX_BODY_BYTES, scopes: SCOPES, forward },
    errorAnswer: flatErrorAnswer,
    errorSchema: flatErrorSchema,
  };
}

/**
 * The world fetches nothing: a file that a phone is to send by its address is fetched here, guarded
 * as all others, and goes on as base64.
 */
async function withFetchedFile(services: SandboxServices, request: FastifyRequest, path: string): Promise<unknown> {
  const { url, ...body } = bodyOf(request);
  const isSend = request.method === 'POST' && SENDS.test(path);
  if (!isSend || url === undefined || body.data !== undefined || body.fixture !== undefined) return request.body;
  if (typeof url !== 'string') throw invalid('url', 'url must be a string.');
  const { bytes, mimeType, fileName } = await services.fetchFile(url, SANDBOX_MAX_FILE_BYTES);
  const data = Buffer.from(bytes).toString('base64');
  // What a document is called; other kinds have no name.
  const name = body.type === 'document' && body.filename === undefined && fileName ? { filename: fileName } : {};
  return { mime_type: mimeType, ...name, ...body, data };
}

/** A file as `data:<type>;base64,…` is taken as base64 alone, as in every other API. */
function withPlainData(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('data' in body) || typeof body.data !== 'string') return body;
  return { ...body, data: body.data.replace(/^data:[^,]{0,200};base64,/i, '') };
}

function requireTestKey(caller: Caller): void {
  if (caller.mode !== 'test') {
    throw new AppError('forbidden', {}, { message: 'The sandbox takes wzb_test_ keys only. Use a test key.' });
  }
  // The world is that of every test line of the account.
  requireWholeAccount(caller, 'The sandbox is one world for all of them: use a key that is not limited.');
}

const bodyOf = (request: FastifyRequest): Record<string, unknown> =>
  typeof request.body === 'object' && request.body !== null ? (request.body as Record<string, unknown>) : {};

/** The line a body names by line_id or customer_ref; undefined when it names none. */
function lineNameOf(body: Record<string, unknown>): LineName | undefined {
  const { line_id: id, customer_ref: bridge } = body;
  if (id !== undefined && typeof id !== 'string') throw invalid('line_id', 'line_id must be a string.');
  if (bridge !== undefined && typeof bridge !== 'string')
    throw invalid('customer_ref', 'customer_ref must be a string.');
  if (id !== undefined) return { id };
  return bridge === undefined ? undefined : { bridge };
}

/**
 * A phone scans: the QR given, or the one that the named line shows right now. With a named line
 * the answer comes once the line is connected (or after 15 s without it: the scan itself
 * succeeded).
 */
async function scanLine(
  services: SandboxServices,
  request: FastifyRequest,
  caller: Caller,
  path: string,
): Promise<Answer> {
  const body = bodyOf(request);
  const line = body.qr === undefined ? lineNameOf(body) : undefined;
  if (!line) {
    if (body.qr === undefined) throw invalid('qr', 'Give the text of a QR code, or line_id, or customer_ref.');
    return callSimulator(services, caller, { method: 'POST', path, body });
  }
  const { id } = (await services.execute.run('lines.get', { line }, caller)).line;
  const tryOnce = async (): Promise<Answer> => {
    const { data } = await services.execute.run('pairing.qr', { line: { id } }, caller);
    return callSimulator(services, caller, { method: 'POST', path, body: { qr: data, line_id: id } });
  };
  let answer = await tryOnce();
  // The line showed its next code between our look and the scan.
  if (isQrExpired(answer)) answer = await tryOnce();
  if (answer.status === 200) await untilConnected(services, caller, id);
  return answer;
}

const isQrExpired = ({ json: body }: Answer): boolean =>
  typeof body === 'object' && body !== null && 'error' in body && body.error === 'qr_expired';

async function untilConnected(services: SandboxServices, caller: Caller, id: string): Promise<void> {
  const until = services.clock.monotonic() + CONNECTED_WITHIN_MS;
  while (services.clock.monotonic() < until) {
    const { line } = await services.execute.run('lines.get', { line: { id } }, caller);
    if (line.status === 'connected') return;
    await services.clock.sleep(LOOK_EVERY_MS);
  }
}

async function callSimulator(
  services: SandboxServices,
  caller: Caller,
  call: { method: string; path: string; body: unknown },
): Promise<Answer> {
  const simulator = services.simulator();
  if (!simulator) {
    throw new AppError(
      'unavailable',
      { retryAfterSeconds: 2 },
      { message: 'The sandbox does not run. It is starting, or switched off (SANDBOX=off).' },
    );
  }
  const world = `/control/${caller.accountId}/`;
  const url = new URL(simulator.baseUrl + world.slice(0, -1) + call.path);
  // `..` in a path must not lead into another account's world.
  if (!url.pathname.startsWith(world)) throw new AppError('not_found');
  const hasBody = call.method !== 'GET' && call.body !== undefined;
  try {
    const response = await httpRequest(url, {
      method: call.method as 'GET',
      headers: {
        authorization: `Bearer ${simulator.token}`,
        ...(hasBody ? { 'content-type': 'application/json' } : {}),
      },
      body: hasBody ? JSON.stringify(call.body) : undefined,
      headersTimeout: ANSWER_WITHIN_MS,
      bodyTimeout: ANSWER_WITHIN_MS,
    });
    const text = await response.body.text();
    if (response.statusCode >= 500 || response.statusCode === 401) {
      throw new Error(`the simulator answered ${response.statusCode}`);
    }
    return text === '' ? { status: response.statusCode } : json(response.statusCode, JSON.parse(text));
  } catch (cause) {
    throw new AppError('unavailable', {}, { message: 'The sandbox does not answer. Try again shortly.', cause });
  }
}
