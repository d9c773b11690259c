import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import { mayAct, type Role } from '../access/console-roles.ts';
import type { ConsoleSession } from '../access/console-sessions.ts';
import { addressBucket, type LimitClass, type RateLimiter, type Verdict } from '../access/rate-limit.ts';
import type { Caller, Execute } from '../commands/execute.ts';
import type { FileIntake } from '../commands/sends/receive-file.ts';
import { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { newRequestId } from '../core/ids.ts';
import type { Log } from '../observe/logger.ts';
import { answerForwarded, answerRow, type RowServices } from './answer-row.ts';
import { discardFiles, readFileBody } from './file-body.ts';
import { flatErrorAnswer } from './flat-errors.ts';
import { type HealthServices, registerHealth } from './health.ts';
import { readJsonBody, refuseBody } from './json-body.ts';
import { openApiDocument } from './openapi.ts';
import { type Dialect, METHODS, type Method, type Route } from './route.ts';
import { requireSameOrigin } from './session-cookie.ts';
import { createStaticFiles } from './static.ts';
import { toAppError } from './to-app-error.ts';
import { registerUpgrades } from './websocket.ts';

export const MAX_JSON_BYTES = 1_048_576;

/** What the front door needs; built by app.ts. */
export interface HttpServices extends RowServices, HealthServices {
  execute: Execute;
  /** Who a presented key is; undefined for unknown, revoked and expired ones. */
  authenticate(presented: string): Promise<Caller | undefined>;
  /** Who a ticket for a stream stands for; undefined for forged ones and those that are over. */
  authenticateTicket?(ticket: string): Promise<Caller | undefined>;
  /** Who is signed in; undefined when nobody is. */
  authenticateSession?(request: FastifyRequest): Promise<SignedInCaller | undefined>;
  /** Told of every call of a session that may change something, before it is answered. */
  auditSession?(call: SessionCall): Promise<void>;
  rateLimiter: RateLimiter;
  /** Takes files that come in with requests. */
  intake?: FileIntake;
  clock: Clock;
  log: Log;
  /** What the OpenAPI document says. */
  version: string;
  publicUrl: string;
  /** Built console: served at `/`. */
  consoleFolder?: string;
  /** Fastify's `trustProxy`: whose X-Forwarded-For counts. Default: nobody's. */
  trustProxy?: boolean | string | string[];
  /** Told once per finished request; `route` is the template, never the address. */
  onRequestDone?(done: { method: string; route: string; status: number; durationMs: number }): void;
}

/** A session, and who it is for commands. */
export interface SignedInCaller {
  session: ConsoleSession;
  caller: Caller;
}

export interface SessionCall {
  session: ConsoleSession;
  caller: Caller;
  /** The row's operation. */
  operation: string;
  target: string;
  status: number;
  address: string;
  requestId: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller?: Caller;
    session?: ConsoleSession;
    startedAt?: number;
  }
  interface FastifyContextConfig {
    dialect?: Dialect;
    maxBodyBytes?: number;
    takesFile?: boolean;
  }
}

/** For a whole request: the largest files come in this way. */
const REQUEST_WITHIN_MS = 30 * 60_000;
/** How long requests in flight have to end once the server closes. */
const CLOSE_WITHIN_MS = 8_000;
const SANE_REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const EXPOSED = 'X-Request-Id, Idempotent-Replayed, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset';
/** Retry-After of refusals that say no time of their own. */
const DEFAULT_RETRY_SECONDS: Record<number, number> = { 429: 60, 503: 5 };

/**
 * The HTTP server with every dialect, `/api/openapi.json`, health, metrics and the console's files.
 * Not listening yet. `close()` answers `unavailable` to new requests, lets those in flight finish,
 * and leaves nothing running.
 */
