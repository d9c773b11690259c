import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { addressBucket, type RateLimiter } from '../access/rate-limit.ts';
import { AppError } from '../core/app-error.ts';
import type { KnownVersion } from '../core/client-version.ts';
import { takeBudget } from './budget.ts';
import { clientVersionAnswer } from './client-version-answer.ts';
import { bearerOf } from './presented-key.ts';

export interface HealthServices {
  /**
   * True while the store takes writes and this node is to get requests; settles within a second or
   * two.
   */
  ready(): Promise<boolean>;
  /** What is away without which less works, or later: nothing that is a reason to stay away. */
  degraded?(): string[];
  /** The version of WhatsApp Web that live lines announce. */
  clientVersion?(): KnownVersion;
  /** Prometheus text; absent = no metrics. */
  metrics?: { contentType: string; text(): Promise<string> };
  /** Bearer token for `/metrics` from elsewhere; without one only loopback may read it. */
  metricsToken?: string;
  /**
   * True when requests of others may come from loopback, because a proxy stands before this server:
   * then only the token counts.
   */
  isBehindProxy?: boolean;
  rateLimiter: RateLimiter;
}

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;
const LOCAL_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i;
/** Headers that proxies add; a request with one of these did not start on this machine. */
const PROXIED = ['forwarded', 'via', 'x-real-ip', 'cf-connecting-ip', 'true-client-ip'];

/** `/healthz` (the process is up), `/readyz` (its parts answer) and `/metrics`. */
export function registerHealth(app: FastifyInstance, services: HealthServices): void {
  app.get('/healthz', (_request, reply) => reply.type('application/json').send('{"ok":true}'));
  app.get('/readyz', async (_request, reply) => {
    const isReady = await services.ready().catch(() => false);
    if (!isReady) throw new AppError('unavailable', { retryAfterSeconds: 2 });
    const known = services.clientVersion?.();
    const degraded = services.degraded?.() ?? [];
    const more = degraded.length > 0 ? { degraded } : {};
    const body = { ok: true, ...more, ...(known ? { whatsapp_version: clientVersionAnswer(known) } : {}) };
    return reply.type('application/json').send(JSON.stringify(body));
  });
  app.get('/metrics', async (request, reply) => {
    if (!services.metrics || !mayReadMetrics(request, services)) {
      // A guess of the token costs what a guess of a key costs.
      await takeBudget(services.rateLimiter, reply, 'ip', addressBucket(request.ip));
      throw new AppError('not_found');
    }
    return reply.type(services.metrics.contentType).send(await services.metrics.text());
  });
}

/**
 * Callers with the token, or this machine itself: from loopback, by a local name (a foreign page
 * rebound to loopback has a name of its own), without any header of a proxy.
 */
function mayReadMetrics(
  request: FastifyRequest,
  { metricsToken, isBehindProxy }: Pick<HealthServices, 'metricsToken' | 'isBehindProxy'>,
): boolean {
  const presented = bearerOf(request.headers.authorization);
  if (metricsToken !== undefined && presented !== undefined) return same(presented, metricsToken);
  if (isBehindProxy) return false;
  const { headers, socket } = request;
  const isProxied = Object.keys(headers).some((name) => PROXIED.includes(name) || name.startsWith('x-forwarded-'));
  return !isProxied && LOCAL_HOST.test(headers.host ?? '') && LOOPBACK.test(socket.remoteAddress ?? '');
}

/** Constant-time comparison of texts of any length. */
function same(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
