import type { IncomingMessage } from 'node:http';
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify';
import { addressBucket } from '../access/rate-limit.ts';
import type { Execute } from '../commands/execute.ts';
import type { FileIntake } from '../commands/sends/receive-file.ts';
import { AppError } from '../core/app-error.ts';
import type { Clock } from '../core/clock.ts';
import { newRequestId } from '../core/ids.ts';
import type { Log } from '../observe/logger.ts';
import type { Spans } from '../observe/spans.ts';
import { admit, auditCall, isSafe } from './admit.ts';
import { answerForwarded, answerRow, type RowServices } from './answer-row.ts';
import { takeBudget } from './budget.ts';
import { isBuiltAsset } from './console-pages.ts';
import { discardFiles, readFileBody } from './file-body.ts';
import { type FrontDoorServices, passFrontDoor, refuseBrokenHttp, refuseUnrouted, sendError } from './front-door.ts';
import { type HealthServices, registerHealth } from './health.ts';
import { readJsonBody, refuseBody, refuseCompressed } from './json-body.ts';
import { openApiDocument } from './openapi/document.ts';
import { holdAnswer, noteRequest, type RequestLog } from './request-log.ts';
import { beginRequestSpan, endRequestSpan } from './request-span.ts';
import { rewriteTarget } from './request-target.ts';
import { type Dialect, METHODS, type Method } from './route.ts';
import { createStaticFiles } from './static.ts';
import { registerUpgrades } from './websocket.ts';

export const MAX_JSON_BYTES = 1_048_576;

/** What the server needs; built by app.ts. */
export interface HttpServices extends RowServices, HealthServices, FrontDoorServices {
  execute: Execute;
  /** Takes files that come in with requests. */
  intake?: FileIntake;
  clock: Clock;
  log: Log;
  /** What the OpenAPI document says. */
  version: string;
  /** Built console: served at `/`. */
  consoleFolder?: string;
  /** Fastify's `trustProxy`: whose X-Forwarded-For counts. Default: none. */
  trustProxy?: boolean | string | string[];
  /** What keys called last, for people who look for it. */
  requestLog?: RequestLog;
  /** Absent: traces are off. */
  spans?: Spans;
  /** Told once per finished request; `route` is the template, never the address. */
  onRequestDone?(done: { method: string; route: string; status: number; durationMs: number }): void;
}

declare module 'fastify' {
  interface FastifyRequest {
    startedAt?: number;
  }
  interface FastifyContextConfig {
    maxBodyBytes?: number;
    takesFile?: boolean;
  }
}

/** For a whole request: the largest files come in this way. */
const REQUEST_WITHIN_MS = 30 * 60_000;
/** How long requests in flight have to end once the server closes. */
const CLOSE_WITHIN_MS = 8_000;
const SANE_REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const ALL = [...METHODS, 'HEAD', 'OPTIONS', 'TRACE'];

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
    rewriteUrl: rewriteTarget,
    bodyLimit: MAX_JSON_BYTES,
    // Receiving a request; not the time an answer takes.
    requestTimeout: REQUEST_WITHIN_MS,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    trustProxy: services.trustProxy ?? false,
    frameworkErrors: (error, request, reply) => refuseUnrouted(services, dialects, error, request, reply),
    clientErrorHandler: refuseBrokenHttp,
  });
  watchRequests(app, services);
  readBodies(app, services);
  app.setErrorHandler((error, request, reply) => sendError(services, error, request, reply));
  servePages(app, services);
  for (const dialect of dialects) registerDialect(app, services, dialect);
  registerHealth(app, services);
  registerUpgrades(app);
  // Made when it is asked for first: making it takes tens of megabytes for a moment.
  let document: string | undefined;
  const facts = { version: services.version, url: services.publicUrl };
  app.get('/api/openapi.json', { config: { ipLimit: 'ip' } }, (_request, reply) => {
    document ??= JSON.stringify(openApiDocument(dialects, facts));
    return reply.header('access-control-allow-origin', '*').type('application/json; charset=utf-8').send(document);
  });
  return app;
}

/** Unix milliseconds. */
const startOf = (clock: Clock, { startedAt }: FastifyRequest): number =>
  clock.now() - (startedAt === undefined ? 0 : clock.monotonic() - startedAt);