export function createHttpServer(services: HttpServices, dialects: readonly Dialect[]): FastifyInstance {
  const app = fastify({
    logger: false,
    genReqId: (raw) => {
      const given = raw.headers['x-request-id'];
      return typeof given === 'string' && SANE_REQUEST_ID.test(given) ? given : newRequestId();
    },
    requestIdHeader: false,
    routerOptions: { maxParamLength: 1_024 },
    bodyLimit: MAX_JSON_BYTES,
    // Receiving a request; not the time an answer takes.
    requestTimeout: REQUEST_WITHIN_MS,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    trustProxy: services.trustProxy ?? false,
    frameworkErrors: (error, request, reply) => {
      beginAnswer(request, reply, dialectOf(dialects, request.url));
      sendError(services, dialects, error, request, reply);
    },
    clientErrorHandler: refuseBrokenHttp,
  });
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
    // A client that neither finishes its request nor hangs up must not hold up the shutdown.
    const cancel = services.clock.after(CLOSE_WITHIN_MS, () => app.server.closeAllConnections());
    app.server.once('close', cancel);
  });
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close');
  });
  app.addHook('onRequest', async (request, reply) => {
    request.startedAt = services.clock.monotonic();
    const dialect = dialectOf(dialects, request.url);
    beginAnswer(request, reply, dialect);
    if (closing)
      throw new AppError('unavailable', { retryAfterSeconds: 5 }, { message: 'The server is shutting down.' });
    if (dialect?.cors && request.method === 'OPTIONS') return preflight(request, reply);
    if (dialect?.sameOrigin && !isSafe(request.method)) requireSameOrigin(request, services.publicUrl);
    if (dialect || request.url.startsWith('/api/'))
      takeBudget(services, reply, dialect?.ipLimit ?? 'ip', addressBucket(request.ip));
    return undefined;
  });
  app.addHook('onResponse', async (request, reply) => {
    if (services.intake && request.files) await discardFiles(request, services.intake);
    const durationMs = Math.round((services.clock.monotonic() - (request.startedAt ?? 0)) * 10) / 10;
    const route = request.routeOptions.url ?? 'none';
    const facts = { method: request.method, route, status: reply.statusCode, durationMs };
    services.onRequestDone?.(facts);
    services.log.debug({ ...facts, requestId: request.id, account: request.caller?.accountId }, 'request answered');
  });
  app.removeAllContentTypeParsers();
  const limitOf = (request: FastifyRequest) => request.routeOptions.config.maxBodyBytes ?? MAX_JSON_BYTES;
  const { intake, clock } = services;
  const fileBody = (request: FastifyRequest, payload: IncomingMessage) =>
    intake && request.routeOptions.config.takesFile
      ? readFileBody(request, payload, { intake, maxJsonBytes: limitOf(request), clock })
      : undefined;
  app.addContentTypeParser(
    'application/json',
    (request: FastifyRequest, payload: IncomingMessage) =>
      fileBody(request, payload) ?? readJsonBody(payload, limitOf(request), clock),
  );
  app.addContentTypeParser(
    'multipart/form-data',
    (request: FastifyRequest, payload: IncomingMessage) =>
      fileBody(request, payload) ?? refuseBody(payload, limitOf(request), clock),
  );
  app.addContentTypeParser('*', (request: FastifyRequest, payload: IncomingMessage) =>
    refuseBody(payload, limitOf(request), services.clock),
  );

  app.setErrorHandler((error, request, reply) => sendError(services, dialects, error, request, reply));
  const files = services.consoleFolder === undefined ? undefined : createStaticFiles(services.consoleFolder);
  app.setNotFoundHandler(async (request, reply) => {
    if (files && !request.url.startsWith('/api/') && (await files(request, reply))) return reply;
    throw new AppError('not_found');
  });

  for (const dialect of dialects) registerDialect(app, services, dialect);
  registerHealth(app, services);
  registerUpgrades(app);
  const document = JSON.stringify(openApiDocument(dialects, { version: services.version, url: services.publicUrl }));
  app.get('/api/openapi.json', (_request, reply) =>
    reply.header('access-control-allow-origin', '*').type('application/json; charset=utf-8').send(document),
  );
  return app;
}

/**
 * One Fastify route per row, one per path for the methods it does not take, and the dialect's
 * fallback.
 */
function registerDialect(app: FastifyInstance, services: HttpServices, dialect: Dialect): void {
  const methodsOf = new Map<string, Method[]>();
  for (const row of dialect.routes) {
    const url = dialect.prefix + row.path;
    methodsOf.set(url, [...(methodsOf.get(url) ?? []), row.method]);
    app.route({
      method: row.method,
      url,
      config: { dialect, maxBodyBytes: row.maxBodyBytes, takesFile: row.takesFile },
      onRequest: async (request, reply) => {
        await admit(services, row, request, reply);
      },
      onSend: async (request, reply) => {
        if (row.auth === 'session' && row.audited !== false) await auditCall(services, row, request, reply);
      },
      handler: (request, reply) => answerRow(services, dialect, row, request, reply),
    });
  }
  for (const [url, methods] of methodsOf) {
    const allow = [...(methods.includes('GET') ? ['HEAD'] : []), ...methods, ...(dialect.cors ? ['OPTIONS'] : [])];
    const refused = [...METHODS, 'HEAD', 'OPTIONS'].filter((method) => !allow.includes(method));
    app.route({
      method: refused,
      url,
      onRequest: async () => {
        throw new AppError('method_not_allowed', { allow });
      },
      handler: (_request, reply) => reply.send(),
    });
  }
  const { fallback } = dialect;
  if (!fallback) return;
  app.route({
    method: [...METHODS],
    url: `${dialect.prefix}/*`,
    config: { dialect, maxBodyBytes: fallback.maxBodyBytes },
    onRequest: (request, reply) => admit(services, { auth: 'key', ...fallback }, request, reply),
    handler: (request, reply) => answerForwarded(fallback.forward, request, reply),
  });
}

const isSafe = (method: string): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS';

