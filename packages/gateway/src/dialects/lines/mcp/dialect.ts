import type { AuthInfo, McpHttpHandler, McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Caller } from '../../../commands/execute.ts';
import { AppError } from '../../../core/app-error.ts';
import type { RebindingGuard } from '../../../http/rebinding-guard.ts';
import { type Dialect, type ErrorAnswer, type Forward, forwardRoute } from '../../../http/route.ts';
import { exchange } from '../../../http/web-exchange.ts';
import { errorAnswer as restErrorAnswer } from '../errors.ts';
import { routes } from '../routes.ts';
import { serveJsonToo } from './accept.ts';
import type { McpServices } from './server.ts';
import { toolTable } from './tools/table.ts';

export interface McpDialectServices extends Omit<McpServices, 'tools'> {
  guard: RebindingGuard;
  /**
   * Takes so many more places in the key's budget, as that many requests of REST would; all of them
   * or none.
   */
  takeBudget(caller: Caller, places: number): BudgetVerdict | Promise<BudgetVerdict>;
  /** Told of requests that the protocol refuses; for the log. */
  onRefused(error: Error): void;
  /** Default: the product's tools, resources and prompts. */
  makeServer?: MakeServer;
}

export interface McpDoor {
  dialect: Dialect;
  /** Ends the streams that are open; further requests fail. */
  close(): Promise<void>;
}

/**
 * The server that answers a request of a caller. `calledTool`: the request calls this tool and asks
 * for nothing else. `notify` tells clients that listen that a list changed.
 */
export type MakeServer = (
  services: McpServices,
  caller: Caller,
  calledTool: string | undefined,
  notify: McpHttpHandler['notify'],
) => McpServer;

/** JSON-RPC 2.0: the body is no JSON; and a code of the server's own. */
const PARSE_ERROR = -32_700;
const REFUSED = -32_000;

/**
 * The MCP server at `/api/bridge/mcp`: Streamable HTTP without sessions, for the 2026-07-28
 * revision and for clients of 2025. Keys, limits and request ids are those of REST. Every request
 * gets a server of its own.
 */
export function createMcpDialect(services: McpDialectServices): McpDoor {
  const { guard, onRefused, takeBudget } = services;
  const requests = new WeakMap<AuthInfo, { caller: Caller; body: unknown }>();
  // Tools are described and the protocol's library is loaded with the first request: most servers
  // never get one.
  const open = async (): Promise<McpHttpHandler> => {
    const known = { ...services, tools: toolTable(routes) };
    const { createMcpHandler } = await import('@modelcontextprotocol/server');
    const makeServer = services.makeServer ?? (await import('./server.ts')).createServer;
    const handler: McpHttpHandler = createMcpHandler(
      ({ authInfo }) => {
        const request = authInfo && requests.get(authInfo);
        if (!request) throw new Error('a request without a caller reached the MCP server');
        return makeServer(known, request.caller, calledTool(request.body), handler.notify);
      },
      { onerror: onRefused, legacy: 'stateless', maxSubscriptions: MAX_SUBSCRIPTIONS },
    );
    return handler;
  };
  let opened: Promise<McpHttpHandler> | undefined;
  let isClosed = false;
  const forward: Forward = async (request, caller) => {
    guard(request);
    if (request.method === 'POST' && request.body === undefined) throw new AppError('validation_error', NO_BODY);
    if (Array.isArray(request.body)) await takeForBatch(request.body, (places) => takeBudget(caller, places));
    // The key's text stays at the front door: nothing behind it can pass it on.
    const authInfo: AuthInfo = { token: '', clientId: caller.keyId, scopes: [...caller.scopes] };
    requests.set(authInfo, { caller, body: request.body });
    if (isClosed) throw new AppError('unavailable');
    opened ??= open();
    const handler = await opened;
    return exchange(request, (webRequest, parsedBody) =>
      serveJsonToo(webRequest, parsedBody, (one) => handler.fetch(one, { authInfo, parsedBody })),
    );
  };
  const close = async (): Promise<void> => {
    isClosed = true;
    await (await opened)?.close();
  };
  return { dialect: dialectOf(forward), close };
}

/** The tool that a JSON-RPC message calls; undefined for anything else, batches too. */
function calledTool(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { method, params } = body as { method?: unknown; params?: { name?: unknown } };
  return method === 'tools/call' && typeof params?.name === 'string' ? params.name : undefined;
}

const dialectOf = (forward: Forward): Dialect => ({
  name: 'mcp',
  prefix: '/api/bridge/mcp',
  title: 'MCP server',
  description: 'Tools, resources and prompts for agents, over the Lines API.',
  cors: true,
  published: false,
  ipLimit: 'ip',
  // Without sessions there is nothing to GET or to DELETE.
  routes: [
    forwardRoute({
      method: 'POST',
      path: '',
      operation: 'mcp',
      summary: 'Model Context Protocol, Streamable HTTP',
      tag: 'MCP',
      auth: 'key',
      scope: 'by_content',
      limit: 'api',
      answers: {
        200: { description: 'As the protocol says.', contentTypes: ['application/json', 'text/event-stream'] },
        202: { description: 'A notification was taken.' },
      },
      forward,
    }),
  ],
  errorAnswer,
  errorSchema: z.object({
    jsonrpc: z.literal('2.0'),
    id: z.null(),
    error: z.object({ code: z.int(), message: z.string(), data: z.looseObject({ code: z.string() }).optional() }),
  }),
});

/**
 * Clients of 2025-03-26 may put several messages into one request: each costs what it would cost
 * alone. The first is paid at the front door; a batch that the budget does not hold as a whole is
 * refused as a whole, and costs no more than that.
 */
async function takeForBatch(
  messages: readonly unknown[],
  take: (places: number) => BudgetVerdict | Promise<BudgetVerdict>,
): Promise<void> {
  if (messages.length > MAX_BATCH) {
    throw new AppError('payload_too_large', {}, { message: `Send at most ${MAX_BATCH} messages in one request.` });
  }
  if (messages.length < 2) return;
  const { allowed, resetMs } = await take(messages.length - 1);
  if (!allowed) throw new AppError('rate_limited', { retryAfterSeconds: Math.max(1, Math.ceil(resetMs / 1_000)) });
}

interface BudgetVerdict {
  allowed: boolean;
  resetMs: number;
}

const MAX_BATCH = 50;
const NO_BODY = { details: [{ path: '', message: 'A JSON-RPC message is required.' }] };
const MAX_SUBSCRIPTIONS = 200;

/** Refusals before the protocol has a say: the statuses of REST, worded as JSON-RPC. */
function errorAnswer(error: AppError): ErrorAnswer {
  const { status, body } = restErrorAnswer(error);
  const isEnvelope = typeof body.error === 'object' && body.error !== null;
  const data = isEnvelope ? (body.error as Record<string, unknown>) : { ...body, error: undefined, code: body.error };
  const code = error.code === 'validation_error' ? PARSE_ERROR : REFUSED;
  return { status, body: { jsonrpc: '2.0', id: null, error: { code, message: error.message, data } } };
}