/** The front door, and what is noted of every request from its beginning to its end. */
function watchRequests(app: FastifyInstance, services: HttpServices): void {
  let closing = false;
  app.addHook('preClose', async () => {
    closing = true;
    // A client that neither finishes its request nor hangs up must not hold up the shutdown.
    const cancel = services.clock.after(CLOSE_WITHIN_MS, () => app.server.closeAllConnections());
    app.server.once('close', cancel);
  });
  const { requestLog } = services;
  app.addHook('onSend', async (request, reply, payload) => {
    if (closing) reply.header('connection', 'close');
    if (requestLog) holdAnswer(request, payload);
  });
  app.addHook('onRequest', async (request, reply) => {
    request.startedAt = services.clock.monotonic();
    if (await passFrontDoor(services, request, reply)) return reply;
    if (closing)
      throw new AppError('unavailable', { retryAfterSeconds: 5 }, { message: 'The server is shutting down.' });
    return undefined;
  });
  app.addHook('preParsing', async (request, _reply, payload) => {
    await refuseCompressed(request.raw, services.clock);
    return payload;
  });
  app.addHook('onResponse', async (request, reply) => {
    if (services.intake && request.files) await discardFiles(request, services.intake);
    const durationMs = Math.round((services.clock.monotonic() - (request.startedAt ?? 0)) * 10) / 10;
    const route = request.routeOptions.url ?? 'none';
    const facts = { method: request.method, route, status: reply.statusCode, durationMs };
    services.onRequestDone?.(facts);
    endRequestSpan(request, reply);
    if (requestLog) noteRequest(requestLog, request, reply, { at: services.clock.now(), durationMs });
    const who = { requestId: request.id, account: request.caller?.accountId, traceId: request.span?.traceId };
    services.log.debug({ ...facts, ...who }, 'request answered');
  });
}

/** JSON, files in JSON and forms; every other body is refused. Each is read within its limit. */
function readBodies(app: FastifyInstance, services: HttpServices): void {
  const { intake, clock } = services;
  app.removeAllContentTypeParsers();
  const limitOf = (request: FastifyRequest) => request.routeOptions.config.maxBodyBytes ?? MAX_JSON_BYTES;
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
    refuseBody(payload, limitOf(request), clock),
  );
}

/** Pages and files of the console where no route is; everything else is `not_found`. */
function servePages(app: FastifyInstance, services: HttpServices): void {
  const files = services.consoleFolder === undefined ? undefined : createStaticFiles(services.consoleFolder);
  app.setNotFoundHandler(async (request, reply) => {
    const address = addressBucket(request.ip);
    if (files && !request.url.startsWith('/api/')) {
      await takeBudget(services.rateLimiter, reply, isBuiltAsset(request.url) ? 'assets_ip' : 'console_ip', address);
      if (await files(request, reply)) return reply;
    }
    if (isSafe(request.method)) await takeBudget(services.rateLimiter, reply, 'ip', address);
    throw new AppError('not_found');
  });
}

/**
 * One Fastify route per row, one per path for the methods it does not take, and the dialect's
 * fallback.
 */
function registerDialect(app: FastifyInstance, services: HttpServices, dialect: Dialect): void {
  const methodsOf = new Map<string, Method[]>();
  for (const row of dialect.routes) {
    if (row.auth === 'key' && row.command === null && row.scope === undefined) {
      throw new Error(`${row.operation} says no scope: keys of every kind could call it`);
    }
    const url = dialect.prefix + row.path;
    methodsOf.set(url, [...(methodsOf.get(url) ?? []), row.method]);
    app.route({
      method: row.method,
      url,
      config: { dialect, maxBodyBytes: row.maxBodyBytes, takesFile: row.takesFile },
      onRequest: async (request, reply) => {
        await admit(services, row, request, reply);
        if (services.spans) beginRequestSpan(services.spans, request, startOf(services.clock, request));
      },
      onSend: async (request, reply) => {
        if (row.auth === 'session' && row.audited !== false) await auditCall(services, row, request, reply);
      },
      handler: (request, reply) => answerRow(services, dialect, row, request, reply),
    });
  }
  for (const [url, methods] of methodsOf) {
    const allow = [...(methods.includes('GET') ? ['HEAD'] : []), ...methods, ...(dialect.cors ? ['OPTIONS'] : [])];
    app.route({
      method: ALL.filter(
        (method) => !methods.some((own) => own === method) && !(method === 'HEAD' && allow.includes(method)),
      ),
      url,
      config: { dialect },
      onRequest: async () => {
        throw new AppError('method_not_allowed', { allow });
      },
      handler: (_request, reply) => reply.send(),
    });
  }
  registerRest(app, services, dialect, methodsOf.has(dialect.prefix));
}

/** What no row takes: the dialect's fallback, or an answer in its words that nothing is there. */
function registerRest(app: FastifyInstance, services: HttpServices, dialect: Dialect, hasRoot: boolean): void {
  const { fallback } = dialect;
  const nowhere = {
    config: { dialect, isNowhere: true },
    onRequest: async () => {
      throw new AppError('not_found');
    },
    handler: async () => undefined,
  };
  if (!hasRoot) app.route({ ...nowhere, method: [...ALL], url: dialect.prefix });
  const below = `${dialect.prefix}/*`;
  if (!fallback) {
    app.route({ ...nowhere, method: [...ALL], url: below });
    return;
  }
  app.route({
    method: [...METHODS],
    url: below,
    exposeHeadRoute: false,
    config: { dialect, maxBodyBytes: fallback.maxBodyBytes },
    onRequest: (request, reply) => {
      const scope = fallback.scopes[isSafe(request.method) ? 'read' : 'write'];
      return admit(services, { auth: 'key', ...fallback, scope }, request, reply);
    },
    handler: (request, reply) => answerForwarded(fallback.forward, request, reply),
  });
  app.route({ ...nowhere, method: ALL.filter((method) => !METHODS.some((own) => own === method)), url: below });
}
