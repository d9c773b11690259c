import type { Socket } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { addressBucket, type IpLimit } from '../access/rate-limit.ts';
import { AppError, invalid } from '../core/app-error.ts';
import { newRequestId } from '../core/ids.ts';
import type { Log } from '../observe/logger.ts';
import { type AdmissionServices, isSafe } from './admit.ts';
import { takeBudget } from './budget.ts';
import { flatErrorAnswer } from './flat-errors.ts';
import { isTooSlow } from './next-piece.ts';
import { faultOf } from './request-target.ts';
import { type Dialect, METHODS } from './route.ts';
import { isSecure, requireSameOrigin } from './session-cookie.ts';
import { toAppError } from './to-app-error.ts';

export interface FrontDoorServices extends AdmissionServices {
  log: Log;
  publicUrl: string;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whose words, limits and checks count below this route. */
    dialect?: Dialect;
    /** True: nothing lives here. */
    isNowhere?: boolean;
    /** The address's budget of a route outside of every dialect. */
    ipLimit?: IpLimit;
  }
}

const EXPOSED = [
  'X-Request-Id, Idempotent-Replayed, Retry-After',
  'RateLimit, RateLimit-Policy, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset',
].join(', ');
/** Retry-After of refusals that say no time of their own. */
const DEFAULT_RETRY_SECONDS: Record<number, number> = { 429: 60, 503: 5 };
/** A year. */
const HSTS = 'max-age=31536000';

/**
 * What every request passes before anything of it is believed: form, same origin, the budget of its
 * address. All of it comes from the route that matched, never from the address's spelling. `true`:
 * the request is answered.
 */
export async function passFrontDoor(
  services: FrontDoorServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<boolean> {
  const { dialect, isNowhere, ipLimit } = request.routeOptions.config;
  beginAnswer(services, request, reply, dialect);
  refuseTwoHosts(request);
  const fault = faultOf(request.raw);
  const isLost = isNowhere === true || request.is404 || fault !== undefined;
  const isPreflight = dialect?.cors === true && request.method === 'OPTIONS';
  if (dialect?.sameOrigin && !isSafe(request.method)) requireSameOrigin(request, services.publicUrl);
  const limit = isLost ? 'ip' : (dialect?.ipLimit ?? ipLimit);
  // Pages and their files look for themselves first.
  const isPage = request.is404 && isSafe(request.method) && fault === undefined;
  if (limit !== undefined && !(isPreflight && !isLost) && !isPage) {
    await takeBudget(services.rateLimiter, reply, limit, addressBucket(request.ip));
  }
  if (fault === 'encoding') throw invalid('path', 'The path is not validly percent-encoded. Encode it as UTF-8.');
  if (fault === 'authority') throw invalid('Host', 'The address and the Host header name different servers.');
  if (fault === 'dots') throw new AppError('not_found');
  if (isPreflight) preflight(request, reply);
  return isPreflight;
}

/** With two Host headers it is unknown which one a proxy before us used (RFC 9112, section 3.2). */
function refuseTwoHosts(request: FastifyRequest): void {
  const { rawHeaders } = request.raw;
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === 'host') hosts += 1;
  if (hosts > 1) throw invalid('Host', 'Send one Host header.');
}

function beginAnswer(
  { publicUrl }: Pick<FrontDoorServices, 'publicUrl'>,
  request: FastifyRequest,
  reply: FastifyReply,
  dialect: Dialect | undefined,
): void {
  reply.header('x-request-id', request.id);
  reply.header('x-content-type-options', 'nosniff');
  if (isSecure(request, publicUrl)) reply.header('strict-transport-security', HSTS);
  if (!dialect?.cors) return;
  reply.header('access-control-allow-origin', '*');
  reply.header('access-control-expose-headers', EXPOSED);
}

function preflight(request: FastifyRequest, reply: FastifyReply): void {
  const asked = request.headers['access-control-request-headers'];
  reply
    .code(204)
    .headers({
      'access-control-allow-methods': [...METHODS, 'OPTIONS'].join(', '),
      'access-control-allow-headers':
        asked ?? 'Authorization, X-Bridge-Key, Content-Type, Idempotency-Key, X-Request-Id',
      'access-control-max-age': '86400',
      vary: 'Access-Control-Request-Headers',
    })
    .send();
}

/**
 * Any failure, worded by the dialect it happened in. An unexpected failure is logged with its
 * cause, which the caller does not see.
 */
export function sendError(
  services: Pick<FrontDoorServices, 'log'>,
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  dialect: Dialect | undefined = request.routeOptions.config.dialect,
): void {
  const error = toAppError(thrown);
  const { status, body } = dialect?.errorAnswer(error) ?? flatErrorAnswer(error);
  if (error.code === 'server_error' || error.cause !== undefined) {
    const { id: requestId, span } = request;
    const route = request.routeOptions.url;
    const fields = { requestId, traceId: span?.traceId, route, code: error.code, error: error.cause };
    if (status >= 500) services.log.error(fields, 'request failed');
    else services.log.debug(fields, 'request refused');
  }
  const retryAfter = error.details.retryAfterSeconds ?? DEFAULT_RETRY_SECONDS[status];
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  // What is left of a body that does not come would hold the connection open.
  if (isTooSlow(error)) reply.header('connection', 'close');
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (error.details.allow) reply.header('allow', error.details.allow.join(', '));
  reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body));
}

/** What the framework refuses before any route: it spends like an address that leads nowhere. */
export async function refuseUnrouted(
  services: FrontDoorServices,
  dialects: readonly Dialect[],
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const path = request.url.split('?', 1)[0] ?? '';
  const dialect = dialects.find(({ prefix }) => `${path}/`.startsWith(`${prefix}/`));
  let refusal = error;
  try {
    beginAnswer(services, request, reply, dialect);
    await takeBudget(services.rateLimiter, reply, 'ip', addressBucket(request.ip));
  } catch (limited) {
    refusal = limited;
  }
  sendError(services, refusal, request, reply, dialect);
}

/** Bytes that are no HTTP: one sentence, then the connection ends. */
export function refuseBrokenHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const [status, text] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['431 Request Header Fields Too Large', 'The headers are too large.']
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['408 Request Timeout', 'The request did not arrive in time.']
        : ['400 Bad Request', 'This is not valid HTTP.'];
  const body = JSON.stringify({ error: 'validation_error', message: text });
  if (!socket.writable) return;
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\nx-request-id: ${newRequestId()}\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