/** Key or session, then its budget. Runs before the body is read. */
async function admit(
  services: HttpServices,
  row: Pick<Route, 'limit' | 'auth' | 'role' | 'takesTickets'>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  if (row.auth === 'none') return;
  if (row.auth === 'session') return admitSession(services, row, request, reply);
  const presented = presentedKey(request);
  const { ticket } = request.query as { ticket?: unknown };
  const caller =
    presented !== undefined
      ? await services.authenticate(presented)
      : row.takesTickets && typeof ticket === 'string'
        ? await services.authenticateTicket?.(ticket)
        : undefined;
  if (!caller) throw new AppError('unauthorized');
  request.caller = caller;
  takeBudget(services, reply, row.limit, caller.keyId);
}

async function admitSession(
  services: HttpServices,
  row: Pick<Route, 'limit' | 'role'>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const signedIn = await services.authenticateSession?.(request);
  if (!signedIn) throw new AppError('unauthorized', {}, { message: 'Sign in to the console first.' });
  request.session = signedIn.session;
  request.caller = signedIn.caller;
  takeBudget(services, reply, row.limit, signedIn.session.sessionId);
  const needed: Role = row.role ?? 'developer';
  if (mayAct(signedIn.session.role, needed)) return;
  throw new AppError('forbidden', {}, { message: `This needs the role ${needed}; yours is ${signedIn.session.role}.` });
}

/** Notes what somebody did through the console, also when it was refused. */
async function auditCall(
  services: HttpServices,
  row: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { session, caller } = request;
  if (!session || !caller || isSafe(request.method)) return;
  await services.auditSession?.({
    session,
    caller,
    operation: row.operation,
    target: request.url.split('?', 1)[0] ?? '',
    status: reply.statusCode,
    address: request.ip,
    requestId: request.id,
  });
}

/** The key of `Authorization: Bearer …`, else of `X-Bridge-Key`. */
function presentedKey(request: FastifyRequest): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '');
  if (bearer) return bearer[1];
  const header = request.headers['x-bridge-key'];
  return typeof header === 'string' && header !== '' ? header : undefined;
}

/**
 * Takes a place in a budget and says so in the RateLimit headers; `rate_limited` when there is
 * none. The key's budget, asked last, wins.
 */
function takeBudget(services: HttpServices, reply: FastifyReply, limit: LimitClass, subject: string): void {
  const verdict = services.rateLimiter.take(limit, subject);
  if (verdict.limit === 0) return;
  const seconds = Math.ceil(verdict.resetMs / 1_000);
  if (isPublic(limit) || !verdict.allowed) {
    reply.header('ratelimit-limit', String(verdict.limit));
    reply.header('ratelimit-remaining', String(verdict.remaining));
    reply.header('ratelimit-reset', String(seconds));
    reply.header('ratelimit-policy', `${verdict.limit};w=${Math.ceil(verdict.windowMs / 1_000)}`);
  }
  if (!verdict.allowed) throw limited(verdict, seconds);
}

const isPublic = (limit: LimitClass): boolean => !limit.endsWith('ip');

function limited(verdict: Verdict, seconds: number): AppError {
  const window = Math.round(verdict.windowMs / 1_000);
  return new AppError(
    'rate_limited',
    { retryAfterSeconds: Math.max(1, seconds) },
    { message: `At most ${verdict.limit} requests in ${window} seconds. Try again after Retry-After seconds.` },
  );
}

function beginAnswer(request: FastifyRequest, reply: FastifyReply, dialect: Dialect | undefined): void {
  reply.header('x-request-id', request.id);
  reply.header('x-content-type-options', 'nosniff');
  if (!dialect?.cors) return;
  reply.header('access-control-allow-origin', '*');
  reply.header('access-control-expose-headers', EXPOSED);
}

function preflight(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const asked = request.headers['access-control-request-headers'];
  return reply
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

const dialectOf = (dialects: readonly Dialect[], url: string): Dialect | undefined =>
  dialects.find(({ prefix }) => url.startsWith(prefix) && /^(?:$|[/?])/.test(url.slice(prefix.length)));

/**
 * Any failure, worded by the dialect it happened in. What nobody expected is logged with its cause
 * and tells the caller nothing.
 */
function sendError(
  services: HttpServices,
  dialects: readonly Dialect[],
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const error = toAppError(thrown);
  const { status, body } = dialectOf(dialects, request.url)?.errorAnswer(error) ?? flatErrorAnswer(error);
  if (error.code === 'server_error' || error.cause !== undefined) {
    const fields = { requestId: request.id, route: request.routeOptions.url, code: error.code, error: error.cause };
    if (status >= 500) services.log.error(fields, 'request failed');
    else services.log.debug(fields, 'request refused');
  }
  const retryAfter = error.details.retryAfterSeconds ?? DEFAULT_RETRY_SECONDS[status];
  if (retryAfter !== undefined) reply.header('retry-after', String(retryAfter));
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (error.details.allow) reply.header('allow', error.details.allow.join(', '));
  reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body));
}

/** Bytes that are no HTTP: one sentence, then the connection ends. */
function refuseBrokenHttp(error: NodeJS.ErrnoException, socket: Socket): void {
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
