import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError } from '../core/app-error.ts';

export interface HealthServices {
  /** True when store and bus answer; settles within a second or two. */
  ready(): Promise<boolean>;
  /** Prometheus text; absent = no metrics. */
  metrics?: { contentType: string; text(): Promise<string> };
  /** Bearer token for `/metrics` from elsewhere; without one only loopback may read it. */
  metricsToken?: string;
}

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;

/** `/healthz` (the process is up), `/readyz` (its parts answer) and `/metrics`. */
export function registerHealth(app: FastifyInstance, services: HealthServices): void {
  app.get('/healthz', (_request, reply) => reply.type('application/json').send('{"ok":true}'));
  app.get('/readyz', async (_request, reply) => {
    const isReady = await services.ready().catch(() => false);
    if (!isReady) throw new AppError('unavailable', { retryAfterSeconds: 2 });
    return reply.type('application/json').send('{"ok":true}');
  });
  app.get('/metrics', async (request, reply) => {
    if (!services.metrics || !mayReadMetrics(request, services.metricsToken)) throw new AppError('not_found');
    return reply.type(services.metrics.contentType).send(await services.metrics.text());
  });
}

/**
 * Loopback callers, or whoever has the token. A request that came through a proxy on this machine
 * carries a forwarding header and does not count as loopback.
 */
function mayReadMetrics(request: FastifyRequest, token: string | undefined): boolean {
  const presented = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token !== undefined && presented !== undefined && same(presented, token)) return true;
  const forwarded = request.headers['x-forwarded-for'] ?? request.headers.forwarded;
  return forwarded === undefined && LOOPBACK.test(request.socket.remoteAddress ?? '');
}

/** Constant-time comparison of texts of any length. */
function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
