import type { FastifyReply, FastifyRequest } from 'fastify';
import { readTraceparent } from '../core/trace-context.ts';
import type { Span, Spans } from '../observe/spans.ts';
import { isSafe } from './admit.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Only where traces are on. */
    span?: Span;
  }
}

/**
 * A request that was let in begins a trace, or goes on in its caller's (`traceparent`); what it
 * asks for belongs to it. What the console only reads is left out. Never the address itself, which
 * may hold names and numbers: the route.
 */
export function beginRequestSpan(spans: Spans, request: FastifyRequest, startedAt: number): void {
  const { caller } = request;
  if (!caller || (request.session && isSafe(request.method))) return;
  const { traceparent } = request.headers;
  const route = request.routeOptions.url ?? '';
  const span = spans.begin(`${request.method} ${route}`, {
    kind: 'server',
    startedAt,
    ...(readTraceparent(traceparent) && typeof traceparent === 'string' ? { parent: traceparent } : {}),
    attributes: {
      'http.request.method': request.method,
      'http.route': route,
      'ponte.request.id': request.id,
      'ponte.account.id': caller.accountId,
      'ponte.mode': caller.mode,
    },
  });
  request.span = span;
  request.caller = { ...caller, traceparent: span.traceparent };
}

export function endRequestSpan({ span }: FastifyRequest, { statusCode }: FastifyReply): void {
  span?.set({ 'http.response.status_code': statusCode });
  span?.end(statusCode >= 500 ? `status ${statusCode}` : undefined);
}
