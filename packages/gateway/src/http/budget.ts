import type { FastifyReply } from 'fastify';
import type { LimitClass, RateLimiter, Verdict } from '../access/rate-limit.ts';
import { AppError } from '../core/app-error.ts';

/**
 * Takes a place in a budget and says so in the RateLimit headers; `rate_limited` when there is
 * none. The key's budget, asked last, wins.
 */
export async function takeBudget(
  rateLimiter: RateLimiter,
  reply: FastifyReply,
  limit: LimitClass,
  subject: string,
): Promise<void> {
  const verdict = await rateLimiter.take(limit, subject);
  if (verdict.limit === 0) return;
  const seconds = Math.ceil(verdict.resetMs / 1_000);
  if (isPublic(limit) || !verdict.allowed) reply.headers(budgetHeaders(limit, verdict, seconds));
  if (!verdict.allowed) throw limited(verdict, seconds);
}

const isPublic = (limit: LimitClass): boolean => !limit.endsWith('ip');

/**
 * `RateLimit` and `RateLimit-Policy` as in draft-ietf-httpapi-ratelimit-headers-11, beside the
 * three fields that were published (they are those of its revision 06).
 */
function budgetHeaders(limit: LimitClass, verdict: Verdict, seconds: number): Record<string, string> {
  return {
    'ratelimit-limit': String(verdict.limit),
    'ratelimit-remaining': String(verdict.remaining),
    'ratelimit-reset': String(seconds),
    'ratelimit-policy': `"${limit}";q=${verdict.limit};w=${Math.ceil(verdict.windowMs / 1_000)}`,
    ratelimit: `"${limit}";r=${verdict.remaining};t=${seconds}`,
  };
}

function limited(verdict: Verdict, seconds: number): AppError {
  const window = Math.round(verdict.windowMs / 1_000);
  return new AppError(
    'rate_limited',
    { retryAfterSeconds: Math.max(1, seconds) },
    { message: `At most ${verdict.limit} requests in ${window} seconds. Try again after Retry-After seconds.` },
  );
}
