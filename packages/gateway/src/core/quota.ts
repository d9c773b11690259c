import { AppError } from './app-error.ts';

/** What is metered, in the words of the Lines API. */
export type Metric = 'sent_messages' | 'webhook_events' | 'lines';

/** Null = unlimited. */
export type PlanLimits = Record<Metric, number | null>;

/** Plans by name. An account whose plan is not configured has no limits. */
export type Plans = Record<string, PlanLimits>;

export const UNLIMITED: PlanLimits = { sent_messages: null, webhook_events: null, lines: null };

export const limitsOf = (plans: Plans, plan: string): PlanLimits => plans[plan] ?? UNLIMITED;

/** A billing cycle: `[start, end)`, Unix milliseconds. */
export interface Period {
  startMs: number;
  endMs: number;
}

/** The calendar month, UTC, that `nowMs` lies in. */
export function periodOf(nowMs: number): Period {
  const now = new Date(nowMs);
  return {
    startMs: Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1),
    endMs: Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1),
  };
}

/**
 * Refuses one more of `metric` when the plan's limit is reached: `quota_exceeded`, or `line_limit_reached` for lines. Exact only when `used` was
 * counted in the transaction that adds the next one, and accounts are locked against each other in it.
 */
export function checkQuota(input: {
  metric: Metric;
  used: number;
  limit: number | null;
  plan: string;
  nowMs: number;
}): void {
  const { metric, used, limit, plan } = input;
  if (limit === null || used < limit) return;
  const retryAfterSeconds = Math.max(1, Math.ceil((periodOf(input.nowMs).endMs - input.nowMs) / 1_000));
  throw new AppError(metric === 'lines' ? 'line_limit_reached' : 'quota_exceeded', {
    metric,
    used,
    limit,
    plan,
    retryAfterSeconds,
  });
}
